//! The network of a call: source → pools → capabilities → cells → places → sink.
//!
//! It knows capacities only: no price, no rule on the group, no smallest quantity. What flows is what could be delivered if
//! everybody who may take part did.

use std::collections::BTreeMap;

use super::{Edge, Flow, Network, Node};
use crate::compile::Compiled;
use crate::model::Quantity;
use crate::rules::RuleId;

/// What a need asks in one place, as an edge to the sink.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) cell: usize,
    pub(crate) territory: usize,
    pub(crate) demand: Quantity,
    pub(crate) node: Node,
    pub(crate) edge: Edge,
}

/// Supply and demand of some needs of a call, without flow.
pub(crate) struct Supply {
    pub(crate) network: Network,
    pub(crate) source: Node,
    pub(crate) sink: Node,
    /// Cells of other needs have none.
    pub(crate) cells: Vec<Option<Node>>,
    pub(crate) places: Vec<Place>,
    /// Whether flows are exact. A pooled capability of undeclared unit that serves needs in two units counts in full for each.
    pub(crate) exact: bool,
}

impl Supply {
    /// The network of the needs that `wanted` selects; with `open` the edges to the sink carry what is asked, otherwise nothing
    /// until they are raised. O(edges · log).
    pub(crate) fn new(c: &Compiled<'_>, wanted: impl Fn(usize) -> bool, open: bool) -> Self {
        let mut network = Network::default();
        let (source, sink) = (network.node(), network.node());
        let mut places = Vec::new();
        let cells = c.cells.iter().enumerate().map(|(j, cell)| {
            wanted(cell.need).then(|| {
                let node = network.node();
                for &(territory, demand) in &cell.places {
                    let place = network.node();
                    network.edge(node, place, demand);
                    let edge = network.edge(place, sink, if open { demand } else { 0 });
                    places.push(Place { cell: j, territory, demand, node: place, edge });
                }
                node
            })
        });
        let cells = cells.collect();
        let mut supply = Self { network, source, sink, cells, places, exact: true };
        supply.connect(c);
        supply
    }

    /// Joins the source with the cells.
    fn connect(&mut self, c: &Compiled<'_>) {
        let limited = c.rules.active(RuleId::Capacity);
        let mut pool_of: BTreeMap<usize, usize> = BTreeMap::new();
        if c.rules.active(RuleId::Pool) {
            pool_of.extend(c.pools.iter().enumerate().flat_map(|(p, pool)| pool.edges.iter().map(move |&e| (e, p))));
        }
        let mut pools: BTreeMap<usize, Node> = BTreeMap::new();
        let mut groups: BTreeMap<(usize, Option<usize>, &str), Node> = BTreeMap::new();
        let mut shared: BTreeMap<usize, Option<usize>> = BTreeMap::new();
        for (e, edge) in c.edges.iter().enumerate() {
            let Some(cell) = self.cells[edge.cell] else { continue };
            let pool = pool_of.get(&e).copied();
            let unit = c.needs[c.cells[edge.cell].need].need.unit.as_str();
            let unit = if edge.terms.capacity_assumed { unit } else { "" };
            if !edge.terms.capacity_assumed && *shared.entry(edge.offer).or_insert(pool) != pool {
                self.exact = false;
            }
            let capacity = if limited { edge.terms.capacity } else { u64::MAX };
            let network = &mut self.network;
            let group = groups.entry((edge.offer, pool, unit)).or_insert_with(|| {
                let node = network.node();
                let from = pool.map_or(self.source, |p| {
                    *pools.entry(p).or_insert_with(|| {
                        let node = network.node();
                        network.edge(self.source, node, c.pools[p].capacity);
                        node
                    })
                });
                network.edge(from, node, capacity);
                node
            });
            network.edge(*group, cell, c.most(edge));
        }
    }

    /// The greatest flow of everything that is asked.
    pub(crate) fn flow(&self) -> (Flow, u128) {
        let mut flow = self.network.build();
        let sent = flow.augment(self.source, self.sink);
        (flow, sent)
    }
}
