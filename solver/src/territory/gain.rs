//! The flow by priority, and what one more capability adds to it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hypothetical, Improvement, PlaceGain, PlaceSupply, TerritoryQuery, Weight};
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::flow::supply::{Place, Supply};
use crate::flow::{Edge, Flow, Node};
use crate::formulate::units;
use crate::instance::Instance;
use crate::model::{Quantity, Spread};
use crate::rules::RuleId;

/// The flow by priority.
pub(super) struct Served {
    supply: Supply,
    flow: Flow,
    /// By place of the network.
    weights: Vec<f64>,
    /// Places by decreasing weight; those of one weight together.
    order: Vec<Vec<usize>>,
    /// Hypothetical capabilities, still closed.
    doors: Vec<Door>,
    /// How many of them the query names; the others are candidates for one more.
    named: usize,
}

/// A hypothetical capability with its edge out of the source.
#[derive(Clone)]
struct Door {
    capability: Hypothetical,
    node: Node,
    edge: Edge,
}

impl Served {
    /// Lays out the network with every hypothesis closed, and serves the places in decreasing weight.
    pub(super) fn new(c: &Compiled<'_>, query: &TerritoryQuery) -> Self {
        let mut supply = Supply::new(c, |_| true, false);
        let weights: Vec<f64> = supply.places.iter().map(|p| weight(c.instance, &query.weight, p.territory)).collect();
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
        let order: Vec<Vec<usize>> =
            order.chunk_by(|&a, &b| weights[a].total_cmp(&weights[b]).is_eq()).map(<[usize]>::to_vec).collect();
        let mut all = query.hypotheses.clone();
        if query.best_places > 0 {
            all.extend(candidates(c, query));
        }
        let named = query.hypotheses.len();
        let doors = all.into_iter().map(|one| door(c, &mut supply, one)).collect();
        let mut flow = supply.network.build();
        for group in &order {
            for &p in group {
                flow.raise(supply.places[p].edge, supply.places[p].demand);
            }
            flow.augment(supply.source, supply.sink);
        }
        Self { supply, flow, weights, order, doors, named }
    }

    pub(super) fn exact(&self) -> bool {
        self.supply.exact
    }

    /// Every need in every place.
    pub(super) fn places(&self, c: &Compiled<'_>) -> Vec<PlaceSupply> {
        let mut found: Vec<(usize, PlaceSupply)> = Vec::with_capacity(self.weights.len());
        let mut by_cell: BTreeMap<usize, (Quantity, Vec<String>)> = BTreeMap::new();
        for (place, &weight) in self.supply.places.iter().zip(&self.weights) {
            let cell = &c.cells[place.cell];
            let need = c.needs[cell.need].need;
            let (supply, suppliers) = by_cell.entry(place.cell).or_insert_with(|| {
                let ids = c.suppliers(cell).into_iter().map(|i| c.id(i).to_owned()).collect();
                (alone(c, place.cell), ids)
            });
            found.push((
                cell.need,
                PlaceSupply {
                    need: need.id.clone(),
                    service: need.service.clone(),
                    public: need.public.clone(),
                    unit: need.unit.clone(),
                    territory: c.problem().territories[place.territory].id.clone(),
                    weight,
                    needed: place.demand,
                    served: self.flow.on(place.edge),
                    supply: *supply,
                    redundant: supply.saturating_sub(place.demand),
                    suppliers: suppliers.clone(),
                },
            ));
        }
        found.sort_by(|a, b| (a.0, &a.1.territory).cmp(&(b.0, &b.1.territory)));
        found.into_iter().map(|(_, place)| place).collect()
    }

    /// Places that are not served in full, with their weights and what is missing.
    pub(super) fn unserved(&self) -> impl Iterator<Item = (Place, f64, Quantity)> {
        let all = self.supply.places.iter().zip(&self.weights);
        all.map(|(place, &weight)| (*place, weight, self.flow.room(place.edge))).filter(|(.., missing)| *missing > 0)
    }

    /// The gains of the hypotheses of the query, and whether time was enough.
    pub(super) fn hypotheses(
        &mut self,
        c: &Compiled<'_>,
        backend: &Backend<'_>,
        query: &TerritoryQuery,
    ) -> (Vec<Improvement>, bool) {
        let gains: Vec<Improvement> =
            (0..self.named).take_while(|_| !backend.expired()).map(|door| self.gain(c, door)).collect();
        let all = gains.len() == query.hypotheses.len();
        (gains, all)
    }

    /// The best places for one more capability, and whether all were tried.
    pub(super) fn best_places(
        &mut self,
        c: &Compiled<'_>,
        backend: &Backend<'_>,
        query: &TerritoryQuery,
    ) -> (Vec<Improvement>, bool) {
        // Only what leads to a place in want can change anything.
        let leads = self.flow.reaching(self.supply.sink);
        let mut gains = Vec::new();
        for door in self.named..self.doors.len() {
            if backend.expired() {
                return (gains, false);
            }
            if leads[self.doors[door].node as usize] {
                gains.push(self.gain(c, door));
            }
        }
        gains.retain(|gain| gain.gain > 0);
        gains.sort_by(|a, b| b.weighted_gain.total_cmp(&a.weighted_gain).then(b.gain.cmp(&a.gain)));
        gains.truncate(query.best_places as usize);
        (gains, true)
    }

