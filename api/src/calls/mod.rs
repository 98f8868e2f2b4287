//! Collective calls: lots, needs, rules and money, from draft to closed.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::capabilities::Unit;
use crate::organisations::LegalFamily;
use crate::resource::{self, Added, Resource, Stored};

pub(crate) mod entity;
pub(crate) mod problem;
pub mod routes;
pub(crate) mod store;
pub(crate) mod validate;

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

/// Whether a quantity is for each year or for the whole contract.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Per {
    /// For each year.
    #[default]
    Year,
    /// For the whole contract.
    Contract,
}

/// Where in its territory a need must be met.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Spread {
    /// Anywhere in it.
    #[default]
    Anywhere,
    /// In every smallest territory below it, in proportion to the population.
    Population,
}

/// Service × territory × public, with a quantity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Unique in the call.
    #[schema(pattern = "^[A-Za-z0-9_.:-]{1,64}$", examples("refurbishing"))]
    pub code: String,
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// Code of the service.
    #[schema(examples("equipment-refurbishing"))]
    pub service: String,
    /// Code of the territory.
    #[schema(examples("200046977"))]
    pub territory: String,
    /// Code of the public; everybody where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("precarious"))]
    pub public: Option<String>,
    /// Code of the required modality; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// What the quantity counts.
    pub unit: Unit,
    /// How much.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64, examples(500))]
    pub quantity: i64,
    /// For each year, or for the whole contract.
    #[serde(default)]
    pub per: Per,
    /// Must be covered in full.
    #[serde(default = "yes")]
    pub mandatory: bool,
    /// Where in the territory.
    #[serde(default)]
    pub spread: Spread,
    /// What a unit that nobody covers is worth to the funder. A mandatory need is covered in full whatever it costs.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub unmet_cost_cents: i64,
    /// Published reference cost of a unit; assumed for capabilities that declare none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub reference_unit_cost_cents: Option<i64>,
    /// Most members that deliver it, over all places together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub maximum_suppliers: Option<i32>,
}

const fn yes() -> bool {
    true
}

/// A part of the call that can be awarded on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// Unique in the call.
    #[schema(pattern = "^[A-Za-z0-9_.:-]{1,64}$", examples("equipment"))]
    pub code: String,
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// What it asks for.
    #[schema(min_items = 1, max_items = 500)]
    pub needs: Vec<Need>,
    /// Fewest members that work for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub minimum_members: Option<i32>,
    /// Most members that work for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub maximum_members: Option<i32>,
}

/// What an eligibility rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The certificate named by `credential`, valid on the first day.
    Credential,
    /// One of the families in `legal_families`.
    LegalFamily,
    /// At home in `territory`.
    HomeTerritory,
    /// A yearly turnover of at least `minimum_cents`.
    Turnover,
}

/// Who must meet a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every member.
    EachMember,
    /// At least one member.
    AnyMember,
    /// The members together.
    SumOverMembers,
    /// The lead.
    Lead,
    /// Whoever does the work.
    Performer,
}

/// A condition of participation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EligibilityRule {
    /// Unique in the call.
    #[schema(pattern = "^[A-Za-z0-9_.:-]{1,64}$", examples("qualiopi"))]
    pub code: String,
    /// What is asked.
    pub criterion: Criterion,
    /// Who must meet it.
    pub scope: Scope,
    /// For the criterion `credential`: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9_.:-]{1,64}$")]
    pub credential: Option<String>,
    /// For the criterion `credential`: whether one held by a linked entity that shares it will do.
    #[serde(default)]
    pub accept_linked: bool,
    /// For the criterion `legal_family`: which are accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 6)]
    pub legal_families: Vec<LegalFamily>,
    /// For the criterion `home_territory`: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<String>,
    /// For the criterion `turnover`: the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000_u64)]
    pub minimum_cents: Option<i64>,
    /// Codes of the lots concerned; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub lots: Vec<String>,
    /// Codes of the services concerned; all where empty. Only for the scope `performer`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub services: Vec<String>,
}

