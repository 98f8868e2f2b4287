//! Collective calls: lots, needs, rules and money, from draft to closed.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::resource::{self, Added, Resource, Stored};

pub(crate) mod entity;
mod lot;
pub(crate) mod market;
mod near;
mod policy;
pub(crate) mod problem;
pub mod routes;
pub(crate) mod store;
pub(crate) mod validate;
pub(crate) mod window;

pub use lot::{Lot, Need, Per, Spread};
pub use policy::{
    Assumptions, AwardCriteria, AwardCriterion, Between, Criterion, EligibilityRule, EligibilityRules, GroupForm,
    GroupPolicy, Grouping, MoneyPolicy, Scope,
};

/// A call as it is stored, whoever asks: the yardstick of what the service costs. Three queries.
///
/// # Errors
/// The database's.
pub async fn stored(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Call>, DbErr> {
    store::find(db, id).await
}

/// What kind of money.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum CallKind {
    /// Subvention.
    Grant,
    /// Marché public.
    Contract,
}

/// Where a call stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum CallStatus {
    /// Being written; only then can it be changed or deleted.
    Draft,
    /// Open to answers.
    Published,
    /// No longer.
    Closed,
}

/// A call, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCall {
    /// Who publishes it.
    pub funder: Uuid,
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// The funder's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub reference: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20000)]
    pub description: Option<String>,
    /// Grant or contract.
    pub kind: CallKind,
    /// First day of the contract.
    pub starts_on: NaiveDate,
    /// Its length.
    #[schema(minimum = 1, maximum = 240, examples(48))]
    pub duration_months: i32,
    /// When answers are due; before the first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_due_at: Option<DateTime<Utc>>,
    /// Money for the whole contract; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000_u64, examples(70_000_000))]
    pub budget_cents: Option<i64>,
    /// What it asks for, in parts.
    #[schema(min_items = 1, max_items = 100)]
    pub lots: Vec<Lot>,
    /// Conditions of participation.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub eligibility: Vec<EligibilityRule>,
    /// Size and shape of the group.
    #[serde(default)]
    pub group_policy: GroupPolicy,
    /// How the money is paid.
    #[serde(default)]
    pub money_policy: MoneyPolicy,
    /// How people will compare answers.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub award_criteria: Vec<AwardCriterion>,
    /// What to assume of capabilities that declare nothing.
    #[serde(default)]
    pub assumptions: Assumptions,
}

/// Whether answers to a call, and the groups that give them, may still change after candidacy.
#[must_use]
pub const fn is_negotiated(call: &NewCall) -> bool {
    call.group_policy.negotiated
}

/// A call with where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallState {
    /// Where it stands.
    pub status: CallStatus,
    /// When it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<DateTime<Utc>>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<DateTime<Utc>>,
    /// What was written.
    #[serde(flatten)]
    pub written: NewCall,
}

impl PartialSchema for CallState {
    fn schema() -> RefOr<Schema> {
        let time = |text| Added::new(Type::String, Some("date-time"), text);
        resource::extend::<NewCall>(vec![
            ("status", Added::reference::<CallStatus>("Where it stands.")),
            ("published_at", time("When it was published, UTC.").optional()),
            ("closed_at", time("When it was closed, UTC.").optional()),
        ])
    }
}

impl ToSchema for CallState {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((CallStatus::name().into_owned(), CallStatus::schema()));
        NewCall::schemas(schemas);
    }
}

/// A call, as it is stored.
pub type Call = Stored<CallState>;

impl Resource for CallState {
    const NAME: &'static str = "Call";
}
