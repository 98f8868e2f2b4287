//! The table of territories.

use sea_orm::entity::prelude::*;

use super::{Indicators, TerritoryKind};

/// A row of `territory`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "territory")]
pub struct Model {
    /// INSEE code, SIREN of the group of communes, or any other code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Official name.
    pub name: String,
    /// The name as it is searched.
    pub search_name: String,
    /// Level.
    pub kind: TerritoryKind,
    /// The territory just above.
    pub parent_code: Option<String>,
    /// Inhabitants.
    pub population: Option<i64>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Other numbers.
    #[sea_orm(column_type = "JsonBinary")]
    pub indicators: Indicators,
    /// Optimistic lock.
    pub version: i64,
    /// Last write.
    pub updated_at: DateTimeUtc,
}

/// None: parents are read as codes.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
