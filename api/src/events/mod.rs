//! Events: what happened, told to the organisations that it concerns.
//!
//! 1. A write says what it tells with [`crate::audit::Recorded::telling`]; `store` keeps that in the same transaction, and in the order
//!    in which transactions become visible, so that a reader who goes on from where they stopped misses nothing.
//! 2. `routes` is the feed. `crate::webhooks` and `crate::mail` send the same events out.
//!
//! An event holds ids and codes and nothing else: whoever gets it reads the thing itself, as far as they may.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

mod bell;
pub(crate) mod entity;
mod kind;
pub(crate) mod routes;
pub(crate) mod store;

pub use bell::Bell;
pub use kind::{EventType, UnknownEventType};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Event {
    /// UUIDv7; `webhook-id` repeats it.
    pub id: Uuid,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When.
    pub timestamp: DateTime<Utc>,
    /// To what: events of one subject come in their order.
    pub subject: EventSubject,
    /// More ids and codes.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventSubject {
    /// What kind of thing: `call`, `bid`, `run`…
    pub kind: String,
    /// Which one.
    pub id: Uuid,
}

/// What a write tells, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    kind: EventType,
    subject: EventSubject,
    audience: Vec<Uuid>,
    public: bool,
    data: Value,
}

impl News {
    /// Something happened to one thing of a kind; these organisations are told. Nobody is told where there are none.
    #[must_use]
    pub fn of(kind: EventType, subject: &str, id: Uuid, audience: impl IntoIterator<Item = Uuid>) -> Self {
        let subject = EventSubject { kind: subject.to_owned(), id };
        Self { kind, subject, audience: audience.into_iter().collect(), public: false, data: Value::Object(Map::new()) }
    }

    /// Every organisation may know; those of the audience are told by mail too.
    #[must_use]
    pub fn to_everybody(mut self) -> Self {
        self.public = true;
        self
    }

    /// More to say, as an object whose members are ids or codes, lists of them, or a `version`. Anything else, an amount for instance,
    /// fails the write: events leave the service.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}
