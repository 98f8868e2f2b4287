//! The whole computation, in order.

use crate::answer::{Answer, Engine, Proposal, Status};
use crate::backend::{self, Backend};
use crate::compile::Compiled;
use crate::control::{Control, Observer, Stage};
use crate::explain;
use crate::formulate::{Objective, Question};
use crate::graph;
use crate::infeasible;
use crate::instance::Instance;
use crate::model::Options;
use crate::options::{self, OptionsError};
use crate::propose::{self, Best, Search};
use crate::rules::RuleSet;

/// Finds the best consortia of an instance, proves how good they are, explains them, or explains why there is none.
///
/// # Errors
/// Options that are out of range, or that name unknown actors. That nobody can answer is an answer, not an error.
pub fn solve(instance: &Instance, options: &Options) -> Result<Answer, OptionsError> {
    solve_with(instance, options, &())
}

/// The code that runs here.
#[must_use]
pub fn engine() -> Engine {
    Engine { name: env!("CARGO_PKG_NAME").to_owned(), version: crate::VERSION.to_owned(), backend: backend::version() }
}

/// The same as [`solve`], watched: `observer` learns how the search goes, and may stop it.
///
/// # Errors
/// As [`solve`].
pub fn solve_with(instance: &Instance, options: &Options, observer: &dyn Observer) -> Result<Answer, OptionsError> {
    options::validate(instance, options)?;
    let backend = Backend::new(options, Control::new(options, observer));
    let compiled = Compiled::new(instance, options, RuleSet::without(options.disabled_rules.iter().copied()));
    Ok(proposals(&compiled, &backend))
}

/// The best consortium by the exact search alone, whatever the size, without explanations: what the search for large calls is
/// measured against.
///
/// # Errors
/// As [`solve`].
#[doc(hidden)]
pub fn solve_exactly_with(
    instance: &Instance,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Answer, OptionsError> {
    options::validate(instance, options)?;
    let backend = Backend::new(options, Control::new(options, observer));
    let compiled = Compiled::new(instance, options, RuleSet::without(options.disabled_rules.iter().copied()));
    let (status, proposals) = match propose::exact(&compiled, &backend, &Question::minimise(Objective::Euros)) {
        Best::Found(draft) if draft.proposal.proof.optimal => (Status::Optimal, vec![draft.proposal]),
        Best::Found(draft) => (Status::Feasible, vec![draft.proposal]),
        Best::Infeasible => (Status::Infeasible, Vec::new()),
        Best::Unknown => (Status::Unknown, Vec::new()),
    };
    let report = graph::report(&compiled);
    Ok(Answer { status, proposals, infeasibility: None, exhausted: false, report, engine: engine() })
}

/// The best consortia, explained, or why there is none.
pub(crate) fn proposals(compiled: &Compiled<'_>, backend: &Backend<'_>) -> Answer {
    let mut answer = Answer {
        status: Status::Unknown,
        proposals: Vec::new(),
        infeasibility: None,
        exhausted: false,
        report: graph::report(compiled),
        engine: engine(),
    };
    match propose::proposals(compiled, backend) {
        Search::Found(mut drafts, exhausted) => {
            backend.control.enter(Stage::Explanation);
            if let Some(Proposal { costs, proof, .. }) = drafts.first().map(|best| &best.proposal) {
                backend.control.tell(0, Some(costs.objective_cents), Some(proof.bound_cents));
            }
            explain::explain(compiled, backend, &mut drafts, exhausted);
            answer.proposals = drafts.into_iter().map(|draft| draft.proposal).collect();
            let optimal = answer.proposals.first().is_some_and(|best| best.proof.optimal);
            answer.status = if optimal { Status::Optimal } else { Status::Feasible };
            answer.exhausted = exhausted;
        }
        Search::Infeasible => {
            backend.control.enter(Stage::Diagnosis);
            answer.status = Status::Infeasible;
            answer.infeasibility = Some(infeasible::explain(compiled, backend));
        }
        Search::Unknown => {}
    }
    answer
}
