//! Many calls at once, answered by the same actors: who should answer which, so that all calls together cost least.
//!
//! **Model.** The models of the calls side by side, each of which may stay unanswered at a price, joined by rows on what the calls
//! share. A capability lends each call a part of its capacity, and at any time the parts add up to 1 at most; so do those of a
//! pool. Calls share time where their contracts overlap; a call without a start overlaps all others.
//!
//! An unanswered call is the point where nothing is done. Of the rows of its rules, those that hold there stay as they are; of the
//! others, `a·x ≤ b` becomes `a·x ≤ b + v·(1 − answered)`, with `v` exactly what that point breaks: no constant is larger than
//! necessary.
//!
//! **First come, first served.** The same model, one call at a time, with what earlier calls took taken away; in the order of the
//! starts, and in the reverse order. The better of the two is where the joint search starts.

mod input;
mod joint;
mod model;

use serde::{Deserialize, Serialize};

use crate::answer::{Proposal, Status};
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer};
use crate::model::{Cents, Options};
use crate::options::OptionsError;
use crate::rules::RuleSet;
pub use input::{Portfolio, PortfolioInstance, PortfolioOptions};
use joint::Joint;
use model::{Plan, Task};

/// The calls with their consortia.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortfolioAnswer {
    /// What was achieved: `optimal` within the gap asked for, else `feasible`. Never `infeasible`: calls may stay unanswered.
    pub status: Status,
    /// Every call, in the order of the problem.
    pub calls: Vec<CallAnswer>,
    /// Objectives of the proposals, plus the price of each call that stays unanswered.
    pub objective_cents: i64,
    /// No way to answer the calls together is below.
    pub bound_cents: i64,
    /// Their difference.
    pub gap_cents: i64,
    /// Whether every proposal, and what the calls share, passed a check in integers that does not know the model.
    pub verified: bool,
    /// What serving the calls one after the other would have cost. The largest part of one actor is not limited there.
    pub first_come: Vec<FirstCome>,
}

/// One call of a portfolio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallAnswer {
    /// The call.
    pub call: String,
    /// Who answers it; nobody where absent. Its proof tells that it was re-verified; how good it is, the portfolio tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposal>>,
    /// What the objective counts for leaving it unanswered: more than any consortium for it can cost.
    pub unanswered_cents: i64,
}

/// The calls served one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FirstCome {
    /// The calls, first served first.
    pub order: Vec<String>,
    /// How many are answered.
    pub answered: u32,
    /// As for the portfolio.
    pub objective_cents: i64,
    /// What it costs more than the portfolio.
    pub regret_cents: i64,
}

/// Answers all calls together. One search per call and order, then one for all of them.
///
/// # Errors
/// Options that are out of range; all of them.
pub fn solve_portfolio(
    instance: &PortfolioInstance,
    options: &PortfolioOptions,
    observer: &dyn Observer,
) -> Result<PortfolioAnswer, OptionsError> {
    input::validate(options)?;
    let single = Options {
        time_limit_ms: options.time_limit_ms,
        work_limit: options.work_limit,
        gap_ppm: options.gap_ppm,
        seed: options.seed,
        ..Options::default()
    };
    let backend = Backend::new(&single, Control::new(&single, observer));
    let calls: Vec<Compiled<'_>> =
        instance.instances.iter().map(|call| Compiled::new(call, &single, RuleSet::default())).collect();
    let joint = Joint::new(&calls);
    let mut first_come = Vec::new();
    let mut best: Option<Plan> = None;
    for order in orders(&calls) {
        let plan = one_by_one(&calls, &joint, options, &backend, &order);
        let objective = plan.objective(&calls);
        first_come.push((order, plan.answered(), objective));
        if fair(&calls, options, &plan) && best.as_ref().is_none_or(|best| objective < best.objective(&calls)) {
            best = Some(plan);
        }
    }
    let mut plan = best.unwrap_or_else(|| Plan::nothing(&calls));
    let all: Vec<usize> = (0..calls.len()).collect();
    let nothing = Plan::nothing(&calls);
    let task = Task { calls: &calls, joint: &joint, options, free: &all, fixed: &nothing };
    let (found, bound) = task.solve(&backend, Some(&plan));
    if let Some(found) = found.filter(|found| found.objective(&calls) <= plan.objective(&calls)) {
        plan = found;
    }
    Ok(answer(&calls, &joint, options, plan, bound, first_come))
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

/// Serves the calls in this order, each as well as the earlier ones allow.
fn one_by_one(
    calls: &[Compiled<'_>],
    joint: &Joint,
    options: &PortfolioOptions,
    backend: &Backend<'_>,
    order: &[usize],
) -> Plan {
    let unlimited = PortfolioOptions { maximum_share_percent: None, ..options.clone() };
    let mut plan = Plan::nothing(calls);
    for &call in order {
        let task = Task { calls, joint, options: &unlimited, free: &[call], fixed: &plan };
        let (found, _) = task.solve(backend, None);
        plan = found.unwrap_or(plan);
    }
    plan
}

/// Whether no actor carries more than its largest part of all services.
fn fair(calls: &[Compiled<'_>], options: &PortfolioOptions, plan: &Plan) -> bool {
    let Some(most) = options.maximum_share_percent else { return true };
    let paid = plan.paid(calls);
    let all: i128 = paid.values().sum();
    paid.values().all(|own| own * 100 <= i128::from(most) * all)
}

fn answer(
    calls: &[Compiled<'_>],
    joint: &Joint,
    options: &PortfolioOptions,
    plan: Plan,
    bound: Cents,
    first_come: Vec<(Vec<usize>, u32, Cents)>,
) -> PortfolioAnswer {
    let objective_cents = plan.objective(calls);
    let bound_cents = bound.clamp(0, objective_cents);
    let gap_cents = objective_cents - bound_cents;
    let close = i128::from(gap_cents) * 1_000_000 <= i128::from(objective_cents) * i128::from(options.gap_ppm);
    let id = |k: usize| calls[k].problem().call.id.clone();
    let verified = plan.verified()
        && joint.keeps(&plan)
        && fair(calls, options, &plan)
        && options.maximum_calls_per_actor.is_none_or(|most| plan.busiest(calls) <= most);
    let first_come = first_come.into_iter().map(|(order, answered, objective)| FirstCome {
        order: order.into_iter().map(id).collect(),
        answered,
        objective_cents: objective,
        regret_cents: objective - objective_cents,
    });
    PortfolioAnswer {
        status: if close && verified { Status::Optimal } else { Status::Feasible },
        first_come: first_come.collect(),
        objective_cents,
        bound_cents,
        gap_cents,
        verified,
        calls: plan
            .drafts
            .into_iter()
            .enumerate()
            .map(|(k, draft)| CallAnswer {
                call: id(k),
                proposal: draft.map(|draft| Box::new(draft.proposal)),
                unanswered_cents: model::unanswered(&calls[k]),
            })
            .collect(),
    }
}
