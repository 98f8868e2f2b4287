//! From the problem to what the model needs: cells, offers, edges.
//!
//! A *cell* is a need in one place (or anywhere in its territory). Cells of one need with the same suppliers are merged: they
//! are interchangeable, so the model decides their sum and [`crate::assemble`] deals it out again. An *offer* is a capability
//! that can serve at least one cell; an *edge* joins the two. Actors stand in the order of their ids, so that the answer does
//! not depend on the order of the document.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::answer::Refusal;
use crate::apportion::apportion;
use crate::instance::Instance;
use crate::matching::{Matcher, NeedRef, Terms};
use crate::model::{Capability, Options, Problem, Quantity, Scope, Spread};
use crate::rules::{RuleId, RuleSet, eligibility, incompatibility};
use crate::text;

mod pools;

pub(crate) use pools::Pool;

/// An actor that may be a member.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Index in the problem.
    pub(crate) actor: usize,
    pub(crate) offers: Range<usize>,
    pub(crate) locked_in: bool,
    /// Meets every rule on the lead.
    pub(crate) may_lead: bool,
}

/// A capability with at least one edge.
#[derive(Clone, Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) candidate: usize,
    pub(crate) capability: &'a Capability,
    pub(crate) edges: Range<usize>,
}

/// An offer that can serve a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) offer: usize,
    pub(crate) cell: usize,
    pub(crate) terms: Terms,
}

/// Interchangeable places of one need.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Index in [`Compiled::needs`].
    pub(crate) need: usize,
    /// Territories with what is asked there.
    pub(crate) places: Vec<(usize, Quantity)>,
    /// The sum over the places.
    pub(crate) demand: Quantity,
    /// Edges that end here, ascending.
    pub(crate) edges: Vec<usize>,
}

/// Everything the model is built from. Valid for one set of rules.
#[derive(Clone, Debug)]
pub(crate) struct Compiled<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) options: &'a Options,
    pub(crate) rules: RuleSet,
    pub(crate) matcher: Matcher<'a>,
    pub(crate) needs: Vec<NeedRef<'a>>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) offers: Vec<Offer<'a>>,
    /// Sorted by offer, then cell.
    pub(crate) edges: Vec<Edge>,
    pub(crate) cells: Vec<Cell>,
    /// Number of cells before merging.
    pub(crate) places: usize,
    pub(crate) pools: Vec<Pool>,
    /// Pools of which one actor alone is here: they restrict nothing in this call, but others may draw on them in another.
    pub(crate) lone_pools: Vec<Pool>,
    /// Relations between candidates, smaller index first, with their strength.
    pub(crate) relations: BTreeMap<(usize, usize), u8>,
    /// Incompatible candidates, smaller index first.
    pub(crate) incompatible: BTreeSet<(usize, usize)>,
    /// Sets of candidates of which one at most is a member: they cover every incompatible pair.
    pub(crate) cliques: Vec<BTreeSet<usize>>,
    /// Candidates that join only if one of the others does.
    pub(crate) preferences: Vec<(usize, BTreeSet<usize>)>,
}

impl<'a> Compiled<'a> {
    /// Prepares an instance under a set of rules. O(Σ over needs of the capabilities for its service near it × places).
    pub(crate) fn new(instance: &'a Instance, options: &'a Options, rules: RuleSet) -> Self {
        Self::prepare(instance, options, rules, true)
    }

    /// The same with every place as a cell of its own; for comparisons.
    pub(crate) fn unmerged(instance: &'a Instance, options: &'a Options, rules: RuleSet) -> Self {
        Self::prepare(instance, options, rules, false)
    }

