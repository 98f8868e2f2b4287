//! Lots and their needs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::capabilities::Unit;

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
