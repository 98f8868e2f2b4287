//! The tables of capabilities and of what each refers to.

use sea_orm::entity::prelude::*;

use super::Unit;
use crate::organisations::Evidence;

/// A row of `capability`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "capability")]
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
    /// What an import knows it by.
    pub import_key: Option<String>,
    /// Whose.
    pub organisation_id: Uuid,
    /// What it is called.
    pub title: Option<String>,
    /// What the capacity counts.
    pub unit: Option<Unit>,
    /// Units a year (P2).
    pub capacity_per_year: Option<i64>,
    /// Cost of a unit (P3).
    pub unit_cost_cents: Option<i64>,
    /// Cost of taking part (P3).
    pub fixed_cost_cents: i64,
    /// Smallest viable quantity (P2).
    pub minimum_quantity: i64,
    /// How sure.
    pub evidence: Evidence,
    /// First day.
    pub valid_from: Option<Date>,
    /// Last day.
    pub valid_to: Option<Date>,
}

/// None: children are loaded for all parents at once.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Services, publics and modalities of capabilities.
pub mod term {
    use sea_orm::entity::prelude::*;

    /// A row of `capability_term`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "capability_term")]
    pub struct Model {
        /// Of which capability.
        #[sea_orm(primary_key, auto_increment = false)]
        pub capability_id: Uuid,
        /// `VOCABULARY/CODE`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub term_id: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Territories of capabilities.
pub mod territory {
    use sea_orm::entity::prelude::*;

    /// A row of `capability_territory`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "capability_territory")]
    pub struct Model {
        /// Of which capability.
        #[sea_orm(primary_key, auto_increment = false)]
        pub capability_id: Uuid,
        /// Which territory.
        #[sea_orm(primary_key, auto_increment = false)]
        pub territory_code: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
