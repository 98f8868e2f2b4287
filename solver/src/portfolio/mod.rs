//! Many calls at once, answered by the same actors: who should answer which, so that all calls together cost least.
//!
//! **What is shared** (`joint`, exactly; `rows`, for the optimiser). A capability lends each call a part of its capacity, and at any time
//! the parts add up to 1 at most; so do those of a pool. Calls share time where their contracts overlap; a call without a start
//! overlaps all others. Options add in how many calls an actor takes part, and what part of all services it carries.
//!
//! **Few calls** (`monolith`). The models of the calls side by side, each of which may stay unanswered at a price, joined by the rows. An
//! unanswered call is the point where nothing is done. Of the rows of its rules, those that hold there stay as they are; of the
//! others, `a·x ≤ b` becomes `a·x ≤ b + v·(1 − answered)`, with `v` exactly what that point breaks: no constant is larger than
//! necessary.
//!
//! **Many calls** (`columns`, `improve`). Column generation by call proves a bound and gives consortia to choose from; then a few calls
//! at a time are planned anew together, as a small monolith.
//!
//! **First come, first served** (`first_come`). One call at a time, with what earlier calls took taken away; in the order of the starts, and
//! in the reverse order. Both plans are where the joint search starts.
//!
//! **Fairness** (`fairness`). Stages, one after the other: the least cost; the least largest payment at hardly more; the least cost again.

mod columns;
mod fairness;
mod first_come;
mod improve;
mod input;
mod joint;
mod monolith;
mod plan;
mod rows;
mod stage;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::answer::{Proposal, Status};
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer};
use crate::model::{Cents, Options};
use crate::options::OptionsError;
use crate::propose::bound_cents;
use crate::rules::RuleSet;
use first_come::Served;
pub use input::{
    Fairness, FairnessKind, Portfolio, PortfolioInstance, PortfolioOptions, validate as validate_portfolio,
};
use joint::Joint;
use monolith::Task;
use plan::Plan;
use stage::{Ask, Stage};

/// Calls from which on column generation plans them; see `docs/solver/portfolio.md` for the measurements.
const MANY: usize = 16;

/// The calls with their consortia.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortfolioAnswer {
    /// What was achieved: `optimal` where the cost, and fairness if it was asked for, are proven best within the gap; else `feasible`.
    /// Never `infeasible`: calls may stay unanswered.
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
    /// What serving the calls one after the other would have cost: by start, and in the reverse order. The largest part of one actor
    /// is not limited there, and fairness is not sought.
    pub first_come: Vec<FirstCome>,
    /// What fairness came to, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fairness: Option<FairnessAnswer>,
}

/// How evenly the services of a portfolio are spread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FairnessAnswer {
    /// Objective of the cheapest plan found.
    pub cheapest_cents: i64,
    /// What a fairer plan may cost at most: the cheapest and the tolerance.
    pub limit_cents: i64,
    /// The most that one actor is paid for services in the cheapest plan.
    pub cheapest_largest_cents: i64,
    /// The most that one actor is paid for services in the plan proposed.
    pub largest_cents: i64,
    /// No plan within the limit pays its largest less.
    pub bound_cents: i64,
    /// Whether the two meet within the gap, and no cheaper plan is as fair within the gap.
    pub proven: bool,
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
    /// The calls that stay unanswered, in the order of the problem.
    pub unanswered: Vec<String>,
    /// As for the portfolio.
    pub objective_cents: i64,
    /// What it costs more than the portfolio; less where limits that do not hold here make the portfolio dearer.
    pub regret_cents: i64,
}

/// Answers all calls together. One search per call and order, then one for all of them.
///
/// # Errors
/// Options that are out of range or name unknown calls; all of them.
pub fn solve_portfolio(
    instance: &PortfolioInstance,
    options: &PortfolioOptions,
    observer: &dyn Observer,
) -> Result<PortfolioAnswer, OptionsError> {
    validate_portfolio(options, instance)?;
    let method = if instance.instances.len() < MANY { Method::Monolith } else { Method::Columns };
    Ok(solve_by(method, instance, options, observer))
}

