//! What a run computes, written down so that any process can compute it, and what comes out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use attelage_solver::portfolio::{PortfolioAnswer, PortfolioOptions};
use attelage_solver::{self as solver, Instance, Observer, PortfolioInstance, Proposal, Query, Reply};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::prompt::{Answered, Ask};
use super::{RunOptions, RunProgress};
use crate::calls::Call;
use crate::partners::{AbsenceQuestion, PartnerSearch, TeamDraft};

/// The input of a computation. It holds what the asker alone knows: it is kept only until the run is over, and shown to nobody.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// About one call.
    Alone(Box<Alone>),
    /// About several calls.
    Jointly(Box<Jointly>),
}

/// A question about one call.
#[derive(Serialize, Deserialize)]
pub struct Alone {
    /// Of which trace it is a part, as a `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The call and its market.
    pub problem: solver::Problem,
    /// How it is computed.
    pub options: solver::Options,
    /// What is asked.
    pub question: Query,
    /// How it is told, where somebody waits for it.
    pub prompted: Option<Prompted>,
}

/// A question about several calls.
#[derive(Serialize, Deserialize)]
pub struct Jointly {
    /// Of which trace it is a part, as a `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Each call with its market.
    pub problems: Vec<solver::Problem>,
    /// How they are computed.
    pub options: PortfolioOptions,
}

/// How an answer is told.
#[derive(Serialize, Deserialize)]
pub struct Prompted {
    /// The run.
    pub run: Uuid,
    /// The call, reduced to the lots that were asked about.
    pub call: Call,
    /// SHA-256 of everything that is computed on.
    pub fingerprint: String,
    /// What was asked of the run.
    pub asked: RunOptions,
    /// What was asked by its caller.
    pub prompt: Prompt,
}

/// The questions whose answers are told otherwise than as the solver does.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Who would complement a team?
    Partners(PartnerSearch),
    /// What is a team worth?
    Team(TeamDraft),
    /// Why is somebody not proposed?
    Absence(AbsenceQuestion),
}

impl From<PartnerSearch> for Prompt {
    fn from(ask: PartnerSearch) -> Self {
        Self::Partners(ask)
    }
}

impl From<TeamDraft> for Prompt {
    fn from(ask: TeamDraft) -> Self {
        Self::Team(ask)
    }
}

impl From<AbsenceQuestion> for Prompt {
    fn from(ask: AbsenceQuestion) -> Self {
        Self::Absence(ask)
    }
}

impl Prompt {
    fn tell(&self, answered: &Answered) -> Result<Box<RawValue>, String> {
        match self {
            Self::Partners(ask) => told(ask, answered),
            Self::Team(ask) => told(ask, answered),
            Self::Absence(ask) => told(ask, answered),
        }
    }
}

fn told<A: Ask>(ask: &A, answered: &Answered) -> Result<Box<RawValue>, String> {
    let told = ask.tell(answered).ok_or_else(|| "a reply to another question".to_owned())?;
    to_raw_value(&told).map_err(|error| error.to_string())
}

/// What came out.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// About one call.
    Reply {
        /// The solver's reply.
        reply: Box<Reply>,
        /// How it is told, as JSON.
        #[serde(skip_serializing_if = "Option::is_none")]
        told: Option<Box<RawValue>>,
    },
    /// About several calls.
    Portfolio(Box<PortfolioAnswer>),
}

/// What a computing process says, one a line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Where it stands.
    Progress(RunProgress),
    /// A consortium in its place, best first from 0: the best so far.
    Proposal(usize, Box<Proposal>),
    /// What came out. The last line.
    Done(Outcome),
    /// The input cannot be computed on. The last line.
    Refused(String),
}

impl Work {
    /// How many milliseconds it may take. A question that somebody waits for may be asked a second time, in other words.
    #[must_use]
    pub fn limit_ms(&self) -> u64 {
        match self {
            Self::Alone(own) if own.prompted.is_some() => own.options.time_limit_ms.saturating_mul(2),
            Self::Alone(own) => own.options.time_limit_ms,
            Self::Jointly(own) => own.options.time_limit_ms,
        }
    }

    /// Computes, on the calling thread. `spent_ms` are taken from the limit.
    ///
    /// # Errors
    /// An input that the solver refuses, in words.
    pub fn outcome(self, spent_ms: u64, observer: &dyn Observer) -> Result<Outcome, String> {
        let left = |limit: u64| limit.saturating_sub(spent_ms).max(1);
        match self {
            Self::Alone(own) => {
                let Alone { trace: _, problem, mut options, question, prompted } = *own;
                let (limit, begun) = (options.time_limit_ms, Instant::now());
                options.time_limit_ms = left(limit);
                let instance = Instance::new(problem).map_err(|faults| listed(&faults))?;
                let reply =
                    solver::ask(&instance, &options, &question, observer).map_err(|error| listed(&error.faults))?;
                let Some(Prompted { run, call, fingerprint, asked, prompt }) = prompted else {
                    return Ok(Outcome::Reply { reply: Box::new(reply), told: None });
                };
                let instance = Arc::new(instance);
                options.time_limit_ms = again(limit, spent_ms, begun.elapsed());
                let answered = Answered { run, call, instance, fingerprint, options: asked, solver: options, reply };
                let told = prompt.tell(&answered)?;
                Ok(Outcome::Reply { reply: Box::new(answered.reply), told: Some(told) })
            }
            Self::Jointly(own) => {
                let Jointly { trace: _, problems, mut options } = *own;
                options.time_limit_ms = left(options.time_limit_ms);
                let instance = PortfolioInstance::of(problems).map_err(|faults| listed(&faults))?;
                let answer = solver::solve_portfolio(&instance, &options, observer);
                Ok(Outcome::Portfolio(Box::new(answer.map_err(|error| listed(&error.faults))?)))
            }
        }
    }
}

/// How long a question may be asked a second time, where it was to take `limit` milliseconds: what is left of twice that, less a tenth in
/// which the answer is told.
fn again(limit: u64, spent_ms: u64, took: Duration) -> u64 {
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).saturating_add(spent_ms);
    limit.saturating_mul(2).saturating_sub(limit / 10).saturating_sub(took).clamp(1, limit.max(1))
}

/// Of which trace a work is a part, read without what is computed on.
#[must_use]
pub fn trace(document: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Part {
        trace: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Either {
        Alone(Part),
        Jointly(Part),
    }
    match serde_json::from_slice(document).ok()? {
        Either::Alone(own) | Either::Jointly(own) => own.trace,
    }
}

fn listed(faults: &[solver::Fault]) -> String {
    faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_is_asked_again_leaves_time_to_tell_the_answer() {
        let again = |spent, took| again(10_000, spent, Duration::from_millis(took));
        assert_eq!(again(0, 200), 10_000);
        assert_eq!(again(0, 12_000), 7_000);
        assert_eq!(again(2_000, 12_000), 5_000);
        assert_eq!(again(0, 30_000), 1);
    }
}
