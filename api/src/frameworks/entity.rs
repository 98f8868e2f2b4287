//! The tables of frameworks.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::Part;
use crate::consortia::machine::Phase;

/// A row of `framework`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "framework")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Optimistic lock.
    pub version: i64,
    /// First write: when the consortium was kept.
    pub created_at: DateTimeUtc,
    /// Last write.
    pub updated_at: DateTimeUtc,
    /// Which consortium it keeps.
    pub consortium_id: Uuid,
    /// The call of that one.
    pub call_id: Uuid,
    /// Who leads.
    pub lead_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where the consortium stood.
    pub kept_in: Phase,
    /// The length of its contract.
    pub months: i32,
    /// When its lead ended it.
    pub ended_at: Option<DateTimeUtc>,
}

/// None: members are loaded for all frameworks at once.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Parts in one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Parts(pub Vec<Part>);

/// Who belongs to it, or was asked.
pub mod member {
    use sea_orm::entity::prelude::*;

    use super::super::{Snapshot, Standing};
    use super::Parts;
    use crate::consortia::Role;

    /// A row of `framework_member`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "framework_member")]
    pub struct Model {
        /// Of which framework.
        #[sea_orm(primary_key, auto_increment = false)]
        pub framework_id: Uuid,
        /// Who; perhaps deleted since.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
        /// What it was.
        pub role: Role,
        /// Where it stands.
        pub standing: Standing,
        /// How many times it has answered.
        pub answers: i32,
        /// What it delivered.
        #[sea_orm(column_type = "JsonBinary")]
        pub parts: Parts,
        /// What it showed of itself.
        #[sea_orm(column_type = "JsonBinary")]
        pub kept: Snapshot,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
