//! Who may answer, what each can do, and how they stand to each other.

use serde::{Deserialize, Serialize};

use super::{Cents, Quantity};

/// An organisation that offers capabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Unique id.
    pub id: String,
    /// Label used in explanations; the id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Legal family (`association`, `company`, `cooperative`, …), for eligibility rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_family: Option<String>,
    /// Territories where it is at home, for anchoring rules.
    #[serde(default)]
    pub home_territories: Vec<String>,
    /// Certificates with their validity.
    #[serde(default)]
    pub credentials: Vec<Credential>,
    /// Yearly turnover; unknown where absent (a rule on turnover then fails for this actor).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turnover_cents: Option<Cents>,
    /// Cash it can advance before it is paid; unknown (hence unlimited) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_cash_cents: Option<Cents>,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
}

/// A certificate, label or agreement held by one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// `qualiopi`, `esus`, …
    pub code: String,
    /// First day of validity; always valid before where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// Last day of validity; no end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
}

/// What an actor can deliver: services × publics × territories × modalities, with its capacity and costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Unique in the whole problem.
    pub id: String,
    /// At least one. The capacity is shared over them.
    pub services: Vec<String>,
    /// Empty: everybody.
    #[serde(default)]
    pub publics: Vec<String>,
    /// At least one.
    pub territories: Vec<String>,
    /// Empty: any modality.
    #[serde(default)]
    pub modalities: Vec<String>,
    /// `hour`, `session`, `person`, `device`, …; unknown where absent: it then fits any need, under the call's assumptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Units a year; unknown where absent: the call's assumption is used, and without one the capability cannot be counted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_per_year: Option<Quantity>,
    /// Cost of a unit; unknown where absent: the need's reference cost is assumed, and without one the capability cannot be counted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost_cents: Option<Cents>,
    /// Cost of taking part with this capability, whatever the quantity, over the contract.
    #[serde(default)]
    pub fixed_cost_cents: Cents,
    /// The smallest quantity over the contract for which it is worth starting.
    #[serde(default)]
    pub minimum_quantity: Quantity,
    /// Capabilities of different actors that name the same pool share one capacity, so that linked entities never count it twice:
    /// what the largest actor of the pool could deliver with all its own capabilities there. A pool of a single actor restricts
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

/// Two actors who already work together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// One actor.
    pub a: String,
    /// The other.
    pub b: String,
    /// How well, in percent: a known pair spares that part of the cost of a new pair.
    #[serde(default = "hundred")]
    pub strength_percent: u8,
}

fn hundred() -> u8 {
    100
}

/// Two entities of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The entity that holds.
    pub from: String,
    /// The entity that benefits.
    pub to: String,
    /// Whether `to` may rely on the certificates of `from` where a rule accepts linked entities.
    #[serde(default)]
    pub shares_credentials: bool,
}

/// Two actors who cannot be members of the same consortium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Incompatibility {
    /// One actor.
    pub a: String,
    /// The other.
    pub b: String,
}

/// An actor that joins only together with another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Preference {
    /// Who sets the condition.
    pub actor: String,
    /// At least one of them must be a member too. At least one, not the actor itself.
    pub only_with: Vec<String>,
}
