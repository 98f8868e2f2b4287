//! The table of recurring tasks.

use sea_orm::entity::prelude::*;

/// A row of `recurring_task`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recurring_task")]
pub struct Model {
    /// Which task.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// When it is due.
    pub next_at: DateTimeUtc,
    /// Until when whoever does it has the right to.
    pub lease_until: Option<DateTimeUtc>,
    /// Grows with each lease.
    pub fence: i64,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