    /// Opens one capability, augments in decreasing weight, and puts everything back.
    fn gain(&mut self, c: &Compiled<'_>, door: usize) -> Improvement {
        let Door { capability, edge, .. } = self.doors[door].clone();
        let mut flow = self.flow.clone();
        let per_year = capability.capacity_per_year;
        flow.raise(edge, per_year.map_or(u64::MAX, |q| c.instance.over_contract(q)));
        let rooms: Vec<Quantity> = self.supply.places.iter().map(|place| flow.room(place.edge)).collect();
        for place in &self.supply.places {
            flow.close(place.edge);
        }
        for group in &self.order {
            if group.iter().all(|&p| rooms[p] == 0) {
                continue;
            }
            for &p in group {
                flow.raise(self.supply.places[p].edge, rooms[p]);
            }
            flow.augment(self.supply.source, self.supply.sink);
        }
        let mut told = Improvement { capability, gain: 0, weighted_gain: 0.0, places: Vec::new() };
        for (place, &weight) in self.supply.places.iter().zip(&self.weights) {
            let more = flow.on(place.edge) - self.flow.on(place.edge);
            if more > 0 {
                told.gain += more;
                told.weighted_gain += weight * units(more);
                told.places.push(PlaceGain {
                    need: c.needs[c.cells[place.cell].need].need.id.clone(),
                    territory: c.problem().territories[place.territory].id.clone(),
                    quantity: more,
                });
            }
        }
        told.places.sort_by(|a, b| (&a.need, &a.territory).cmp(&(&b.need, &b.territory)));
        told
    }
}

/// What the suppliers of a cell could deliver there if they served nothing else and it had no end.
fn alone(c: &Compiled<'_>, cell: usize) -> Quantity {
    let offers: BTreeSet<usize> = c.cells[cell].edges.iter().map(|&e| c.edges[e].offer).collect();
    let capacity = |o: usize| {
        let edges = c.cells[cell].edges.iter().filter(|&&e| c.edges[e].offer == o);
        edges.map(|&e| c.edges[e].terms.capacity).max().unwrap_or(0)
    };
    let mut pooled: BTreeMap<Option<usize>, Quantity> = BTreeMap::new();
    for &o in &offers {
        let pool = c.pools.iter().position(|pool| {
            c.rules.active(RuleId::Pool)
                && c.cells[cell].edges.iter().any(|e| c.edges[*e].offer == o && pool.edges.contains(e))
        });
        let sum = pooled.entry(pool).or_default();
        *sum = sum.saturating_add(capacity(o));
    }
    let most = |(pool, sum): (Option<usize>, Quantity)| pool.map_or(sum, |p| sum.min(c.pools[p].capacity));
    pooled.into_iter().map(most).fold(0, Quantity::saturating_add)
}

/// One capability for each need in each place, each kind once.
fn candidates(c: &Compiled<'_>, query: &TerritoryQuery) -> Vec<Hypothetical> {
    let mut kinds = BTreeSet::new();
    for cell in &c.cells {
        let need = c.needs[cell.need].need;
        for &(place, _) in &cell.places {
            kinds.insert((&need.service, &c.problem().territories[place].id, &need.public, &need.unit));
        }
    }
    let hypothetical =
        |(service, territory, public, unit): (&String, &String, &Option<String>, &String)| Hypothetical {
            service: service.clone(),
            territory: territory.clone(),
            public: public.clone(),
            unit: Some(unit.clone()),
            capacity_per_year: query.capacity_per_year,
        };
    kinds.into_iter().map(hypothetical).collect()
}

/// Adds a capability to the network, closed, joined with every place that it could serve.
/// The places of a cell have the same suppliers, but not the same future ones: hence edges to the places.
fn door(c: &Compiled<'_>, supply: &mut Supply, one: Hypothetical) -> Door {
    let node = supply.network.node();
    let edge = supply.network.edge(supply.source, node, 0);
    for place in &supply.places {
        let need = &c.needs[c.cells[place.cell].need];
        let Instance { services, publics, territories, .. } = c.instance;
        let (Some(service), Some(own)) = (services.get(&one.service), territories.get(&one.territory)) else {
            continue;
        };
        let public = match &one.public {
            None => true,
            Some(code) => publics.get(code).zip(need.public).is_some_and(|(own, asked)| publics.within(asked, own)),
        };
        let reaches = match need.need.spread {
            Spread::Anywhere => territories.related(own, place.territory),
            Spread::Population => territories.within(place.territory, own),
        };
        let unit = one.unit.as_ref().is_none_or(|unit| *unit == need.need.unit);
        if services.within(service, need.service) && public && reaches && unit {
            supply.network.edge(node, place.node, place.demand);
        }
    }
    Door { capability: one, node, edge }
}

/// What a unit weighs in a place.
fn weight(instance: &Instance, weight: &Weight, territory: usize) -> f64 {
    let all = &instance.problem().territories;
    match weight {
        Weight::Population => {
            let below = all.iter().enumerate().filter(|(t, _)| instance.territories.within(*t, territory));
            units(below.map(|(_, t)| t.population).sum())
        }
        Weight::Indicator { by_territory } => {
            let mut at = Some(territory);
            while let Some(node) = at {
                if let Some(&own) = by_territory.get(&all[node].id) {
                    return own;
                }
                at = all[node].parent.as_ref().and_then(|parent| instance.territories.get(parent));
            }
            0.0
        }
    }
}
