//! Two graphs of a problem: who can serve what, and who knows whom.

use petgraph::algo::connected_components;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;

use crate::answer::Report;
use crate::compile::{Candidate, Compiled, Offer};
use crate::flow::supply::Supply;
use crate::model::Quantity;
use crate::rules::eligibility;

/// What the two graphs say about a problem. O(n²) in the actors of one cell, for dominance.
pub(crate) fn report(c: &Compiled<'_>) -> Report {
    let ties = Ties::new(c);
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Report {
        actors: narrow(c.problem().actors.len()),
        relevant_actors: narrow(relevant(c).count()),
        dominated_actors: narrow(relevant(c).filter(|&i| is_dominated(c, &ties, i)).count()),
        cells: narrow(c.places),
        merged_cells: narrow(c.cells.len()),
        edges: narrow(c.edges.len()),
        coverage_components: narrow(coverage_components(c)),
        relation_components: narrow(relation_components(c)),
        forced_actors: forced(c),
    }
}

/// Candidates that can serve something.
fn relevant<'c>(c: &'c Compiled<'_>) -> impl Iterator<Item = usize> + 'c {
    c.candidates.iter().enumerate().filter(|(_, candidate)| !candidate.offers.is_empty()).map(|(i, _)| i)
}

/// Components of the bipartite graph of actors and cells. Cells that nobody serves are components of their own.
fn coverage_components(c: &Compiled<'_>) -> usize {
    let mut sets = UnionFind::<usize>::new(c.candidates.len() + c.cells.len());
    let joined =
        c.edges.iter().filter(|edge| sets.union(c.offers[edge.offer].candidate, c.candidates.len() + edge.cell));
    relevant(c).count() + c.cells.len() - joined.count()
}

/// Components of the relations among actors that can serve something.
fn relation_components(c: &Compiled<'_>) -> usize {
    let mut graph = UnGraph::<(), ()>::default();
    let nodes: Vec<Option<NodeIndex>> =
        c.candidates.iter().map(|candidate| (!candidate.offers.is_empty()).then(|| graph.add_node(()))).collect();
    for &(a, b) in c.relations.keys() {
        if let (Some(a), Some(b)) = (nodes[a], nodes[b]) {
            graph.add_edge(a, b, ());
        }
    }
    connected_components(&graph)
}

/// Actors without which a mandatory cell has no supplier, by id.
fn forced(c: &Compiled<'_>) -> Vec<String> {
    let mut found: Vec<usize> = c
        .cells
        .iter()
        .filter(|cell| c.mandatory(cell))
        .map(|cell| c.suppliers(cell))
        .filter(|suppliers| suppliers.len() == 1)
        .flatten()
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|i| c.id(i).to_owned()).collect()
}

/// Whether another actor could always take this one's place at no higher cost, where it is not a member itself. The other one
/// must have, for each offer, one of its own that serves the same cells as cheaply with the same capacity and conditions; the
/// same relations, no preference and no further incompatibility; and whatever rules look at: family, certificates, turnover, cash. Of two
/// that are equal, the later id is dominated.
fn is_dominated(c: &Compiled<'_>, ties: &Ties, a: usize) -> bool {
    // Whoever replaces it serves all its cells, hence the one with the fewest suppliers.
    let cells =
        c.candidates[a].offers.clone().flat_map(|o| c.offers[o].edges.clone()).map(|e| &c.cells[c.edges[e].cell]);
    let Some(cell) = cells.min_by_key(|cell| cell.edges.len()) else { return false };
    let mut rivals: Vec<usize> = cell.edges.iter().map(|&e| c.offers[c.edges[e].offer].candidate).collect();
    rivals.dedup();
    rivals.into_iter().any(|b| b != a && dominates(c, ties, b, a) && (b < a || !dominates(c, ties, a, b)))
}

fn dominates(c: &Compiled<'_>, ties: &Ties, better: usize, worse: usize) -> bool {
    let (b, a) = (&c.candidates[better], &c.candidates[worse]);
    let preferred = |i: usize| c.preferences.iter().any(|(own, others)| *own == i || others.contains(&i));
    !a.locked_in
        && covers(c, b, a)
        && !preferred(better)
        && !preferred(worse)
        && stands_for(c, b, a)
        && knows_as_well(c, ties, better, worse)
}

