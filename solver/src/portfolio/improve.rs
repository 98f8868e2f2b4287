//! Better plans near the present one: a few calls that want the same are planned anew together, the others stay as they are (Shaw, 1998).

use std::collections::BTreeMap;

use super::monolith::Task;
use super::plan::Plan;
use super::stage::Stage;
use crate::backend::Backend;
use crate::propose::bound_cents;
use crate::sample::Random;

/// Calls of the first neighbourhoods, and of the largest.
const SIZES: (usize, usize) = (3, 8);
/// Neighbourhoods in a row without a better plan after which the search gives up, for each call.
const PATIENCE: usize = 1;
/// Simplex iterations for one neighbourhood.
const WORK: u64 = 40_000;

/// Improves a plan until the bound is met, nothing better is found for long, or a limit comes. `prices` are those of the rows of
/// the stage.
pub(super) fn improve(stage: &Stage<'_>, backend: &Backend<'_>, mut best: Plan, bound: f64, prices: &[f64]) -> Plan {
    let near = near(stage, prices);
    let mut random = Random::new(stage.options.seed.into());
    let (mut size, mut stale) = (SIZES.0, 0);
    let bound = bound_cents(bound);
    while stale < PATIENCE * stage.calls.len() && !backend.expired() && !stage.meets(stage.value(&best), bound) {
        let free = neighbourhood(&near, size, &mut random);
        let task = Task { stage, free: &free, fixed: &best };
        let control = backend.control.part(WORK);
        let outcome = task.solve(backend, &control, Some(&best));
        backend.control.absorb(&control);
        match outcome.plan.filter(|plan| stage.value(plan) < stage.value(&best)) {
            Some(better) => {
                best = better;
                stale = 0;
                backend.control.tell(0, Some(stage.value(&best)), Some(bound));
            }
            None => stale += 1,
        }
        if std::env::var_os("TRACE").is_some() {
            eprintln!("lns size {size} fin {} stale {stale} value {} t {:?}", outcome.finished, stage.value(&best), backend.control.elapsed());
        }
        size = if outcome.finished { (size + 1).min(SIZES.1) } else { (size - 1).max(2) };
    }
    best
}

/// For each call, the others with what the rows are worth that both know.
fn near(stage: &Stage<'_>, prices: &[f64]) -> Vec<BTreeMap<usize, f64>> {
    let mut near = vec![BTreeMap::new(); stage.calls.len()];
    for (row, price) in stage.rows.rows.iter().zip(prices) {
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
