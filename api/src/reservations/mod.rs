//! Private reservations: with whom an organisation would rather not work.
//!
//! Their owner alone reads them. They shape only what their owner is proposed; to everybody else it is as if they were not there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) mod entity;
pub mod routes;
pub(crate) mod store;

/// A reservation, as it is written.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReservation {
    /// With whom its owner would rather not work.
    pub against: Uuid,
    /// Why, for its owner.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub note: Option<String>,
}

/// A reservation, as it is stored.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reservation {
    /// UUIDv7.
    pub id: Uuid,
    /// Whose.
    pub organisation: Uuid,
    /// With whom its owner would rather not work.
    pub against: Uuid,
    /// Why, for its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}
