//! Runs and their proposals.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, json_binary, json_binary_null, pk_uuid, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("run")
                    .col(pk_uuid("id"))
                    .col(uuid("call_id"))
                    .col(big_integer("call_version"))
                    .col(text("state"))
                    .col(json_binary("options"))
                    .col(text("fingerprint"))
                    .col(text_null("engine"))
                    .col(text_null("result"))
                    .col(big_integer_null("objective_cents"))
                    .col(big_integer_null("bound_cents"))
                    .col(json_binary_null("report"))
                    .col(json_binary_null("infeasibility"))
                    .col(text_null("failure"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("started_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .foreign_key(&mut refer("run", "call_id", "call", "id", ForeignKeyAction::Cascade))
                    .take(),
            )
            .await?;
        manager.create_index(index("run", &["call_id"])).await?;
        manager.create_index(index("run", &["state"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("proposal")
                    .col(uuid("run_id"))
                    .col(integer("rank"))
                    .col(json_binary("document"))
                    .primary_key(Index::create().col("run_id").col("rank"))
                    .foreign_key(&mut refer("proposal", "run_id", "run", "id", ForeignKeyAction::Cascade))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["proposal", "run"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
