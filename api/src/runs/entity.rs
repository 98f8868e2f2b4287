//! The tables of runs and proposals.

use sea_orm::entity::prelude::*;

use super::{Asked, RunProgress, RunResult, RunState};

/// A row of `run`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// In whose name it was asked for; the platform's where absent.
    pub organisation_id: Option<Uuid>,
    /// The first of its calls.
    pub call_id: Uuid,
    /// Version of it that was computed.
    pub call_version: i64,
    /// Where it stands.
    pub state: RunState,
    /// What was asked.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Asked,
    /// SHA-256 of the inputs.
    pub fingerprint: String,
    /// What computed it.
    pub engine: Option<String>,
    /// What was achieved.
    pub result: Option<RunResult>,
    /// Objective of the first proposal.
    pub objective_cents: Option<i64>,
    /// Its bound.
    pub bound_cents: Option<i64>,
    /// What the preparation found.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub report: Option<Json>,
    /// Why nobody can answer.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub infeasibility: Option<Json>,
    /// The reply to another question than who should answer one call together.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub reply: Option<Json>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When it began.
    pub started_at: Option<DateTimeUtc>,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
    /// Higher ones are computed first.
    pub priority: i16,
    /// How often its computation was begun, and not given back.
    pub attempts: i32,
    /// Grows with each lease: whoever holds an older one writes nothing.
    pub fence: i64,
    /// Not to be computed before.
    pub available_at: Option<DateTimeUtc>,
    /// Until when whoever computes it has the right to, by the clock of the database.
    pub lease_until: Option<DateTimeUtc>,
    /// Who computes it, or did last.
    pub worker: Option<String>,
    /// Whether it is to end.
    pub cancel_requested: bool,
    /// How long it has been computed, in all attempts.
    pub spent_ms: i64,
    /// How far it is.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub progress: Option<RunProgress>,
    /// SHA-256 of who asks, what is computed, and how it is told: equal ones are computed once.
    pub twin: Option<String>,
    /// What is told to whoever waits for it, in JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub told: Option<String>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What runs that are not over compute.
pub mod run_work {
    use sea_orm::entity::prelude::*;

    /// A row of `run_work`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_work")]
    pub struct Model {
        /// Of which run.
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Uuid,
        /// How long it may be computed.
        pub limit_ms: i64,
        /// A [`crate::runs::work::Work`], in one line of JSON.
        pub document: Vec<u8>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Proposals of runs.
pub mod proposal {
    use sea_orm::entity::prelude::*;

    /// A row of `proposal`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "proposal")]
    pub struct Model {
        /// Of which run.
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Uuid,
        /// 1 is best.
        #[sea_orm(primary_key, auto_increment = false)]
        pub rank: i32,
        /// The solver's proposal.
        #[sea_orm(column_type = "JsonBinary")]
        pub document: Json,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The calls of runs.
pub mod run_call {
    use sea_orm::entity::prelude::*;

    /// A row of `run_call`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_call")]
    pub struct Model {
        /// Of which run.
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Uuid,
        /// In the order asked for, from 0.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i16,
        /// Which call.
        pub call_id: Uuid,
        /// The version that was computed.
        pub call_version: i64,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
