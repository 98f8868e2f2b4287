//! The tables of the log.

use sea_orm::entity::prelude::*;

/// A row of `audit_entry`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    /// 1, 2, 3… without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// When.
    pub at: DateTimeUtc,
    /// Who: [`crate::access::Caller::name`], or `anonymous`.
    pub caller: String,
    /// What was done: the id of the operation.
    pub action: String,
    /// Whom it concerns.
    pub organisation_id: Option<Uuid>,
    /// To what it was done.
    pub subject: String,
    /// The version that it has since.
    pub version: Option<i64>,
    /// The request in which it was done.
    pub request_id: String,
    /// More, in JSON: ids and counts, never personal or sealed data.
    pub details: Option<String>,
    /// Authenticates this entry and, through the hash before, all that precede it.
    pub hash: String,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Where the log ends.
pub mod head {
    use sea_orm::entity::prelude::*;

    /// The row of `audit_head`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_head")]
    pub struct Model {
        /// 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        /// Of the last entry; 0 before the first.
        pub position: i64,
        /// Of the last entry; empty before the first.
        pub hash: String,
        /// Authenticates that the log ends here: whoever cuts entries off cannot make the head of what is left.
        pub seal: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
