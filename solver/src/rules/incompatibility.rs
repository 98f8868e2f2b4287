//! Incompatible actors are not members together.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `Σ_{i in clique} y_i ≤ 1` for cliques that cover every incompatible pair: fewer rows than pairs, and tighter ones.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for clique in &c.cliques {
        let members: Expression = clique.iter().map(|&i| f.member[i]).sum();
        f.add(members.leq(1));
    }
}

/// Cliques of the graph that cover its edges, each grown greedily from the first edge that none covers yet, through the neighbours
/// that its nodes share. O(edges × largest degree × log).
pub(crate) fn cliques(pairs: &BTreeSet<(usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut near: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for &(a, b) in pairs {
        near.entry(a).or_default().insert(b);
        near.entry(b).or_default().insert(a);
    }
    let mut covered: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut found = Vec::new();
    for &(a, b) in pairs {
        if covered.contains(&(a, b)) {
            continue;
        }
        let mut clique = BTreeSet::from([a, b]);
        let mut shared = &near[&a] & &near[&b];
        while let Some(node) = shared.pop_first() {
            clique.insert(node);
            shared.retain(|other| near[&node].contains(other));
        }
        let inside = clique.iter().flat_map(|&x| clique.range(x + 1..).map(move |&y| (x, y)));
        covered.extend(inside);
        found.push(clique);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cliques_cover_every_pair_and_nothing_else() {
        // A triangle with a tail, and a square without diagonals.
        let pairs = BTreeSet::from([(0, 1), (0, 2), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7), (4, 7)]);
        let found = cliques(&pairs);
        assert_eq!(found[0], BTreeSet::from([0, 1, 2]));
        assert_eq!(found.len(), 6);
        let within = |&(a, b): &(usize, usize)| found.iter().any(|clique| clique.contains(&a) && clique.contains(&b));
        assert!(pairs.iter().all(within));
        for clique in &found {
            for &a in clique {
                assert!(clique.range(a + 1..).all(|&b| pairs.contains(&(a, b))));
            }
        }
    }

    #[test]
    fn a_thousand_mutual_vetoes_are_one_row() {
        let all: BTreeSet<(usize, usize)> = (0..46).flat_map(|a| (a + 1..46).map(move |b| (a, b))).collect();
        assert!(all.len() > 1000);
        assert_eq!(cliques(&all).len(), 1);
    }
}
