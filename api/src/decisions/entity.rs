//! The table of decisions.

use sea_orm::entity::prelude::*;

use super::Lots;

/// A row of `decision`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "decision")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// On which call.
    pub call_id: Uuid,
    /// 1 is the first on its call.
    pub number: i64,
    /// The decision before.
    pub replaces_id: Option<Uuid>,
    /// Who decided.
    pub decided_by: Uuid,
    /// When.
    pub decided_at: DateTimeUtc,
    /// From when on bidders read it.
    pub tell_at: DateTimeUtc,
    /// When they were told.
    pub told_at: Option<DateTimeUtc>,
    /// What is decided.
    #[sea_orm(column_type = "JsonBinary")]
    pub lots: Lots,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
