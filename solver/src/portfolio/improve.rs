//! Better plans near the present one: a few calls that want the same are planned anew together, the others stay as they are (Shaw, 1998).

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Generated;
use super::monolith::{Outcome, Task};
use super::plan::Plan;
use super::stage::Stage;
use crate::backend::Backend;
use crate::propose::bound_cents;
use crate::sample::Random;

/// Fewest and most calls of a neighbourhood.
const SIZES: (usize, usize) = (2, 16);
/// Calls of the first neighbourhood of all candidates, and of the first of those that some column has.
const FIRST: [usize; 2] = [4, 6];
/// Neighbourhoods in a row without a better plan after which the search gives up, for each call.
const PATIENCE: usize = 2;
/// Simplex iterations for one neighbourhood.
const WORK: u64 = 15_000;
/// Relative gap at which a neighbourhood is left.
const GAP: f64 = 3e-4;

/// Improves the plan of column generation until its bound is met, nothing better is found for long, or a limit comes.
pub(super) fn improve(stage: &Stage<'_>, backend: &Backend<'_>, generated: Generated) -> Plan {
    let near = near(stage, &generated.prices);
    let bound = bound_cents(generated.bound);
    let mut best = generated.plan;
    let mut random = Random::new(stage.options.seed.into());
    // Neighbourhoods of all candidates, and of those alone that some column has: they hold more calls.
    let mut sizes = FIRST;
    let (mut futile, mut round) = (0, 0);
    while futile < PATIENCE * stage.calls.len() && !backend.expired() && !stage.meets(stage.value(&best), bound) {
        let narrow = round % 2;
        round += 1;
        let free = neighbourhood(&near, sizes[narrow], &mut random);
        let among = (narrow == 1).then(|| with_members(&generated.members, &best));
        let task = Task { stage, free: &free, among: among.as_deref(), gap: Some(GAP), fixed: &best };
        let Outcome { plan, finished, .. } = limited(&task, backend, &best);
        sizes[narrow] = if finished { sizes[narrow] + 1 } else { sizes[narrow] - 1 }.clamp(SIZES.0, SIZES.1);
        match plan.filter(|plan| stage.value(plan) < stage.value(&best)) {
            Some(better) => {
                best = better;
                futile = 0;
                backend.control.tell(0, Some(stage.value(&best)), Some(bound));
            }
            None => futile += 1,
        }
    }
    best
}

/// Solves a neighbourhood within its share of the work.
fn limited(task: &Task<'_>, backend: &Backend<'_>, best: &Plan) -> Outcome {
    let control = backend.control.part(WORK);
    let outcome = task.solve(backend, &control, Some(best));
    backend.control.absorb(&control);
    outcome
}

/// By call, the candidates of the columns and those of the plan.
fn with_members(of_columns: &[BTreeSet<usize>], plan: &Plan) -> Vec<BTreeSet<usize>> {
    let own = |(members, draft): (&BTreeSet<usize>, &Option<std::rc::Rc<crate::propose::Draft>>)| {
        draft.as_ref().map_or_else(|| members.clone(), |draft| members | &draft.members)
    };
    of_columns.iter().zip(&plan.drafts).map(own).collect()
}

/// For each call, the others with what the rows are worth that both know.
fn near(stage: &Stage<'_>, prices: &[f64]) -> Vec<BTreeMap<usize, f64>> {
    let mut near = vec![BTreeMap::new(); stage.calls.len()];
    for (row, price) in stage.rows.list.iter().zip(prices) {
        // What has no price may come to have one.
        let worth = (price * row.most).abs() + 0.01;
        for &a in row.parts.keys() {
            for &b in row.parts.keys().filter(|&&b| b != a) {
                *near[a].entry(b).or_insert(0.0) += worth;
            }
        }
    }
    near
}

/// A call taken at random and those near it, the nearer the likelier; by number.
fn neighbourhood(near: &[BTreeMap<usize, f64>], size: usize, random: &mut Random) -> Vec<usize> {
    let first = random.below(near.len());
    let mut luck = || f64::from(u32::try_from(1 + random.below(1000)).unwrap_or(1));
    let mut others: Vec<(f64, usize)> = near[first].iter().map(|(&call, &worth)| (worth * luck(), call)).collect();
    others.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut free: Vec<usize> = others.into_iter().take(size - 1).map(|(_, call)| call).collect();
    free.push(first);
    free.sort_unstable();
    free
}
