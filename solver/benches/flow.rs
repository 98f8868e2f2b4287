//! Times of maximum flows: `cargo bench -p attelage-solver --bench flow`.
//!
//! The networks are those of supply and demand: a source, capabilities, cells, a sink. `petgraph` runs on the smaller one only, to
//! keep the bench short; `small_augment` and `small_petgraph` compare the same work, the networks being built outside the measure.
#![allow(missing_docs, clippy::unwrap_used)]

use attelage_solver::flow::{Network, Node};
use divan::Bencher;
use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};

fn main() {
    divan::main();
}

/// `SplitMix64`.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Edges of a network with `degree` cells for each capability, anywhere; as much demand as supply, which takes the most rounds. The
/// last two nodes are the source and the sink.
fn edges(capabilities: u32, cells: u32, degree: u32, seed: u64) -> Vec<(Node, Node, u64)> {
    let mut state = seed;
    let (source, sink) = (capabilities + cells, capabilities + cells + 1);
    let mut edges = Vec::new();
    let mut supply = 0;
    for k in 0..capabilities {
        let capacity = 100 + next(&mut state) % 1400;
        supply += capacity;
        edges.push((source, k, capacity));
        edges.extend((0..degree).map(|_| {
            let cell = u32::try_from(next(&mut state) % u64::from(cells)).unwrap();
            (k, capabilities + cell, 1 + next(&mut state) % capacity)
        }));
    }
    let mean = supply / u64::from(cells);
    edges.extend((0..cells).map(|j| (capabilities + j, sink, mean / 2 + next(&mut state) % mean)));
    edges
}

fn network(nodes: u32, edges: &[(Node, Node, u64)]) -> Network {
    let mut network = Network::default();
    for _ in 0..nodes {
        network.node();
    }
    for &(a, b, capacity) in edges {
        network.edge(a, b, capacity);
    }
    network
}

/// 20,000 capabilities × 49 cells each, 5,000 cells: 1,005,000 edges.
const MILLION: (u32, u32, u32) = (20_000, 5_000, 49);
/// 2,000 × 24, 500 cells: 50,500 edges.
const SMALL: (u32, u32, u32) = (2_000, 500, 24);

fn augment(bencher: Bencher, (capabilities, cells, degree): (u32, u32, u32)) {
    let edges = edges(capabilities, cells, degree, 1);
    let (source, sink) = (capabilities + cells, capabilities + cells + 1);
    let network = network(sink + 1, &edges);
    bencher.with_inputs(|| network.build()).bench_values(|mut flow| flow.augment(source, sink));
}

/// A million edges: the flow alone.
#[divan::bench(sample_count = 20)]
fn million_augment(bencher: Bencher) {
    augment(bencher, MILLION);
}

/// A million edges: laying out the residual graph, and the flow.
#[divan::bench(sample_count = 20)]
fn million_build_and_augment(bencher: Bencher) {
    let (capabilities, cells, degree) = MILLION;
    let edges = edges(capabilities, cells, degree, 1);
    let network = network(capabilities + cells + 2, &edges);
    bencher.bench(|| network.build().augment(capabilities + cells, capabilities + cells + 1));
}

/// Fifty thousand edges: the flow alone.
#[divan::bench(sample_count = 20)]
fn small_augment(bencher: Bencher) {
    augment(bencher, SMALL);
}

/// Fifty thousand edges: `dinics` of petgraph, once. The values are compared.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn small_petgraph(bencher: Bencher) {
    let (capabilities, cells, degree) = SMALL;
    let edges = edges(capabilities, cells, degree, 1);
    let (source, sink) = (capabilities + cells, capabilities + cells + 1);
    let mut graph = DiGraph::<(), u64>::new();
    let nodes: Vec<NodeIndex> = (0..sink + 2).map(|_| graph.add_node(())).collect();
    for &(a, b, capacity) in &edges {
        graph.add_edge(nodes[a as usize], nodes[b as usize], capacity);
    }
    let ours = network(sink + 1, &edges).build().augment(source, sink);
    bencher.bench_local(|| {
        let (theirs, _) = dinics(&graph, nodes[source as usize], nodes[sink as usize]);
        assert_eq!(u128::from(theirs), ours);
    });
}
