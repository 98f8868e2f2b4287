//! The tables of consortia.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::Form;
use super::machine::{Ending, Phase};

/// Codes in one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Codes(pub Vec<String>);

/// A row of `consortium`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consortium")]
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
    /// Which call.
    pub call_id: Uuid,
    /// Which version of it.
    pub call_version: i64,
    /// Who leads.
    pub lead_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Who answers for what.
    pub form: Form,
    /// Which lots.
    #[sea_orm(column_type = "JsonBinary")]
    pub lots: Codes,
    /// What the lead is paid for coordinating.
    pub coordination_cents: i64,
    /// Where it stands.
    pub phase: Phase,
    /// Why it is over.
    pub ending: Option<Ending>,
    /// Whether the procedure is negotiated.
    pub negotiated: bool,
    /// When answers are due.
    pub due_at: Option<DateTimeUtc>,
    /// Version of the plan.
    pub plan: i64,
}

/// None: children are loaded for all parents at once.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Who was asked, and where they stand.
pub mod member {
    use sea_orm::entity::prelude::*;

    use crate::consortia::Role;
    use crate::consortia::machine::Standing;

    /// A row of `consortium_member`: see [`crate::consortia::machine::Membership`] and [`crate::consortia::whole::Details`].
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "consortium_member")]
    #[allow(missing_docs, clippy::struct_excessive_bools, reason = "its columns are described where they are used")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub consortium_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
        pub role: Role,
        pub standing: Standing,
        pub terms: i32,
        pub accepted: Option<i32>,
        pub signed: Option<i64>,
        pub bound: Option<i64>,
        pub answer_by: Option<DateTimeUtc>,
        pub days: i32,
        pub asks_again: bool,
        pub vacant: bool,
        pub replaces_id: Option<Uuid>,
        pub position: i32,
        pub message: Option<String>,
        pub reason: Option<String>,
        pub shows_identity: bool,
        pub shares_prices: bool,
        pub own_prices: bool,
        pub salt: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who does what.
pub mod part {
    use sea_orm::entity::prelude::*;

    /// A row of `consortium_part`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "consortium_part")]
    pub struct Model {
        /// In which consortium.
        #[sea_orm(primary_key, auto_increment = false)]
        pub consortium_id: Uuid,
        /// Who.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
        /// Of which need.
        #[sea_orm(primary_key, auto_increment = false)]
        pub need_code: String,
        /// Order among those of the organisation.
        pub position: i32,
        /// How much.
        pub quantity: i64,
        /// For how much.
        pub amount_cents: Option<i64>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What was signed.
pub mod version {
    use sea_orm::entity::prelude::*;

    use crate::consortia::statement::Statement;

    /// A row of `consortium_version`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "consortium_version")]
    pub struct Model {
        /// Of which consortium.
        #[sea_orm(primary_key, auto_increment = false)]
        pub consortium_id: Uuid,
        /// Which version of its plan.
        #[sea_orm(primary_key, auto_increment = false)]
        pub plan: i64,
        /// SHA-256 of the statement.
        pub digest: String,
        /// What it says.
        #[sea_orm(column_type = "JsonBinary")]
        pub statement: Statement,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who has signed it.
pub mod signature {
    use sea_orm::entity::prelude::*;

    /// A row of `consortium_signature`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "consortium_signature")]
    pub struct Model {
        /// Of which consortium.
        #[sea_orm(primary_key, auto_increment = false)]
        pub consortium_id: Uuid,
        /// Which version of its plan.
        #[sea_orm(primary_key, auto_increment = false)]
        pub plan: i64,
        /// Who.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
        /// Of what.
        pub digest: String,
        /// When.
        pub signed_at: DateTimeUtc,
        /// By whom in its name: [`crate::access::Caller::name`].
        pub signed_by: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
