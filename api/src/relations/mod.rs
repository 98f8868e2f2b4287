//! Relations: which organisations already know each other, and how well.
//!
//! Private reservations are not here: they need an owner who is known to the service.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::resource::{Resource, Stored};

pub(crate) mod entity;
pub(crate) mod history;
pub mod routes;
pub(crate) mod store;

/// How two organisations know each other.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RelationKind {
    /// They have answered or worked under one contract.
    CoContracting,
    /// They share a venue.
    SharedVenue,
    /// They send people to each other.
    Referral,
    /// They belong to one network.
    Network,
}

/// A relation, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRelation {
    /// One organisation; the order of the two does not matter.
    pub a: Uuid,
    /// The other.
    pub b: Uuid,
    /// How they know each other; one relation of each kind per pair.
    pub kind: RelationKind,
    /// How well.
    #[schema(minimum = 1, maximum = 100, examples(80))]
    pub strength_percent: i16,
    /// Where this is known from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub source: Option<String>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

/// A relation, as it is stored.
pub type Relation = Stored<NewRelation>;

impl Resource for NewRelation {
    const NAME: &'static str = "Relation";
}
