//! The table of change requests.

use sea_orm::entity::prelude::*;

/// A row of `change_request`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "change_request")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// On which call.
    pub call_id: Uuid,
    /// Of which bidder.
    pub organisation_id: Uuid,
    /// In which bid.
    pub bid_id: Uuid,
    /// Who asked.
    pub asked_by: Uuid,
    /// When.
    pub asked_at: DateTimeUtc,
    /// Until when the bidder may answer.
    pub due_at: DateTimeUtc,
    /// What should change.
    pub text: String,
    /// The bid that answers it.
    pub answered_by: Option<Uuid>,
    /// When.
    pub answered_at: Option<DateTimeUtc>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
