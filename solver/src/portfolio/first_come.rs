//! The calls served one after the other, each as well as the earlier ones allow.

use super::PortfolioOptions;
use super::joint::Joint;
use super::monolith::Task;
use super::plan::Plan;
use super::stage::{Ask, Stage};
use crate::backend::Backend;
use crate::compile::Compiled;

/// An order of the calls and the plan that it leads to.
pub(super) struct Served {
    pub(super) order: Vec<usize>,
    pub(super) plan: Plan,
}

/// Serves the calls in both orders. One search for each call and order.
pub(super) fn serve(
    calls: &[Compiled<'_>],
    joint: &Joint,
    options: &PortfolioOptions,
    backend: &Backend<'_>,
) -> [Served; 2] {
    // What is a part of all services is known only at the end.
    let options = PortfolioOptions { maximum_share_percent: None, ..options.clone() };
    let stage = Stage::new(calls, joint, &options, Ask::CHEAPEST);
    orders(calls).map(|order| Served { plan: one_by_one(&stage, backend, &order), order })
}

/// The calls by start (those without one last), then id; and the other way round.
fn orders(calls: &[Compiled<'_>]) -> [Vec<usize>; 2] {
    let mut order: Vec<usize> = (0..calls.len()).collect();
    let key = |k: &usize| {
        let call = &calls[*k].problem().call;
        (call.start.is_none(), call.start.clone(), call.id.clone())
    };
    order.sort_by_key(key);
    let reverse = order.iter().rev().copied().collect();
    [order, reverse]
}

fn one_by_one(stage: &Stage<'_>, backend: &Backend<'_>, order: &[usize]) -> Plan {
    let mut plan = Plan::nothing(stage.calls);
    for &call in order {
        let task = Task { stage, free: &[call], among: None, gap: None, fixed: &plan };
        plan = task.solve(backend, &backend.control, None).plan.unwrap_or(plan);
    }
    plan
}