/// How answering together is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Possible.
    #[default]
    Allowed,
    /// Valued.
    Encouraged,
    /// One organisation alone cannot answer.
    Required,
}

/// Legal form of the group after the award.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupForm {
    /// None is imposed.
    #[default]
    Any,
    /// Each is bound to its own part.
    Conjoint,
    /// Each is bound to its own part, the lead to all.
    ConjointSolidaryLead,
    /// Each is liable for all.
    Solidary,
}

/// Size and shape of the group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
pub struct GroupPolicy {
    /// How answering together is seen.
    pub grouping: Grouping,
    /// Legal form after the award.
    pub form_after_award: GroupForm,
    /// Whether one organisation may belong to several groups for a lot.
    pub several_groups_allowed: bool,
    /// Largest part that may be subcontracted.
    #[schema(maximum = 100)]
    pub maximum_subcontracting_percent: Option<u8>,
    /// Fewest members.
    #[schema(minimum = 1, maximum = 1000)]
    pub minimum_members: Option<u32>,
    /// Most members.
    #[schema(minimum = 1, maximum = 1000)]
    pub maximum_members: Option<u32>,
    /// Largest part of the work that one member may carry.
    #[schema(minimum = 1, maximum = 100)]
    pub maximum_share_percent: Option<u8>,
    /// Smallest part of the work that a member must carry.
    #[schema(minimum = 0, maximum = 100)]
    pub minimum_share_percent: Option<u8>,
    /// Fewest distinct legal families.
    #[schema(minimum = 1, maximum = 6)]
    pub minimum_legal_families: Option<u32>,
    /// Whether each member must reach each other one through relations among members.
    pub connected: bool,
}

/// How the money is paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
pub struct MoneyPolicy {
    /// Budget of each year, where it is not the same; adds up to the budget.
    #[schema(max_items = 20)]
    pub budget_by_year_cents: Vec<i64>,
    /// Part of the total cost that the consortium finances itself: with a budget B, the total may reach 100 B / (100 − this).
    #[schema(maximum = 99)]
    pub co_financing_percent: u8,
    /// Part of each payment advanced.
    #[schema(maximum = 100)]
    pub advance_percent: u8,
    /// Days between the work and its payment.
    #[schema(maximum = 3650)]
    pub payment_delay_days: u32,
    /// What coordination costs for each member, over the contract.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub coordination_per_member_cents: i64,
    /// What it costs more for each pair without a relation; a relation spares it in proportion to its strength.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub coordination_per_new_pair_cents: i64,
    /// Which pairs count.
    pub coordination_between: Between,
    /// Overhead of working together, as a part of the cost of services on top of it.
    #[schema(maximum = 100)]
    pub coordination_overhead_percent: u8,
}

/// Who coordinates with whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// Every member with every other: for groups of up to some thirty.
    #[default]
    All,
    /// Every member with the lead.
    Lead,
    /// Those who work for the same lot, once for each lot that they share.
    Lot,
}

/// A criterion by which people compare answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AwardCriterion {
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub name: String,
    /// Its weight; all weights add up to 100.
    #[schema(minimum = 1, maximum = 100)]
    pub weight_percent: u8,
}

/// What to assume where an actor has declared nothing. Proposals that rest on it say so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
pub struct Assumptions {
    /// Capacity a year of each capability of unknown capacity, by the unit of the need it serves.
    pub capacity_per_year_by_unit: BTreeMap<Unit, i64>,
}

/// A list of eligibility rules in one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sea_orm::FromJsonQueryResult)]
#[serde(transparent)]
pub struct EligibilityRules(pub Vec<EligibilityRule>);

/// A list of award criteria in one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sea_orm::FromJsonQueryResult)]
#[serde(transparent)]
pub struct AwardCriteria(pub Vec<AwardCriterion>);

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

/// A call with where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
