//! Conditions of a call: who may take part, the shape of the group, the money, the award.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::capabilities::Unit;
use crate::organisations::LegalFamily;

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
#[allow(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct GroupPolicy {
    /// How answering together is seen.
    pub grouping: Grouping,
    /// Legal form after the award.
    pub form_after_award: GroupForm,
    /// Whether one organisation may belong to several groups for a lot.
    pub several_groups_allowed: bool,
    /// Whether the procedure is negotiated: answers, and the groups that give them, may still change after candidacy.
    pub negotiated: bool,
    /// Whether only organisations of the social economy may answer.
    pub reserved_to_social_economy: bool,
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
