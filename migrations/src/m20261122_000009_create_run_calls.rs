//! The calls of a run: one, or several that are answered together. `run.call_id` stays, as the first of them.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table};
use sea_orm_migration::schema::{big_integer, small_integer, uuid};
use sea_orm_migration::sea_orm::ConnectionTrait as _;
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
                    .table("run_call")
                    .col(uuid("run_id"))
                    .col(small_integer("position"))
                    .col(uuid("call_id"))
                    .col(big_integer("call_version"))
                    .primary_key(Index::create().col("run_id").col("position"))
                    .foreign_key(&mut refer("run_call", "run_id", "run", "id", ForeignKeyAction::Cascade))
                    .foreign_key(&mut refer("run_call", "call_id", "call", "id", ForeignKeyAction::Cascade))
                    .take(),
            )
            .await?;
        manager.create_index(index("run_call", &["call_id", "run_id"])).await?;
        let copy = "INSERT INTO run_call (run_id, position, call_id, call_version) \
                    SELECT id, 0, call_id, call_version FROM run";
        manager.get_connection().execute_unprepared(copy).await?;
        Ok(())
    }

    /// Runs of several calls are dropped: the release before cannot read them.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let several = "DELETE FROM run WHERE id IN (SELECT run_id FROM run_call WHERE position > 0)";
        manager.get_connection().execute_unprepared(several).await?;
        manager.drop_table(Table::drop().table("run_call").take()).await
    }
}
