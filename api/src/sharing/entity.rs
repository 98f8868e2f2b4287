//! The table of who has agreed.

use sea_orm::entity::prelude::*;

/// A row of `share_consent`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "share_consent")]
pub struct Model {
    /// In which consortium.
    #[sea_orm(primary_key, auto_increment = false)]
    pub consortium_id: Uuid,
    /// For which version of the plan.
    #[sea_orm(primary_key, auto_increment = false)]
    pub plan: i64,
    /// Which member.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organisation_id: Uuid,
    /// When.
    pub created_at: DateTimeUtc,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
