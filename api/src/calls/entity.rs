//! The tables of calls, lots and needs.

use sea_orm::entity::prelude::*;

use super::{Assumptions, AwardCriteria, CallKind, CallStatus, EligibilityRules, GroupPolicy, MoneyPolicy};

/// A row of `call`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "call")]
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
    /// Who publishes it.
    pub funder_id: Uuid,
    /// What it is called.
    pub title: String,
    /// The funder's own number.
    pub reference: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Grant or contract.
    pub kind: CallKind,
    /// Where it stands.
    pub status: CallStatus,
    /// First day of the contract.
    pub starts_on: Date,
    /// Its length.
    pub duration_months: i32,
    /// When answers are due.
    pub answers_due_at: Option<DateTimeUtc>,
    /// Money for the whole contract.
    pub budget_cents: Option<i64>,
    /// Conditions of participation.
    #[sea_orm(column_type = "JsonBinary")]
    pub eligibility: EligibilityRules,
    /// Size and shape of the group.
    #[sea_orm(column_type = "JsonBinary")]
    pub group_policy: GroupPolicy,
    /// How the money is paid.
    #[sea_orm(column_type = "JsonBinary")]
    pub money_policy: MoneyPolicy,
    /// How people compare answers.
    #[sea_orm(column_type = "JsonBinary")]
    pub award_criteria: AwardCriteria,
    /// What to assume.
    #[sea_orm(column_type = "JsonBinary")]
    pub assumptions: Assumptions,
    /// When it was published.
    pub published_at: Option<DateTimeUtc>,
    /// When it was closed.
    pub closed_at: Option<DateTimeUtc>,
}

/// None: children are loaded for all parents at once.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Lots of calls.
pub mod lot {
    use sea_orm::entity::prelude::*;

    /// A row of `lot`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "lot")]
    pub struct Model {
        /// Of which call.
        #[sea_orm(primary_key, auto_increment = false)]
        pub call_id: Uuid,
        /// Unique in the call.
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        /// Order in the call.
        pub position: i16,
        /// What it is called.
        pub title: String,
        /// Fewest members that work for it.
        pub minimum_members: Option<i32>,
        /// Most members that work for it.
        pub maximum_members: Option<i32>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Needs of lots.
pub mod need {
    use sea_orm::entity::prelude::*;

    use crate::calls::{Per, Spread};
    use crate::capabilities::Unit;

    /// A row of `need`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "need")]
    pub struct Model {
        /// Of which call.
        #[sea_orm(primary_key, auto_increment = false)]
        pub call_id: Uuid,
        /// Unique in the call.
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        /// Of which lot.
        pub lot_code: String,
        /// Order in the lot.
        pub position: i16,
        /// What it is called.
        pub title: String,
        /// Key of the service.
        pub service_id: String,
        /// Key of the public.
        pub public_id: Option<String>,
        /// Key of the modality.
        pub modality_id: Option<String>,
        /// Which territory.
        pub territory_code: String,
        /// What the quantity counts.
        pub unit: Unit,
        /// How much.
        pub quantity: i64,
        /// Of what.
        pub per: Per,
        /// In full.
        pub mandatory: bool,
        /// Where in the territory.
        pub spread: Spread,
        /// Worth of a unit not covered.
        pub unmet_cost_cents: i64,
        /// Reference cost of a unit.
        pub reference_unit_cost_cents: Option<i64>,
        /// Most members that deliver it.
        pub maximum_suppliers: Option<i32>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
