//! Changes that evaluators ask for after the opening, where the procedure allows it, and the answers that follow.
//!
//! A change request names a bid and a deadline. Its bidder answers with a new bid, which takes the place of the one that was asked about;
//! both are kept. The database's clock decides.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;

pub(crate) mod entity;
pub(crate) mod routes;
pub(crate) mod store;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
}

/// What should change in a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChangeRequest {
    /// Until when the bidder may answer.
    pub due_at: DateTime<Utc>,
    /// What, and why.
    #[schema(min_length = 1, max_length = 20000)]
    pub text: String,
}

/// A change that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangeRequest {
    /// UUIDv7.
    pub id: Uuid,
    /// In which bid.
    pub bid: Uuid,
    /// On which call.
    pub call: Uuid,
    /// Id of the person who asked.
    pub asked_by: Uuid,
    /// When, by the database's clock.
    pub asked_at: DateTime<Utc>,
    /// Until when the bidder may answer.
    pub due_at: DateTime<Utc>,
    /// What should change, and why.
    pub text: String,
    /// The bid that answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Uuid>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<DateTime<Utc>>,
}
