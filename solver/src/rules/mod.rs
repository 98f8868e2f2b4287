//! The rules of a consortium, one file per rule.

use serde::{Deserialize, Serialize};

/// Names a family of rules; each can be switched off through [`Options::disabled_rules`](crate::Options::disabled_rules).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleId {
    /// Mandatory needs are covered in full.
    Demand,
    /// Nobody delivers more than its capacity.
    Capacity,
    /// Linked capabilities share one capacity.
    Pool,
    /// A capability is used for nothing, or for at least its smallest viable quantity.
    MinimumQuantity,
    /// Nobody advances more money than it has.
    Treasury,
    /// Nobody carries more than the largest share.
    MaximumShare,
    /// Every member carries at least the smallest share.
    MinimumShare,
    /// Every member does something.
    ActiveMember,
    /// The total cost fits the budget.
    Budget,
    /// The number of members fits the policy.
    Size,
    /// One member is an eligible lead.
    Lead,
    /// Enough distinct legal families.
    LegalFamilies,
    /// Conditions of participation.
    Eligibility,
    /// Incompatible actors are not members together.
    Incompatibility,
}