/// Relations and incompatibilities by candidate.
struct Ties {
    known: Vec<Vec<(usize, u8)>>,
    vetoed: Vec<Vec<usize>>,
}

impl Ties {
    fn new(c: &Compiled<'_>) -> Self {
        let mut ties =
            Self { known: vec![Vec::new(); c.candidates.len()], vetoed: vec![Vec::new(); c.candidates.len()] };
        for (&(a, b), &strength) in &c.relations {
            ties.known[a].push((b, strength));
            ties.known[b].push((a, strength));
        }
        for &(a, b) in &c.incompatible {
            ties.vetoed[a].push(b);
            ties.vetoed[b].push(a);
        }
        ties
    }
}

/// Whether `b` meets every condition that `a` meets.
fn stands_for(c: &Compiled<'_>, b: &Candidate, a: &Candidate) -> bool {
    let problem = c.problem();
    let (own, other) = (&problem.actors[b.actor], &problem.actors[a.actor]);
    let families = problem.call.group.minimum_legal_families.is_none() || own.legal_family == other.legal_family;
    let cash = match (own.available_cash_cents, other.available_cash_cents) {
        (None, _) => true,
        (Some(own), Some(other)) => own >= other,
        (Some(_), None) => false,
    };
    let shares =
        problem.call.group.maximum_share_percent.is_none() && problem.call.group.minimum_share_percent.is_none();
    shares
        && families
        && cash
        && own.turnover_cents.unwrap_or(0) >= other.turnover_cents.unwrap_or(0)
        && (b.may_lead || !a.may_lead)
        && c.rules.eligibility(problem).all(|rule| {
            eligibility::meets(c.instance, b.actor, &rule.criterion)
                || !eligibility::meets(c.instance, a.actor, &rule.criterion)
        })
}

/// Whether `b` has every relation of `a`, as strong, and no incompatibility that `a` has not.
fn knows_as_well(c: &Compiled<'_>, ties: &Ties, b: usize, a: usize) -> bool {
    let pair = |x: usize, y: usize| (x.min(y), x.max(y));
    let mut known = ties.known[a].iter().filter(|&&(other, _)| other != b);
    let mut vetoes = ties.vetoed[b].iter().filter(|&&other| other != a);
    known.all(|&(other, strength)| c.relations.get(&pair(b, other)).is_some_and(|&own| own >= strength))
        && vetoes.all(|&other| c.incompatible.contains(&pair(a, other)))
}

/// Whether each offer of `a` has an offer of `b` of its own that can replace it.
fn covers(c: &Compiled<'_>, b: &Candidate, a: &Candidate) -> bool {
    let mut free: Vec<&Offer<'_>> = c.offers[b.offers.clone()].iter().collect();
    c.offers[a.offers.clone()].iter().all(|worse| {
        let found = free.iter().position(|better| replaces(c, better, worse));
        found.map(|at| free.swap_remove(at)).is_some()
    })
}

fn replaces(c: &Compiled<'_>, better: &Offer<'_>, worse: &Offer<'_>) -> bool {
    let (own, other) = (better.capability, worse.capability);
    own.pool.is_none()
        && own.fixed_cost_cents <= other.fixed_cost_cents
        && own.minimum_quantity <= other.minimum_quantity
        && c.edges[worse.edges.clone()].iter().all(|edge| {
            c.edges[better.edges.clone()].iter().any(|mine| {
                mine.cell == edge.cell
                    && mine.terms.unit_cost <= edge.terms.unit_cost
                    && mine.terms.capacity >= edge.terms.capacity
                    && mine.terms.capacity_assumed == edge.terms.capacity_assumed
            })
        })
}

/// The most of a need that all actors together can deliver, ignoring every other need and rule.
pub(crate) fn deliverable(c: &Compiled<'_>, need: usize) -> Quantity {
    let (_, most) = Supply::new(c, |other| other == need, true).flow();
    Quantity::try_from(most).unwrap_or(Quantity::MAX)
}
