//! Runs: computations of the solver for one call or several, and the proposals that they give.

use std::time::Duration;

use attelage_solver::portfolio::Fairness;
use attelage_solver::{Infeasibility, Progress, Query, Report, Stage};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::calls::market::Extent;
use crate::database::now;

pub(crate) mod aside;
pub(crate) mod cancel;
pub(crate) mod child;
pub mod compute;
pub(crate) mod entity;
pub(crate) mod follow;
pub(crate) mod prompt;
pub(crate) mod queue;
pub(crate) mod retention;
pub mod routes;
pub(crate) mod runner;
pub mod settings;
pub(crate) mod store;
pub(crate) mod wake;
pub(crate) mod work;
pub mod worker;

pub use settings::Settings;

/// Where a run stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Is being computed.
    Running,
    /// Has an answer; "nobody can" is one.
    Succeeded,
    /// Could not be computed; `failure` says why.
    Failed,
    /// Was cancelled; what was found until then is kept.
    Cancelled,
}

impl RunState {
    /// Whether a run in it will not change any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Parts of a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStage {
    /// The best consortia.
    Search,
    /// Why it is so.
    Explanation,
    /// Why there is none.
    Diagnosis,
}

/// Where a computation stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
pub struct RunProgress {
    /// What is being searched for.
    pub stage: RunStage,
    /// Cost of the best that this step has found so far, with what uncovered needs are worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incumbent_cents: Option<i64>,
    /// Proof: nothing that this step looks for costs less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_cents: Option<i64>,
    /// How far apart the two are, in percent of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_percent: Option<f64>,
    /// Milliseconds since the computation began.
    pub elapsed_ms: u64,
    /// When it was so.
    pub updated_at: DateTime<Utc>,
}

impl RunProgress {
    /// What the solver tells of its progress, so long after the computation began.
    #[must_use]
    pub fn of(progress: &Progress, elapsed: Duration) -> Self {
        let (best, bound) = (progress.best_cents, progress.bound_cents);
        Self {
            stage: match progress.stage {
                Stage::Explanation => RunStage::Explanation,
                Stage::Diagnosis => RunStage::Diagnosis,
                _ => RunStage::Search,
            },
            incumbent_cents: best,
            bound_cents: bound,
            gap_percent: best.zip(bound).map(|(best, bound)| gap_percent(best, bound)),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            updated_at: now(),
        }
    }
}

/// How far a bound is below an incumbent, in percent of that, to the hundredth.
fn gap_percent(incumbent: i64, bound: i64) -> f64 {
    let gap = i128::from(incumbent).saturating_sub(i128::from(bound)).max(0);
    let hundredths = gap * 10_000 / i128::from(incumbent).abs().max(1);
    f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0
}

/// What a finished run achieved.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RunResult {
    /// The first proposal is proven best.
    Optimal,
    /// There are proposals, with a bound on how far the first is from the best.
    Feasible,
    /// Proven: nobody can answer under these rules.
    Infeasible,
    /// The time limit came before any proposal or proof.
    Unknown,
}

/// What is asked of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
pub struct RunOptions {
    /// In whose name you ask; needed where you act for several organisations. Proposals follow from what is public, from the call's
    /// reference costs, and from what this organisation alone knows of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// Codes of the lots that are answered; all where empty. Conditions that concern other lots alone fall away; what is asked of the
    /// group and of the money stays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub lots: Vec<String>,
    /// How many proposals, best first; each replaces at least one member of every earlier one.
    #[schema(minimum = 1, maximum = 20)]
    pub proposals: u32,
    /// Organisations that must be members.
    #[schema(max_items = 1000)]
    pub locked_in: Vec<Uuid>,
    /// Organisations that must not.
    #[schema(max_items = 1000)]
    pub locked_out: Vec<Uuid>,
    /// Seconds after which the best so far is kept.
    #[schema(minimum = 1, maximum = 300)]
    pub time_limit_seconds: u32,
    /// What is asked; who should answer together, where absent. Other questions have their reply at `/v1/runs/{id}/reply`.
    pub question: Query,
}