    fn prepare(instance: &'a Instance, options: &'a Options, rules: RuleSet, merge: bool) -> Self {
        let locked = |ids: &[String]| ids.iter().filter_map(|id| instance.actors.get(id).copied()).collect();
        let (locked_in, locked_out): (BTreeSet<usize>, BTreeSet<usize>) =
            (locked(&options.locked_in), locked(&options.locked_out));
        let matcher = Matcher::new(instance, rules.clone(), locked_out.clone());
        let mut compiled = Self {
            instance,
            options,
            needs: needs(instance),
            candidates: Vec::new(),
            offers: Vec::new(),
            edges: Vec::new(),
            cells: Vec::new(),
            places: 0,
            pools: Vec::new(),
            lone_pools: Vec::new(),
            relations: BTreeMap::new(),
            incompatible: BTreeSet::new(),
            cliques: Vec::new(),
            preferences: Vec::new(),
            matcher,
            rules,
        };
        let suppliers = compiled.match_all();
        compiled.add_candidates(&suppliers, &locked_in, &locked_out);
        compiled.lay_out(&suppliers, merge);
        compiled.add_pools();
        compiled.add_pairs();
        compiled
    }

    /// The same with a candidate as a member in any case; the options do not know of it. O(size).
    pub(crate) fn joined_by(&self, candidate: usize) -> Self {
        let mut joined = self.clone();
        joined.candidates[candidate].locked_in = true;
        joined
    }

