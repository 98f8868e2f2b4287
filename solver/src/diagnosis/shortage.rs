//! Where capability is missing: the needs behind a minimum cut, with who comes near.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::unionfind::UnionFind;

use super::Shortage;
use crate::compile::Compiled;
use crate::explain::gaps::near_misses;
use crate::flow::supply::Supply;
use crate::model::Quantity;
use crate::rules::RuleId;
use crate::text;

/// The mandatory needs whose suppliers together have too little. After a maximum flow, whoever can still send something to the
/// sink stands behind the minimum cut: cells in want, and cells that could only help them by going short themselves. All their
/// suppliers are used up, so that what is missing there is missing in every consortium. Cells that share suppliers are told
/// together. One maximum flow; O(edges) beside it.
pub(super) fn shortages(c: &Compiled<'_>) -> Vec<Shortage> {
    if !c.rules.active(RuleId::Demand) {
        return Vec::new();
    }
    let supply = Supply::new(c, |need| c.needs[need].need.mandatory, true);
    let (flow, _) = supply.flow();
    let behind = flow.reaching(supply.sink);
    let short: BTreeSet<usize> =
        (0..c.cells.len()).filter(|&j| supply.cells[j].is_some_and(|node| behind[node as usize])).collect();
    let mut together = UnionFind::<usize>::new(c.cells.len());
    let mut first: BTreeMap<(bool, usize), usize> = BTreeMap::new();
    for &j in &short {
        for &e in &c.cells[j].edges {
            let pool = c.pools.iter().position(|pool| pool.edges.contains(&e));
            let keys = [Some((false, c.edges[e].offer)), pool.map(|pool| (true, pool))];
            for key in keys.into_iter().flatten() {
                let with = *first.entry(key).or_insert(j);
                together.union(with, j);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &j in &short {
        groups.entry(together.find(j)).or_default().push(j);
    }
    let missing = |cells: &[usize]| -> Quantity {
        let places = supply.places.iter().filter(|place| cells.contains(&place.cell));
        places.map(|place| flow.room(place.edge)).sum()
    };
    let mut found: Vec<Shortage> = groups.into_values().map(|cells| shortage(c, &cells, missing(&cells))).collect();
    found.sort_by(|a, b| (&a.needs, &a.territories).cmp(&(&b.needs, &b.territories)));
    found
}

fn shortage(c: &Compiled<'_>, cells: &[usize], missing: Quantity) -> Shortage {
    let needs: BTreeSet<usize> = cells.iter().map(|&j| c.cells[j].need).collect();
    let places: BTreeSet<usize> = cells.iter().flat_map(|&j| &c.cells[j].places).map(|&(place, _)| place).collect();
    let suppliers: BTreeSet<&str> = cells.iter().flat_map(|&j| c.suppliers(&c.cells[j])).map(|i| c.id(i)).collect();
    let asked: Quantity = cells.iter().map(|&j| c.cells[j].demand).sum();
    let all: BTreeSet<&str> = needs.iter().map(|&n| c.needs[n].need.unit.as_str()).collect();
    let unit = if all.len() == 1 { all.first().copied().unwrap_or_default() } else { "unit" };
    let named: Vec<&str> = needs.iter().map(|&n| c.need_name(n)).collect();
    let whereabouts: Vec<&str> = places.iter().map(|&place| c.instance.territory_name(place)).collect();
    let place = match whereabouts.as_slice() {
        [] | [_] | [_, _] | [_, _, _] => text::list(&whereabouts),
        many => format!("{} places", many.len()),
    };
    let sorted = |ids: BTreeSet<&String>| ids.into_iter().cloned().collect();
    let mut near = Vec::new();
    for &j in cells {
        for &(place, _) in &c.cells[j].places {
            for miss in near_misses(c, &c.cells[j], place) {
                if near.len() < 5 && !near.contains(&miss) && !suppliers.contains(miss.actor.as_str()) {
                    near.push(miss);
                }
            }
        }
    }
    Shortage {
        services: sorted(needs.iter().map(|&n| &c.needs[n].need.service).collect()),
        publics: sorted(needs.iter().filter_map(|&n| c.needs[n].need.public.as_ref()).collect()),
        territories: sorted(places.iter().map(|&place| &c.problem().territories[place].id).collect()),
        asked,
        available: asked - missing,
        missing,
        suppliers: suppliers.iter().map(|&id| id.to_owned()).collect(),
        near_misses: near,
        text: format!(
            "{} of {} in {place}: {} asked, {} available from all who can be counted on.",
            text::amount(missing, unit),
            text::list(&named),
            text::number(asked.into()),
            text::number((asked - missing).into())
        ),
        needs: needs.iter().map(|&n| c.needs[n].need.id.clone()).collect(),
    }
}
