//! The table of places: what an import knows of the sites of organisations.

use sea_orm::entity::prelude::*;

/// A row of `place`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "place")]
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
    /// Source and identifier in it.
    pub import_key: String,
    /// Who runs it.
    pub organisation_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Number and street.
    pub address: Option<String>,
    /// Five digits.
    pub post_code: Option<String>,
    /// Commune, as the source spells it.
    pub municipality: String,
    /// Code of the commune or arrondissement.
    pub territory_code: Option<String>,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// Everything else that the source says.
    #[sea_orm(column_type = "JsonBinary")]
    pub details: Json,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
