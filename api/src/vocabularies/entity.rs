//! The table of terms.

use sea_orm::entity::prelude::*;

use super::Crosswalks;

/// A row of `term`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "term")]
pub struct Model {
    /// `VOCABULARY/CODE`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Which vocabulary.
    pub vocabulary: String,
    /// Code within it.
    pub code: String,
    /// Key of the broader term.
    pub parent_id: Option<String>,
    /// English label.
    pub label_en: String,
    /// French label.
    pub label_fr: String,
    /// Official equivalents.
    #[sea_orm(column_type = "JsonBinary")]
    pub crosswalks: Crosswalks,
    /// Optimistic lock.
    pub version: i64,
    /// Last write.
    pub updated_at: DateTimeUtc,
}

/// None: parents are read as keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
