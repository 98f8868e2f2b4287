//! Capabilities: what an actor can deliver, where, to whom, how much, at what cost.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::organisations::Evidence;
use crate::resource::{Added, Resource, Stored};

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

    fn derived_schema() -> Vec<(&'static str, Added)> {
        let text = "How much it can do in a year, roughly; absent where that is unknown.";
        vec![("capacity_band", Added::reference::<CapacityBand>(text).optional())]
    }

    fn derived(&self) -> Vec<(&'static str, Value)> {
        let band = self.capacity_per_year.map(CapacityBand::of);
        band.map(|band| ("capacity_band", json!(band))).into_iter().collect()
    }
}

/// A capacity, to within a factor of two and a half: what those see who may not know it exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CapacityBand {
    /// At least this much.
    pub at_least: i64,
    /// And less than this.
    pub below: i64,
}

impl CapacityBand {
    /// The band of a capacity: 0, or between two of 1, 2, 5, 10, 20, 50, 100…
    #[must_use]
    pub fn of(capacity: i64) -> Self {
        let mut at_least = 0;
        for power in (0..=18).map(|exponent| 10_i64.pow(exponent)) {
            for below in [1, 2, 5].map(|times| power.saturating_mul(times)) {
                if capacity < below {
                    return Self { at_least, below };
                }
                at_least = below;
            }
        }
        Self { at_least, below: i64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_holds_its_capacity_within_a_factor_of_two_and_a_half() {
        for capacity in [1, 2, 3, 4, 5, 9, 10, 19, 20, 49, 50, 99, 100, 123_456, 999_999_999_999, i64::MAX] {
            let CapacityBand { at_least, below } = CapacityBand::of(capacity);
            assert!(at_least <= capacity && (capacity < below || capacity == i64::MAX), "{capacity}");
            assert!(below / at_least <= 2, "{capacity}: {at_least} to {below}");
        }
        assert_eq!(CapacityBand::of(0), CapacityBand { at_least: 0, below: 1 });
    }
}
