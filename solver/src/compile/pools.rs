//! Capacities that several capabilities share.

use std::collections::BTreeMap;

use super::Compiled;
use crate::model::{Capability, Quantity};

/// The capacity shared in one unit by the capabilities of a pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) capacity: Quantity,
    pub(crate) edges: Vec<usize>,
}

impl Compiled<'_> {
    /// One row per pool and unit: together no more than the actor that could deliver most there with all its capabilities of the
    /// pool, at their declared or assumed capacities.
    pub(super) fn add_pools(&mut self) {
        let mut rows: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (e, edge) in self.edges.iter().enumerate() {
            if let Some(pool) = &self.offers[edge.offer].capability.pool {
                let unit = self.needs[self.cells[edge.cell].need].need.unit.as_str();
                rows.entry((pool, unit)).or_default().push(e);
            }
        }
        // Every capability of a pool counts, with or without an edge.
        let mut pooled: BTreeMap<&str, BTreeMap<usize, Vec<&Capability>>> = BTreeMap::new();
        for (a, actor) in self.problem().actors.iter().enumerate() {
            for capability in &actor.capabilities {
                if let Some(pool) = &capability.pool {
                    pooled.entry(pool).or_default().entry(a).or_default().push(capability);
                }
            }
        }
        for ((pool, unit), edges) in rows {
            let assumed = self.problem().call.assumptions.capacity_per_year_by_unit.get(unit).copied();
            let of_actor = |own: &Vec<&Capability>| -> Option<Quantity> {
                let there = own.iter().filter(|c| c.unit.as_deref().is_none_or(|own| own == unit));
                let capacities = there.map(|c| c.capacity_per_year.or(assumed).unwrap_or(0));
                capacities.map(|per_year| self.instance.over_contract(per_year)).reduce(Quantity::saturating_add)
            };
            let capacities: Vec<Quantity> =
                pooled.get(pool).into_iter().flat_map(BTreeMap::values).filter_map(of_actor).collect();
            if let Some(&capacity) = capacities.iter().max() {
                let list = if capacities.len() > 1 { &mut self.pools } else { &mut self.lone_pools };
                list.push(Pool { capacity, edges });
            }
        }
    }
}
