//! The table of what was filed.

use sea_orm::entity::prelude::*;

/// A row of `filing`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "filing")]
pub struct Model {
    /// The bid.
    #[sea_orm(primary_key, auto_increment = false)]
    pub bid_id: Uuid,
    /// Of which consortium.
    pub consortium_id: Uuid,
    /// Which version of its plan.
    pub plan: i64,
    /// The digest that its members signed.
    pub digest: String,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
