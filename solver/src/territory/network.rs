//! Components, brokers and shortest ways in the graph of relations.

use std::collections::BTreeMap;

use petgraph::algo::articulation_points::articulation_points;
use petgraph::algo::astar;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;

use super::{Pair, RelationNetwork};
use crate::compile::Compiled;

/// The relations among actors that can serve something; ways may lead through any actor of the problem. O(actors + relations)
/// for the network, O(relations · log) for each way.
pub(super) fn relations(c: &Compiled<'_>, paths: &[Pair]) -> RelationNetwork {
    let mut graph = UnGraph::<usize, ()>::default();
    let nodes: BTreeMap<usize, NodeIndex> = (0..c.candidates.len())
        .filter(|&i| !c.candidates[i].offers.is_empty())
        .map(|i| (i, graph.add_node(i)))
        .collect();
    let mut groups = UnionFind::<usize>::new(c.candidates.len());
    for &(a, b) in c.relations.keys() {
        if let (Some(&from), Some(&to)) = (nodes.get(&a), nodes.get(&b)) {
            graph.add_edge(from, to, ());
            groups.union(a, b);
        }
    }
    let mut components: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for &i in nodes.keys() {
        components.entry(groups.find(i)).or_default().push(c.id(i).to_owned());
    }
    let mut components: Vec<Vec<String>> = components.into_values().collect();
    components.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut brokers: Vec<String> =
        articulation_points(&graph).into_iter().map(|node| c.id(graph[node]).to_owned()).collect();
    brokers.sort_unstable();
    RelationNetwork { components, brokers, paths: paths.iter().map(|pair| way(c, pair)).collect() }
}

/// The way of fewest steps, and among those the one whose relations lack least strength.
fn way(c: &Compiled<'_>, pair: &Pair) -> Vec<String> {
    const STEP: u64 = 1 << 32;
    let problem = c.problem();
    let mut graph = UnGraph::<&str, u64>::default();
    let mut ids: Vec<&str> = problem.actors.iter().map(|actor| actor.id.as_str()).collect();
    ids.sort_unstable();
    let nodes: BTreeMap<&str, NodeIndex> = ids.into_iter().map(|id| (id, graph.add_node(id))).collect();
    for relation in &problem.relations {
        if let (Some(&a), Some(&b)) = (nodes.get(relation.a.as_str()), nodes.get(relation.b.as_str())) {
            graph.add_edge(a, b, STEP + 100 - u64::from(relation.strength_percent.min(100)));
        }
    }
    let (Some(&from), Some(&to)) = (nodes.get(pair.a.as_str()), nodes.get(pair.b.as_str())) else { return Vec::new() };
    let found = astar(&graph, from, |node| node == to, |edge| *edge.weight(), |_| 0);
    found.map_or_else(Vec::new, |(_, way)| way.into_iter().map(|node| graph[node].to_owned()).collect())
}
