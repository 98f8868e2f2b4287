//! How many members may work for a lot, and how many may deliver a need.

use sea_orm_migration::prelude::Table;
use sea_orm_migration::schema::integer_null;
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// New columns by table, all of them optional numbers.
const COLUMNS: [(&str, &str); 3] =
    [("lot", "minimum_members"), ("lot", "maximum_members"), ("need", "maximum_suppliers")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite takes one column a statement.
        for (table, column) in COLUMNS {
            manager.alter_table(Table::alter().table(table).add_column(integer_null(column)).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in COLUMNS.into_iter().rev() {
            manager.alter_table(Table::alter().table(table).drop_column(column).take()).await?;
        }
        Ok(())
    }
}
