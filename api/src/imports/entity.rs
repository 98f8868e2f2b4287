//! The tables of imports and of their faults.

use sea_orm::entity::prelude::*;

use super::{ImportKind, ImportSummary};

/// A row of `import`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which format.
    pub kind: ImportKind,
    /// SHA-256 of the file.
    pub digest: String,
    /// What was done.
    #[sea_orm(column_type = "JsonBinary")]
    pub summary: ImportSummary,
    /// When.
    pub created_at: DateTimeUtc,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Faults of imports.
pub mod fault {
    use sea_orm::entity::prelude::*;

    /// A row of `import_fault`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "import_fault")]
    pub struct Model {
        /// Of which import.
        #[sea_orm(primary_key, auto_increment = false)]
        pub import_id: Uuid,
        /// Order in the file.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        /// Line of the file.
        pub line: i32,
        /// Column.
        pub field: String,
        /// Value.
        pub value: String,
        /// What kind of problem.
        pub problem: String,
        /// In words.
        pub message: String,
        /// What was done.
        pub action: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
