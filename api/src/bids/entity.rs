//! The tables of bids.

use sea_orm::entity::prelude::*;

use super::BidState;

/// A row of `bid`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bid")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Of which call.
    pub call_id: Uuid,
    /// Which version of it.
    pub call_version: i64,
    /// Whose.
    pub organisation_id: Uuid,
    /// Where it stands.
    pub state: BidState,
    /// When it was received.
    pub received_at: DateTimeUtc,
    /// When it was replaced or withdrawn.
    pub ended_at: Option<DateTimeUtc>,
    /// SHA-256 of what is sealed.
    pub digest: String,
    /// Of the encryption.
    pub nonce: Vec<u8>,
    /// What is sealed.
    pub ciphertext: Vec<u8>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The keys of calls.
pub mod call_key {
    use sea_orm::entity::prelude::*;

    /// A row of `call_key`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "call_key")]
    pub struct Model {
        /// Of which call.
        #[sea_orm(primary_key, auto_increment = false)]
        pub call_id: Uuid,
        /// Which key of the installation seals it.
        pub sealed_by: String,
        /// Of the encryption.
        pub nonce: Vec<u8>,
        /// The key of the call, sealed.
        pub ciphertext: Vec<u8>,
        /// Since when.
        pub created_at: DateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who opens and reads the bids of a call.
pub mod evaluator {
    use sea_orm::entity::prelude::*;

    /// A row of `evaluator`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "evaluator")]
    pub struct Model {
        /// Of which call.
        #[sea_orm(primary_key, auto_increment = false)]
        pub call_id: Uuid,
        /// Who.
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
        /// Since when.
        pub created_at: DateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who asked to open the bids of a call.
pub mod opening {
    use sea_orm::entity::prelude::*;

    /// A row of `opening`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "opening")]
    pub struct Model {
        /// Of which call.
        #[sea_orm(primary_key, auto_increment = false)]
        pub call_id: Uuid,
        /// Who asked first.
        pub asked_by: Uuid,
        /// When.
        pub asked_at: DateTimeUtc,
        /// Who asked second.
        pub opened_by: Option<Uuid>,
        /// When.
        pub opened_at: Option<DateTimeUtc>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