    pub(crate) fn problem(&self) -> &'a Problem {
        self.instance.problem()
    }

    /// Whether a need must be covered in full.
    pub(crate) fn mandatory(&self, cell: &Cell) -> bool {
        self.needs[cell.need].need.mandatory
    }

    /// The largest quantity an edge can carry.
    pub(crate) fn most(&self, edge: &Edge) -> Quantity {
        let demand = self.cells[edge.cell].demand;
        if self.rules.active(RuleId::Capacity) { demand.min(edge.terms.capacity) } else { demand }
    }

    /// Whether a candidate may lead: it meets the conditions on the lead, or they are not in force.
    pub(crate) fn may_be_lead(&self, candidate: usize) -> bool {
        self.candidates[candidate].may_lead || !self.rules.active(RuleId::Lead)
    }

    /// Cells of which no unit is free, whoever delivers it.
    pub(crate) fn paid_cells(&self) -> impl Iterator<Item = usize> + use<> {
        let paid = |cell: &Cell| cell.demand > 0 && cell.edges.iter().all(|&e| self.edges[e].terms.unit_cost > 0);
        let cells: Vec<usize> = (0..self.cells.len()).filter(|&j| paid(&self.cells[j])).collect();
        cells.into_iter()
    }

    /// Candidates that can deliver something of one of the needs that `counts`.
    pub(crate) fn able(&self, counts: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let cells = self.cells.iter().filter(|cell| counts(cell.need));
        cells.flat_map(|cell| &cell.edges).map(|&e| self.offers[self.edges[e].offer].candidate).collect()
    }

    /// Id of a candidate.
    pub(crate) fn id(&self, candidate: usize) -> &'a str {
        &self.problem().actors[self.candidates[candidate].actor].id
    }

    /// The candidate of an actor of the problem.
    pub(crate) fn candidate_of(&self, actor: usize) -> Option<usize> {
        let id = &self.problem().actors[actor].id;
        self.candidates.binary_search_by(|c| self.problem().actors[c.actor].id.cmp(id)).ok()
    }

    /// Candidates that can serve a cell, ascending.
    pub(crate) fn suppliers(&self, cell: &Cell) -> BTreeSet<usize> {
        cell.edges.iter().map(|&e| self.offers[self.edges[e].offer].candidate).collect()
    }

    /// Label of a need; its service's where it has none.
    pub(crate) fn need_name(&self, need: usize) -> &'a str {
        let NeedRef { need, service, .. } = &self.needs[need];
        let service = &self.problem().services[*service];
        need.name.as_deref().or(service.name.as_deref()).unwrap_or(&service.id)
    }

    /// Names of up to three places of a need; the whole territory if there are more.
    pub(crate) fn place_names(&self, need: usize, places: &BTreeSet<usize>) -> String {
        let names: Vec<&str> = places.iter().map(|&place| self.instance.territory_name(place)).collect();
        let all = self.cells.iter().filter(|cell| cell.need == need).map(|cell| cell.places.len()).sum::<usize>();
        if names.len() == all || names.len() > 3 {
            self.instance.territory_name(self.needs[need].territory).to_owned()
        } else {
            text::list(&names)
        }
    }

    /// For each need, its places and who serves each, on which terms.
    fn match_all(&mut self) -> Vec<NeedSuppliers> {
        let index = Index::new(self.instance);
        let mut all = Vec::with_capacity(self.needs.len());
        for need in &self.needs {
            let places = places(self.instance, need);
            let mut suppliers = vec![Vec::new(); places.len()];
            for (a, c) in index.near(self.instance, need) {
                for (p, &(place, _)) in places.iter().enumerate() {
                    match self.matcher.terms(a, c, need, place) {
                        Ok(terms) => suppliers[p].push(((a, c), terms)),
                        // Only the territory depends on the place.
                        Err(Refusal::Territory) => {}
                        Err(_) => break,
                    }
                }
            }
            self.places += places.len();
            all.push(NeedSuppliers { places, suppliers });
        }
        all
    }

    /// Actors with an edge; those locked in; everybody where members need not be active.
    fn add_candidates(&mut self, suppliers: &[NeedSuppliers], locked_in: &BTreeSet<usize>, out: &BTreeSet<usize>) {
        let problem = self.problem();
        let mut offers: BTreeMap<usize, BTreeSet<usize>> = locked_in.iter().map(|&a| (a, BTreeSet::new())).collect();
        if !self.rules.active(RuleId::ActiveMember) {
            let may_join = |a: &usize| {
                let mut rules = self.rules.eligibility(problem);
                !out.contains(a)
                    && rules.all(|rule| {
                        rule.scope != Scope::EachMember
                            || !rule.lots.is_empty()
                            || eligibility::meets(self.instance, *a, &rule.criterion)
                    })
            };
            offers.extend((0..problem.actors.len()).filter(may_join).map(|a| (a, BTreeSet::new())));
        }
        for &((actor, capability), _) in suppliers.iter().flat_map(|s| &s.suppliers).flatten() {
            offers.entry(actor).or_default().insert(capability);
        }
        let mut actors: Vec<usize> = offers.keys().copied().collect();
        actors.sort_by(|&a, &b| problem.actors[a].id.cmp(&problem.actors[b].id));
        for actor in actors {
            let first = self.offers.len();
            let mut capabilities: Vec<_> =
                offers[&actor].iter().map(|&c| &problem.actors[actor].capabilities[c]).collect();
            capabilities.sort_by(|a, b| a.id.cmp(&b.id));
            self.offers.extend(capabilities.into_iter().map(|capability| Offer {
                candidate: self.candidates.len(),
                capability,
                edges: 0..0,
            }));
            self.candidates.push(Candidate {
                actor,
                offers: first..self.offers.len(),
                locked_in: locked_in.contains(&actor),
                may_lead: eligibility::may_lead(self.instance, &self.rules, actor),
            });
        }
    }

    /// Makes cells of places, of those of a need that have the same suppliers one where `merge` says so, then lays out the edges by
    /// offer.
    fn lay_out(&mut self, all: &[NeedSuppliers], merge: bool) {
        let problem = self.problem();
        let offer_of: BTreeMap<&str, usize> =
            self.offers.iter().enumerate().map(|(o, offer)| (offer.capability.id.as_str(), o)).collect();
        for (need, NeedSuppliers { places, suppliers }) in all.iter().enumerate() {
            let mut twins: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
            for (&(place, demand), suppliers) in places.iter().zip(suppliers) {
                let mut offers: Vec<(usize, Terms)> = suppliers
                    .iter()
                    .map(|&((a, c), terms)| (offer_of[problem.actors[a].capabilities[c].id.as_str()], terms))
                    .collect();
                offers.sort_unstable_by_key(|&(offer, _)| offer);
                let key = offers.iter().map(|&(offer, _)| offer).collect();
                if let Some(&cell) = twins.get(&key).filter(|_| merge) {
                    self.cells[cell].places.push((place, demand));
                    self.cells[cell].demand += demand;
                    continue;
                }
                let cell = self.cells.len();
                twins.insert(key, cell);
                self.cells.push(Cell { need, places: vec![(place, demand)], demand, edges: Vec::new() });
                self.edges.extend(offers.into_iter().map(|(offer, terms)| Edge { offer, cell, terms }));
            }
        }
        self.edges.sort_by_key(|edge| (edge.offer, edge.cell));
        for (e, edge) in self.edges.iter().enumerate() {
            self.cells[edge.cell].edges.push(e);
            let range = &mut self.offers[edge.offer].edges;
            *range = if range.end == 0 { e..e + 1 } else { range.start..e + 1 };
        }
    }

    fn add_pairs(&mut self) {
        let problem = self.problem();
        let pair = |a: &str, b: &str| {
            let a = self.candidate_of(*self.instance.actors.get(a)?)?;
            let b = self.candidate_of(*self.instance.actors.get(b)?)?;
            Some((a.min(b), a.max(b)))
        };
        let relations =
            problem.relations.iter().filter_map(|r| Some((pair(&r.a, &r.b)?, r.strength_percent))).collect();
        let incompatible: BTreeSet<(usize, usize)> =
            problem.incompatibilities.iter().filter_map(|i| pair(&i.a, &i.b)).collect();
        let of = |id: &String| self.candidate_of(*self.instance.actors.get(id)?);
        let preferences = problem.preferences.iter();
        let preferences =
            preferences.filter_map(|p| Some((of(&p.actor)?, p.only_with.iter().filter_map(of).collect()))).collect();
        self.relations = relations;
        self.preferences = preferences;
        self.cliques = incompatibility::cliques(&incompatible);
        self.incompatible = incompatible;
    }
}

