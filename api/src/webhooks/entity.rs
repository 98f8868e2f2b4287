//! The tables of webhooks.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::WebhookFault;

/// Names of types of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Types(pub Vec<String>);

/// A row of `webhook`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Optimistic lock.
    pub version: i64,
    /// First write.
    pub created_at: DateTimeUtc,
    /// Last write.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub organisation_id: Uuid,
    /// Where to.
    pub url: String,
    /// What for.
    pub description: Option<String>,
    /// Which types of events; all where there are none.
    #[sea_orm(column_type = "JsonBinary")]
    pub types: Types,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Why not, where nobody switched it off.
    pub disabled_because: Option<WebhookFault>,
    /// Since when every attempt has failed.
    pub failing_since: Option<DateTimeUtc>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What deliveries are signed with.
pub mod secret {
    use sea_orm::entity::prelude::*;

    /// A row of `webhook_secret`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "webhook_secret")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Of which webhook.
        pub webhook_id: Uuid,
        /// The key of the installation that seals it, by name.
        pub sealed_by: String,
        /// Fresh for each.
        pub nonce: Vec<u8>,
        /// The secret, sealed.
        pub ciphertext: Vec<u8>,
        /// Since when.
        pub created_at: DateTimeUtc,
        /// Until when, where a later one has replaced it.
        pub expires_at: Option<DateTimeUtc>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Events on their way.
pub mod delivery {
    use sea_orm::entity::prelude::*;

    use crate::webhooks::DeliveryState;

    /// A row of `delivery`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "delivery")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Where to.
        pub webhook_id: Uuid,
        /// Which event, by its position.
        pub position: i64,
        /// What the event is about: deliveries about one thing go one after the other.
        pub subject: String,
        /// Where it stands.
        pub state: DeliveryState,
        /// How often it was sent.
        pub attempts: i32,
        /// Who sends it at this moment: what comes of an attempt counts under the claim that it was made under, and under no other.
        pub claim: Option<Uuid>,
        /// When it is sent again; of one that is being sent, when it is taken for lost.
        pub due_at: DateTimeUtc,
        /// Since when.
        pub created_at: DateTimeUtc,
        /// When it was last sent.
        pub attempted_at: Option<DateTimeUtc>,
        /// When it was delivered or given up.
        pub ended_at: Option<DateTimeUtc>,
        /// HTTP status of the last answer.
        pub status: Option<i16>,
        /// Its beginning, or why there was none.
        pub answer: Option<String>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
