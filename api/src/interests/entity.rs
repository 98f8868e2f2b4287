//! The tables of interests and of those whom they name.

use sea_orm::entity::prelude::*;

use super::Audience;
use crate::organisations::entity::Texts;

/// A row of `interest`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "interest")]
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
    /// In which call.
    pub call_id: Uuid,
    /// Whose.
    pub organisation_id: Uuid,
    /// Codes of lots; all where empty.
    #[sea_orm(column_type = "JsonBinary")]
    pub lots: Texts,
    /// What it says.
    pub message: Option<String>,
    /// Who learns of it.
    pub audience: Audience,
}

/// None: children are loaded for all parents at once.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Organisations that interests name.
pub mod reader {
    use sea_orm::entity::prelude::*;

    /// A row of `interest_reader`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "interest_reader")]
    pub struct Model {
        /// Which interest.
        #[sea_orm(primary_key, auto_increment = false)]
        pub interest_id: Uuid,
        /// Who learns of it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
