//! Keys under which requests have had their effect, with what was answered.

use sea_orm_migration::prelude::{Index, Table};
use sea_orm_migration::schema::{small_integer_null, text, text_null, timestamp_with_time_zone};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, key_text};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("idempotency_key")
                    .col(key_text("caller"))
                    .col(key_text("key"))
                    .col(text("request"))
                    .col(small_integer_null("status"))
                    .col(text_null("location"))
                    .col(text_null("etag"))
                    .col(text_null("body"))
                    .col(timestamp_with_time_zone("created_at"))
                    .primary_key(Index::create().col("caller").col("key"))
                    .take(),
            )
            .await?;
        manager.create_index(index("idempotency_key", &["created_at"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("idempotency_key").take()).await
    }
}
