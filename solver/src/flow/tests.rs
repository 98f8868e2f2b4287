//! Flows against another algorithm, against their cuts, and one piece at a time.
#![allow(clippy::unwrap_used)]

use petgraph::algo::ford_fulkerson;
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

const NODES: u32 = 7;

fn edges() -> impl Strategy<Value = Vec<(u32, u32, u64)>> {
    prop::collection::vec((0..NODES, 0..NODES, 0..9_u64), 0..26)
}

fn network(edges: &[(u32, u32, u64)]) -> (Flow, Vec<Edge>) {
    let mut network = Network::default();
    for _ in 0..NODES {
        network.node();
    }
    let handles = edges.iter().map(|&(a, b, c)| network.edge(a, b, c)).collect();
    (network.build(), handles)
}

/// What enters minus what leaves each node.
fn balances(flow: &Flow, edges: &[(u32, u32, u64)], handles: &[Edge]) -> Vec<i128> {
    let mut balance = vec![0; NODES as usize];
    for (&(a, b, _), &handle) in edges.iter().zip(handles) {
        balance[a as usize] -= i128::from(flow.on(handle));
        balance[b as usize] += i128::from(flow.on(handle));
    }
    balance
}

fn cut(edges: &[(u32, u32, u64)], inside: &[bool]) -> u128 {
    edges.iter().filter(|(a, b, _)| inside[*a as usize] && !inside[*b as usize]).map(|e| u128::from(e.2)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_flow_is_that_of_another_algorithm_and_equals_its_cut(edges in edges()) {
        let (mut flow, handles) = network(&edges);
        let sent = flow.augment(0, NODES - 1);
        let mut graph = DiGraph::<(), u64>::new();
        let nodes: Vec<NodeIndex> = (0..NODES).map(|_| graph.add_node(())).collect();
        for &(a, b, c) in &edges {
            graph.add_edge(nodes[a as usize], nodes[b as usize], c);
        }
        let expected = ford_fulkerson(&graph, nodes[0], nodes[NODES as usize - 1]).0;
        prop_assert_eq!(sent, u128::from(expected));
        // A feasible flow of that value.
        for (&(_, _, capacity), &handle) in edges.iter().zip(&handles) {
            prop_assert_eq!(flow.on(handle) + flow.room(handle), capacity);
        }
        let balance = balances(&flow, &edges, &handles);
        prop_assert!(balance[1..NODES as usize - 1].iter().all(|b| *b == 0), "{:?}", balance);
        prop_assert_eq!(balance[NODES as usize - 1], sent.cast_signed());
        // Cuts on both sides, each of the same capacity.
        let near = flow.reached(0);
        let far: Vec<bool> = flow.reaching(NODES - 1).iter().map(|reaches| !reaches).collect();
        prop_assert!(near[0] && !near[NODES as usize - 1] && far[0] && !far[NODES as usize - 1]);
        prop_assert_eq!((cut(&edges, &near), cut(&edges, &far)), (sent, sent));
    }

    #[test]
    fn raising_capacities_one_by_one_ends_where_one_flow_does(edges in edges(), order in prop::collection::vec(any::<u16>(), 26)) {
        let closed: Vec<_> = edges.iter().map(|&(a, b, _)| (a, b, 0)).collect();
        let (mut flow, handles) = network(&closed);
        let mut turn: Vec<usize> = (0..edges.len()).collect();
        turn.sort_by_key(|&e| order[e]);
        let mut sent = 0;
        for e in turn {
            let into_sink: Vec<u64> = edges.iter().zip(&handles).filter(|(e, _)| e.1 == NODES - 1 && e.0 != NODES - 1).map(|(_, h)| flow.on(*h)).collect();
            flow.raise(handles[e], edges[e].2);
            sent += flow.augment(0, NODES - 1);
            let after = edges.iter().zip(&handles).filter(|(e, _)| e.1 == NODES - 1 && e.0 != NODES - 1).map(|(_, h)| flow.on(*h));
            prop_assert!(into_sink.into_iter().zip(after).all(|(before, after)| before <= after));
        }
        let (mut whole, _) = network(&edges);
        prop_assert_eq!(sent, whole.augment(0, NODES - 1));
    }
}

#[test]
fn a_path_of_a_million_nodes_fits() {
    let mut network = Network::default();
    let mut last = network.node();
    for _ in 0..1_000_000 {
        let node = network.node();
        network.edge(last, node, 3);
        last = node;
    }
    assert_eq!(network.build().augment(0, last), 3);
}

#[test]
fn the_largest_capacities_add_up_exactly() {
    let mut network = Network::default();
    let (source, sink) = (network.node(), network.node());
    let edges = [network.edge(source, sink, u64::MAX), network.edge(source, sink, u64::MAX)];
    let mut flow = network.build();
    assert_eq!(flow.augment(source, sink), 2 * u128::from(u64::MAX));
    flow.raise(edges[0], 1);
    assert_eq!((flow.room(edges[0]), flow.augment(source, sink)), (0, 0));
    assert_eq!(flow.augment(source, source), 0);
}

#[test]
fn a_closed_edge_keeps_its_flow_and_takes_no_more() {
    let mut network = Network::default();
    let (source, middle, sink) = (network.node(), network.node(), network.node());
    let supply = network.edge(source, middle, 2);
    let demand = network.edge(middle, sink, 9);
    let mut flow = network.build();
    flow.augment(source, sink);
    flow.close(demand);
    flow.raise(supply, 5);
    assert_eq!((flow.augment(source, sink), flow.on(demand)), (0, 2));
}
