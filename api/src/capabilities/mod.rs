//! Capabilities: what an actor can deliver, where, to whom, how much, at what cost.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::organisations::Evidence;
use crate::resource::{Resource, Stored};

pub(crate) mod entity;
pub mod routes;
pub(crate) mod store;
pub(crate) mod validate;

/// What a quantity counts.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Unit {
    /// Hours of work with people.
    Hour,
    /// Group sessions.
    Session,
    /// People served.
    Person,
    /// Computers, telephones, tablets.
    Device,
    /// Months of one connection.
    ConnectionMonth,
    /// Full-time equivalents.
    FullTimeEquivalent,
}

impl Unit {
    /// Its code, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Session => "session",
            Self::Person => "person",
            Self::Device => "device",
            Self::ConnectionMonth => "connection_month",
            Self::FullTimeEquivalent => "full_time_equivalent",
        }
    }
}

/// A capability, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCapability {
    /// Whose; never changes.
    pub organisation: Uuid,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 300, examples("Refurbishing workshop"))]
    pub title: Option<String>,
    /// Codes of services; the capacity is shared over them.
    #[schema(min_items = 1, max_items = 50, examples("equipment-refurbishing"))]
    pub services: Vec<String>,
    /// Codes of publics; everybody where empty.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub publics: Vec<String>,
    /// Codes of territories, at any level of the tree.
    #[schema(min_items = 1, max_items = 40_000, examples("200046977"))]
    pub territories: Vec<String>,
    /// Codes of modalities; any where empty.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub modalities: Vec<String>,
    /// What the capacity counts; unknown where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Units a year; unknown where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64, examples(600))]
    pub capacity_per_year: Option<i64>,
    /// Cost of a unit, at most a million euros, so that no offer makes the sums of all others uncountable; unknown where
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100_000_000, examples(9_000))]
    pub unit_cost_cents: Option<i64>,
    /// Cost of taking part, whatever the quantity, over a contract.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub fixed_cost_cents: i64,
    /// Smallest quantity over a contract for which it is worth starting.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub minimum_quantity: i64,
    /// How sure this is.
    #[serde(default)]
    pub evidence: Evidence,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
}

/// A capability, as it is stored.
pub type Capability = Stored<NewCapability>;

impl Resource for NewCapability {
    const NAME: &'static str = "Capability";
}
