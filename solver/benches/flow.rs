//! Times of maximum flows: `cargo bench -p attelage-solver --bench flow`.
//!
//! The networks are markets ([`sample::market`]): a source, capabilities of very different reach, cells, a sink. The bench `questions`
//! compares the larger one with `dinics` of petgraph, which takes the better part of a minute there; `small_petgraph` is on the smaller
//! one. Networks are built outside the measure, but for the one whose name says so.
#![allow(missing_docs, clippy::unwrap_used)]

use attelage_solver::flow::Network;
use attelage_solver::sample::{self, Market, MarketNetwork};
use divan::Bencher;
use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};

fn main() {
    divan::main();
}

/// 2,000 capabilities, 10 services in 240 communes: about 60,000 edges.
const SMALL: Market = Market { capabilities: 2_000, services: 10, districts: 20 };

fn network(market: &MarketNetwork) -> Network {
    let mut network = Network::default();
    for _ in 0..market.nodes {
        network.node();
    }
    for &(from, to, capacity) in &market.edges {
        network.edge(from, to, capacity);
    }
    network
}

fn augment(bencher: Bencher, shape: &Market) {
    let market = sample::market(shape, 1);
    let network = network(&market);
    bencher.with_inputs(|| network.build()).bench_values(|mut flow| flow.augment(market.nodes - 2, market.nodes - 1));
}

/// A million edges: the flow alone.
#[divan::bench(sample_count = 20)]
fn million_augment(bencher: Bencher) {
    augment(bencher, &Market::MILLION);
}

/// A million edges: laying out the residual graph, and the flow.
#[divan::bench(sample_count = 20)]
fn million_build_and_augment(bencher: Bencher) {
    let market = sample::market(&Market::MILLION, 1);
    let network = network(&market);
    bencher.bench(|| network.build().augment(market.nodes - 2, market.nodes - 1));
}

/// The smaller market: the flow alone.
#[divan::bench(sample_count = 20)]
fn small_augment(bencher: Bencher) {
    augment(bencher, &SMALL);
}

/// The smaller market: `dinics` of petgraph, once. The values are compared.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn small_petgraph(bencher: Bencher) {
    let market = sample::market(&SMALL, 1);
    let mut graph = DiGraph::<(), u64>::new();
    let nodes: Vec<NodeIndex> = (0..market.nodes).map(|_| graph.add_node(())).collect();
    for &(a, b, capacity) in &market.edges {
        graph.add_edge(nodes[a as usize], nodes[b as usize], capacity);
    }
    let (source, sink) = (market.nodes - 2, market.nodes - 1);
    let ours = network(&market).build().augment(source, sink);
    bencher.bench_local(|| {
        let (theirs, _) = dinics(&graph, nodes[source as usize], nodes[sink as usize]);
        assert_eq!(u128::from(theirs), ours);
    });
}
