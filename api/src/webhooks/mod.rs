//! Webhooks: events, sent to addresses that organisations name.
//!
//! 1. `queue` writes a delivery for each webhook that an event is for, in the transaction of the event.
//! 2. `worker` claims deliveries that are due, for a time, so that a second replica does no harm; sends them; and writes down what came
//!    of it. Deliveries about one subject go to a webhook one after the other: one that fails holds back the later ones.
//! 3. `sending` signs as Standard Webhooks says, and `network` lets nothing through to addresses that are not public.
//! 4. `secrets` are kept sealed by the key of the installation, which is not in the database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;
use crate::events::{Event, EventType};

pub(crate) mod deliveries;
pub(crate) mod entity;
pub mod network;
pub(crate) mod queue;
pub(crate) mod routes;
pub(crate) mod secrets;
pub mod sending;
mod settings;
pub(crate) mod store;
pub(crate) mod worker;

pub use settings::{RETRIES, Settings};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
    deliveries::configure(routes);
}

/// Where an organisation wants to be told of events.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Whose; may be left out by those who belong to one organisation only. It stays with it.
    #[serde(default)]
    pub organisation: Option<Uuid>,
    /// Where events are posted to: `https`, at a public address.
    #[schema(min_length = 1, max_length = 2000, format = "uri", examples("https://hooks.example.org/attelage"))]
    pub url: String,
    /// What it is for, in words.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// The types of events that it wants; all where there are none.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub types: Vec<EventType>,
    /// Whether it is switched on. One that is off is sent nothing, and nothing is kept for it: replay what it has missed.
    #[serde(default = "on")]
    #[schema(default = true)]
    pub enabled: bool,
}

const fn on() -> bool {
    true
}

/// Why a webhook is switched off, where nobody did it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum WebhookFault {
    /// Its receiver has failed for too long.
    Failing,
    /// Its receiver said that it is gone for ever (410).
    Gone,
}

/// A webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// UUIDv7.
    pub id: Uuid,
    /// Grows by one at each change; the `ETag` repeats it.
    pub version: i64,
    /// When it was first written.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
    /// Whose.
    pub organisation: Uuid,
    /// Where events are posted to.
    pub url: String,
    /// What it is for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The types of events that it wants; all where there are none.
    pub types: Vec<EventType>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Why it was switched off, where nobody did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_because: Option<WebhookFault>,
    /// Since when every attempt has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<DateTime<Utc>>,
}

/// A webhook, with the secret that its deliveries are signed with.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IssuedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// The secret, `whsec_…`: shown this once.
    pub secret: String,
}

/// Where a delivery stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum DeliveryState {
    /// It waits for its turn or for its next attempt.
    Pending,
    /// The receiver has it.
    Delivered,
    /// All attempts have failed: replay it.
    Failed,
}

/// An event on its way to a webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// UUIDv7.
    pub id: Uuid,
    /// Where to.
    pub webhook: Uuid,
    /// What is posted.
    pub event: Event,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was sent, since it was last replayed.
    pub attempts: i32,
    /// When it is sent again, at the earliest: an earlier one about the same subject goes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// When it was last sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// HTTP status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<i16>,
    /// The beginning of the last answer, or why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// From where on to send events again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// The id of the last event that the receiver has: all later ones are sent, whether or not they were delivered before.
    pub after: Uuid,
}

/// What is sent again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Replay {
    /// How many deliveries.
    pub deliveries: u64,
}