/// How a stage is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Monolith,
    Columns,
}

fn solve_by(
    method: Method,
    instance: &PortfolioInstance,
    options: &PortfolioOptions,
    observer: &dyn Observer,
) -> PortfolioAnswer {
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
    let joint = Joint::new(&calls, options);
    let first_come = first_come::serve(&calls, &joint, options, &backend);
    let stage = Stage::new(&calls, &joint, options, Ask::CHEAPEST);
    let starts: Vec<Plan> = first_come.iter().map(|served| served.plan.clone()).collect();
    let cheapest = search(method, &stage, &backend, &starts);
    let (planned, fairness) = fairness::spread(method, &stage, &backend, cheapest);
    answer(&stage, planned, fairness, &first_come)
}

/// A plan, and what no plan can be below.
struct Planned {
    plan: Plan,
    bound_cents: Cents,
}

/// The best plan of a stage that the method finds, from plans of which none has to keep what the stage asks.
fn search(method: Method, stage: &Stage<'_>, backend: &Backend<'_>, starts: &[Plan]) -> Planned {
    let kept = starts.iter().filter(|plan| stage.keeps(plan)).min_by_key(|plan| stage.value(plan));
    let start = kept.cloned().unwrap_or_else(|| Plan::nothing(stage.calls));
    match method {
        Method::Monolith => {
            let free: Vec<usize> = (0..stage.calls.len()).collect();
            let fixed = Plan::nothing(stage.calls);
            let task = Task { stage, free: &free, among: None, gap: None, fixed: &fixed };
            let outcome = task.solve(backend, &backend.control, Some(&start));
            let better = outcome.plan.filter(|plan| stage.value(plan) < stage.value(&start));
            Planned { plan: better.unwrap_or(start), bound_cents: bound_cents(outcome.bound) }
        }
        Method::Columns => {
            let generated = columns::generate(stage, backend, starts, start);
            let bound_cents = bound_cents(generated.bound);
            Planned { plan: improve::improve(stage, backend, generated), bound_cents }
        }
    }
}

fn answer(
    stage: &Stage<'_>,
    planned: Planned,
    fairness: Option<FairnessAnswer>,
    first_come: &[Served],
) -> PortfolioAnswer {
    let calls = stage.calls;
    let Planned { plan, bound_cents } = planned;
    let objective_cents = plan.objective(calls);
    let bound_cents = bound_cents.clamp(0, objective_cents);
    let id = |k: usize| calls[k].problem().call.id.clone();
    let verified = stage.keeps(&plan);
    let told = |served: &Served| FirstCome {
        order: served.order.iter().map(|&k| id(k)).collect(),
        answered: u32::try_from(served.plan.drafts.iter().flatten().count()).unwrap_or(u32::MAX),
        unanswered: served.plan.open().map(id).collect(),
        objective_cents: served.plan.objective(calls),
        regret_cents: served.plan.objective(calls) - objective_cents,
    };
    let cheapest = fairness.as_ref().map_or(objective_cents, |fairness| fairness.cheapest_cents);
    let proven = stage.meets(cheapest, bound_cents) && fairness.as_ref().is_none_or(|fairness| fairness.proven);
    PortfolioAnswer {
        status: if proven && verified { Status::Optimal } else { Status::Feasible },
        first_come: first_come.iter().map(told).collect(),
        objective_cents,
        bound_cents,
        gap_cents: objective_cents - bound_cents,
        verified,
        fairness,
        calls: plan
            .drafts
            .into_iter()
            .enumerate()
            .map(|(k, draft)| CallAnswer {
                call: id(k),
                proposal: draft.map(|draft| Box::new(draft.proposal.clone())),
                unanswered_cents: plan::unanswered(&calls[k]),
            })
            .collect(),
    }
}
