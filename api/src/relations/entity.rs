//! The table of relations.

use sea_orm::entity::prelude::*;

use super::RelationKind;

/// A row of `relation`; `a_id < b_id`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "relation")]
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
    /// The organisation with the smaller id.
    pub a_id: Uuid,
    /// The other.
    pub b_id: Uuid,
    /// How they know each other.
    pub kind: RelationKind,
    /// How well.
    pub strength_percent: i16,
    /// Where this is known from.
    pub source: Option<String>,
    /// First day.
    pub since: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
