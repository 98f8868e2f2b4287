//! A set of rules that cannot hold together, none of them idle.

use std::cmp::Reverse;

use super::ConflictRule;
use super::constraint::{cost, describe};
use super::oracle::{Effort, Oracle, Set};

/// How many conflicts are looked at for one whose rules are proven necessary with little work.
const CONFLICTS: usize = 8;

/// A conflict, each of its rules tried without; `None` where a limit comes before one is found. To be called where everything
/// cannot hold and nothing can.
pub(super) fn conflict(oracle: &mut Oracle<'_, '_>) -> Option<Vec<ConflictRule>> {
    let order = order(oracle);
    let found = if oracle.everything_relaxed()? {
        explain(oracle, Effort::Full, &Set::new(), false, &order)?
    } else {
        clear(oracle, order)?
    };
    let mut conflict = found;
    let mut proven = Set::new();
    // Whoever is last in a conflict was needed least for it.
    for rule in conflict.clone().into_iter().rev() {
        match oracle.holds(&without(&conflict, rule), Effort::Full) {
            Some(true) => {
                proven.insert(rule);
            }
            Some(false) => conflict.retain(|&other| other != rule),
            None => {}
        }
    }
    conflict.sort_unstable();
    let told = |rule: usize| ConflictRule {
        constraint: oracle.all[rule].clone(),
        necessary: proven.contains(&rule),
        text: describe(oracle.c, &oracle.all[rule]),
    };
    Some(conflict.into_iter().map(told).collect())
}

/// A conflict of the relaxation. Each of its rules is necessary there; in whole units, where less is possible, some may be so little
/// short of idle that it takes a long search to tell. Then such a rule goes to the front of the order, which leads to another conflict.
fn clear(oracle: &mut Oracle<'_, '_>, mut order: Vec<usize>) -> Option<Vec<usize>> {
    let mut seen: Vec<Vec<usize>> = Vec::new();
    loop {
        let conflict = explain(oracle, Effort::Relaxed, &Set::new(), false, &order)?;
        let doubtful = doubtful(oracle, &conflict);
        let again = seen.contains(&conflict);
        seen.push(conflict);
        match doubtful {
            Some(rule) if !again && seen.len() < CONFLICTS && !oracle.expired() => {
                order.retain(|&other| other != rule);
                order.insert(0, rule);
            }
            _ => return seen.pop(),
        }
    }
}

/// The first rule from the end about which a small search cannot tell whether the others of the conflict hold without it.
fn doubtful(oracle: &mut Oracle<'_, '_>, conflict: &[usize]) -> Option<usize> {
    let mut left = conflict.to_vec();
    for &rule in conflict.iter().rev() {
        match oracle.holds(&without(&left, rule), Effort::Small) {
            Some(true) => {}
            Some(false) => left.retain(|&other| other != rule),
            None => return Some(rule),
        }
    }
    None
}

fn without(conflict: &[usize], rule: usize) -> Set {
    conflict.iter().copied().filter(|&other| other != rule).collect()
}

/// All rules, those first that a conflict should rather consist of: the needs come last, the dearest first, so that few are enough.
fn order(oracle: &Oracle<'_, '_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..oracle.all.len()).collect();
    order.sort_by_key(|&rule| Reverse(cost(oracle.c, &oracle.all[rule])));
    order
}

/// `QuickXplain`: the part of `rules` in a conflict with all of `kept`; `grown` tells whether `kept` has changed since it was
/// last found possible.
fn explain(
    oracle: &mut Oracle<'_, '_>,
    effort: Effort,
    kept: &Set,
    grown: bool,
    rules: &[usize],
) -> Option<Vec<usize>> {
    if grown && !oracle.holds(kept, effort)? {
        return Some(Vec::new());
    }
    if rules.len() <= 1 {
        return Some(rules.to_vec());
    }
    let (first, second) = rules.split_at(rules.len() / 2);
    let with = |extra: &[usize]| kept.iter().chain(extra).copied().collect::<Set>();
    let late = explain(oracle, effort, &with(first), true, second)?;
    let early = explain(oracle, effort, &with(&late), !late.is_empty(), first)?;
    Some(early.into_iter().chain(late).collect())
}
