//! What is done again and again, by one of all processes at a time.

use sea_orm_migration::prelude::{Index, Table};
use sea_orm_migration::schema::{big_integer, timestamp_with_time_zone, timestamp_with_time_zone_null};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::key_text;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("recurring_task")
                    .col(key_text("name"))
                    .col(timestamp_with_time_zone("next_at"))
                    .col(timestamp_with_time_zone_null("lease_until"))
                    .col(big_integer("fence"))
                    .primary_key(Index::create().col("name"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("recurring_task").take()).await
    }
}
