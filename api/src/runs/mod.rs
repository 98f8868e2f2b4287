//! Runs: computations of the solver for one call or several, and the proposals that they give.

use attelage_solver::portfolio::Fairness;
use attelage_solver::{Infeasibility, Query, Report};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) mod entity;
pub(crate) mod prompt;
pub mod routes;
pub(crate) mod runner;
pub(crate) mod store;

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
    /// Was interrupted or met a fault of ours: start another.
    Failed,
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
    /// What was achieved; once succeeded.
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
