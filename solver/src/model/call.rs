//! What a funder asks for: lots, needs, conditions, and the shape of the group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cents, Quantity};

/// A collective call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Unique id.
    pub id: String,
    /// Label used in explanations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Length of the contract in months, 1 to 240.
    pub duration_months: u32,
    /// First day: certificates must be valid on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Money for the whole contract; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_cents: Option<Cents>,
    /// At least one, each with at least one need.
    pub lots: Vec<Lot>,
    /// Conditions of participation.
    #[serde(default)]
    pub eligibility: Vec<EligibilityRule>,
    /// Size and shape of the group.
    #[serde(default)]
    pub group: GroupPolicy,
    /// What working together costs.
    #[serde(default)]
    pub coordination: Coordination,
    /// How members are paid, hence what they must advance.
    #[serde(default)]
    pub payment: Payment,
    /// What to assume where an actor has declared nothing.
    #[serde(default)]
    pub assumptions: Assumptions,
}

/// A part of the call that can be awarded on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// Unique in the call.
    pub id: String,
    /// Label used in explanations; the id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At least one.
    pub needs: Vec<Need>,
    /// Fewest members that work for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_members: Option<u32>,
    /// Most members that work for it; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_members: Option<u32>,
}

/// Service × territory × public, with a quantity over the whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Unique in the call.
    pub id: String,
    /// Label used in explanations; the service's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A code of `services`.
    pub service: String,
    /// A code of `territories`.
    pub territory: String,
    /// A code of `publics`; everybody where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Required modality; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// Unit of the quantity.
    pub unit: String,
    /// Quantity over the whole contract, at least 1.
    pub quantity: Quantity,
    /// Must be covered in full; otherwise what is not covered costs `unmet_cost_cents` a unit.
    #[serde(default = "yes")]
    pub mandatory: bool,
    /// What a unit that nobody covers is worth to the funder.
    #[serde(default)]
    pub unmet_cost_cents: Cents,
    /// Published reference cost of a unit: what is assumed for a capability that declares none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_unit_cost_cents: Option<Cents>,
    /// Where in the territory the quantity must be delivered.
    #[serde(default)]
    pub spread: Spread,
    /// Most members that deliver it, over all places together; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_suppliers: Option<u32>,
}

fn yes() -> bool {
    true
}

/// Where in its territory the quantity of a need must be delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Anywhere in the territory: a capability that reaches any part of it can serve the whole quantity.
    #[default]
    Anywhere,
    /// In every leaf territory below it, in proportion to the population: a capability serves the leaves that it reaches.
    Population,
}

/// A condition of participation: a criterion, and who must meet it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EligibilityRule {
    /// Unique in the call.
    pub id: String,
    /// What is asked.
    pub criterion: Criterion,
    /// Who must meet it.
    pub scope: Scope,
    /// The lots concerned; all where empty. With the scope `each_member`, the members that work for those lots.
    #[serde(default)]
    pub lots: Vec<String>,
    /// The services concerned, with those below them; all where empty. Only for the scope `performer`.
    #[serde(default)]
    pub services: Vec<String>,
}

/// What an eligibility rule asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Criterion {
    /// A certificate valid on the first day of the contract.
    Credential {
        /// Its code.
        code: String,
        /// Whether one held by a linked entity that shares its certificates will do.
        #[serde(default)]
        accept_linked: bool,
    },
    /// One of these legal families.
    LegalFamily {
        /// Accepted families.
        any_of: Vec<String>,
    },
    /// At home in this territory, below it or above it.
    HomeTerritory {
        /// The territory.
        territory: String,
    },
    /// A yearly turnover of at least this; with the scope `sum_over_members`, all members together.
    Turnover {
        /// The least turnover.
        minimum_cents: Cents,
    },
}

/// Who must meet a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every member.
    EachMember,
    /// At least one member.
    AnyMember,
    /// The members together (numbers add up; anything else is `any_member`).
    SumOverMembers,
    /// The lead.
    Lead,
    /// Whoever does the work of the lots or services named.
    Performer,
}

/// Size and shape of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GroupPolicy {
    /// Fewest members, at least 1.
    pub minimum_members: u32,
    /// Most members; no limit where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_members: Option<u32>,
    /// Largest part of the cost of services that one member may carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_share_percent: Option<u8>,
    /// Smallest part of the cost of services that a member must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_share_percent: Option<u8>,
    /// Fewest distinct legal families among the members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_legal_families: Option<u32>,
    /// Whether each member must reach each other one through relations among members.
    pub connected: bool,
}

impl Default for GroupPolicy {
    fn default() -> Self {
        Self {
            minimum_members: 1,
            maximum_members: None,
            maximum_share_percent: None,
            minimum_share_percent: None,
            minimum_legal_families: None,
            connected: false,
        }
    }
}

/// What working together costs, over the whole contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Coordination {
    /// For each member.
    pub per_member_cents: Cents,
    /// For each pair of members that have never worked together.
    pub per_new_pair_cents: Cents,
    /// Which pairs count.
    pub between: Between,
    /// Of the cost of services, on top of it, rounded up to the cent; 0 to 100.
    pub overhead_percent: u8,
}

/// Who coordinates with whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// How members are paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Payment {
    /// Part of each payment advanced before the work.
    pub advance_percent: u8,
    /// Days between the work and its payment.
    pub delay_days: u32,
}

/// What to assume where an actor has declared nothing. Every proposal that rests on one says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Assumptions {
    /// Capacity per year of a capability of unknown capacity, by unit of the need it serves.
    pub capacity_per_year_by_unit: BTreeMap<String, Quantity>,
}
