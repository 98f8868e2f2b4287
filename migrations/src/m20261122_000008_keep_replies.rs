//! Replies of runs that ask other questions than who should answer together.

use sea_orm_migration::prelude::Table;
use sea_orm_migration::schema::json_binary_null;
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("run").add_column(json_binary_null("reply")).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("run").drop_column("reply").take()).await
    }
}