/// Capabilities by what they can be looked for by: a service and a territory of theirs.
struct Index {
    /// By service, then by territory: actor and capability.
    offers: BTreeMap<(usize, usize), Vec<(usize, usize)>>,
}

impl Index {
    fn new(instance: &Instance) -> Self {
        let mut offers: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
        for (a, actor) in instance.capabilities.iter().enumerate() {
            for (c, codes) in actor.iter().enumerate() {
                for &service in &codes.services {
                    for &territory in &codes.territories {
                        let order = (instance.services.order(service), instance.territories.order(territory));
                        offers.entry(order).or_default().push((a, c));
                    }
                }
            }
        }
        Self { offers }
    }

    /// The capabilities that offer the service of a need or one below it, in a territory at, above or below its own; in the order
    /// of the document.
    fn near(&self, instance: &Instance, need: &NeedRef<'_>) -> BTreeSet<(usize, usize)> {
        let (first, last) = instance.services.span(need.service);
        let above = instance.territories.above(need.territory);
        let (from, to) = instance.territories.span(need.territory);
        let mut found = BTreeSet::new();
        for service in first..=last {
            for &territory in &above {
                found.extend(self.offers.get(&(service, territory)).into_iter().flatten().copied());
            }
            found.extend(self.offers.range((service, from)..=(service, to)).flat_map(|(_, of)| of).copied());
        }
        found
    }
}

/// Places of a need with their demand, and by place who serves it.
struct NeedSuppliers {
    places: Vec<(usize, Quantity)>,
    suppliers: Vec<Vec<((usize, usize), Terms)>>,
}

/// The needs of a call in its order.
pub(crate) fn needs(instance: &Instance) -> Vec<NeedRef<'_>> {
    let lots = instance.problem().call.lots.iter().enumerate();
    lots.flat_map(|(lot, l)| l.needs.iter().map(move |need| (lot, need)))
        .filter_map(|(lot, need)| {
            Some(NeedRef {
                need,
                lot,
                service: instance.services.get(&need.service)?,
                public: need.public.as_ref().and_then(|code| instance.publics.get(code)),
                territory: instance.territories.get(&need.territory)?,
            })
        })
        .collect()
}

/// Where a need must be delivered, with how much of it; places that get nothing are left out.
fn places(instance: &Instance, need: &NeedRef<'_>) -> Vec<(usize, Quantity)> {
    match need.need.spread {
        Spread::Anywhere => vec![(need.territory, need.need.quantity)],
        Spread::Population => {
            let mut leaves = instance.territories.leaves(need.territory);
            leaves.sort_by(|&a, &b| instance.problem().territories[a].id.cmp(&instance.problem().territories[b].id));
            let population: Vec<u64> = leaves.iter().map(|&l| instance.problem().territories[l].population).collect();
            let parts = apportion(need.need.quantity, &population);
            leaves.into_iter().zip(parts).filter(|&(_, part)| part > 0).collect()
        }
    }
}
