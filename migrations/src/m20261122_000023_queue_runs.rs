//! Runs as jobs that any worker of any process takes: what is to be computed, and who is at it.

use sea_orm_migration::prelude::{Alias, ColumnDef, ForeignKeyAction, Index, Table};
use sea_orm_migration::schema::{
    big_integer, binary, boolean, integer, json_binary_null, small_integer, text_null, timestamp_with_time_zone_null,
    uuid,
};
use sea_orm_migration::sea_orm::ConnectionTrait as _;
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Additions with defaults: the release before goes on beside this one, and its runs end as before.
fn columns() -> Vec<ColumnDef> {
    vec![
        small_integer("priority").default(0).take(),
        integer("attempts").default(0).take(),
        big_integer("fence").default(0).take(),
        timestamp_with_time_zone_null("available_at"),
        timestamp_with_time_zone_null("lease_until"),
        text_null("worker"),
        boolean("cancel_requested").default(false).take(),
        big_integer("spent_ms").default(0).take(),
        json_binary_null("progress"),
        text_null("twin"),
        text_null("told"),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager.alter_table(Table::alter().table("run").add_column(column).take()).await?;
        }
        // Of equal questions one is computed at a time.
        let unique = "CREATE UNIQUE INDEX ux_run_twin_unfinished ON run (twin) WHERE state IN ('queued', 'running')";
        manager.get_connection().execute_unprepared(unique).await?;
        manager.create_index(index("run", &["twin", "finished_at"])).await?;
        // Who has had how much computed since yesterday.
        manager.create_index(index("run", &["started_at"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("run_work")
                    .col(uuid("run_id"))
                    .col(big_integer("limit_ms"))
                    .col(binary("document"))
                    .primary_key(Index::create().col("run_id"))
                    .foreign_key(&mut refer("run_work", "run_id", "run", "id", ForeignKeyAction::Cascade))
                    .take(),
            )
            .await
    }

    /// Runs that were cancelled are dropped: the release before cannot read them.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("run_work").take()).await?;
        manager.get_connection().execute_unprepared("DELETE FROM run WHERE state = 'cancelled'").await?;
        for name in ["ix_run_started_at", "ix_run_twin_finished_at", "ux_run_twin_unfinished"] {
            manager.drop_index(Index::drop().name(name).table("run").to_owned()).await?;
        }
        for column in columns().into_iter().rev() {
            let name = Alias::new(column.get_column_name());
            manager.alter_table(Table::alter().table("run").drop_column(name).take()).await?;
        }
        Ok(())
    }
}