impl RunOptions {
    /// What of the directory it is computed on. Territories are asked about wherever they are, and paths of relations lead anywhere.
    pub(crate) fn extent(&self) -> Extent {
        if matches!(self.question, Query::Territory(_)) {
            return Extent::Whole;
        }
        let asked = self.question.actors().iter().filter_map(|id| id.parse().ok());
        Extent::Near(self.locked_in.iter().chain(&self.locked_out).copied().chain(asked).collect())
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            organisation: None,
            lots: Vec::new(),
            proposals: 3,
            locked_in: Vec::new(),
            locked_out: Vec::new(),
            time_limit_seconds: 30,
            question: Query::default(),
        }
    }
}

/// What is asked of a run on several calls: who should answer which, so that all together cost least.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JointRunOptions {
    /// In whose name you ask, as for a run on one call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// The calls, each once.
    #[schema(min_items = 2, max_items = 50)]
    pub calls: Vec<Uuid>,
    /// In how many of them one organisation may take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub maximum_calls_per_actor: Option<u32>,
    /// The largest part of the services of all calls together that one organisation may carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub maximum_share_percent: Option<u8>,
    /// Sets of these calls: an organisation takes part in at most one of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub exclusive: Vec<Vec<Uuid>>,
    /// How evenly services are spread over the organisations, at what price.
    #[serde(default)]
    pub fairness: Fairness,
    /// Seconds after which the best so far is kept.
    #[serde(default = "a_minute")]
    #[schema(minimum = 1, maximum = 300, default = 60)]
    pub time_limit_seconds: u32,
}

const fn a_minute() -> u32 {
    60
}

/// What was asked of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(untagged)]
pub enum Asked {
    /// About several calls.
    Jointly(JointRunOptions),
    /// About one call.
    Alone(RunOptions),
}

/// A call that a run was computed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunCall {
    /// Its id.
    pub call: Uuid,
    /// The version that was computed.
    pub version: i64,
}

/// A computation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Run {
    /// UUIDv7.
    pub id: Uuid,
    /// In whose name it was asked for; the platform's where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// Of which calls: one, unless they were to be answered jointly.
    pub calls: Vec<RunCall>,
    /// Where it stands.
    pub state: RunState,
    /// What was asked.
    pub options: Asked,
    /// SHA-256 of everything that was computed on: equal inputs, equal fingerprints.
    pub fingerprint: String,
    /// How far it is; while it is being computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<RunProgress>,
    /// How often its computation was begun, those that a stopping service gave back not counted.
    pub attempts: i32,
    /// What was achieved; once succeeded, or cancelled with something found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
    /// Cost of the first proposal, or of all calls together, with what uncovered needs are worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective_cents: Option<i64>,
    /// Proof: nothing costs less than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_cents: Option<i64>,
    /// Why nobody can answer; where the result is `infeasible`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infeasibility: Option<Infeasibility>,
    /// What the preparation found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// What computed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Why it failed; where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

/// A run, as far as whoever operates the platform is concerned: not who asked, nor what.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunSummary {
    /// UUIDv7.
    pub id: Uuid,
    /// Where it stands.
    pub state: RunState,
    /// How often its computation was begun, those that a stopping service gave back not counted.
    pub attempts: i32,
    /// Milliseconds that it has been computed for.
    pub spent_ms: i64,
    /// Who computes it, or did last: a process on a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Why it failed; where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::gap_percent;

    #[test]
    #[allow(clippy::float_cmp, reason = "hundredths of whole numbers")]
    fn a_gap_is_told_in_percent_of_the_incumbent() {
        assert_eq!(gap_percent(1_000, 900), 10.0);
        assert_eq!(gap_percent(30_000, 29_999), 0.0);
        assert_eq!(gap_percent(100, 200), 0.0, "a bound above the best so far is rounding");
        assert_eq!(gap_percent(0, 0), 0.0);
        assert_eq!(gap_percent(i64::MAX, i64::MIN), 200.0);
    }
}
