//! In whose name a run was asked for, and with whom an organisation would rather not work.

use sea_orm_migration::prelude::{Alias, ForeignKeyAction, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{pk_uuid, text_null, timestamp_with_time_zone, uuid, uuid_null};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign key: SQLite cannot add one. Organisations are deleted with their runs by the service.
        manager.alter_table(Table::alter().table("run").add_column(uuid_null("organisation_id")).take()).await?;
        manager.create_index(index("run", &["organisation_id"])).await?;
        manager.create_table(reservation()).await?;
        manager.create_index(index("reservation", &["organisation_id", "against_id"]).unique().take()).await?;
        manager.create_index(index("reservation", &["against_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("reservation").take()).await?;
        manager.drop_index(Index::drop().name("ix_run_organisation_id").table("run").to_owned()).await?;
        manager.alter_table(Table::alter().table("run").drop_column(Alias::new("organisation_id")).take()).await
    }
}

fn reservation() -> TableCreateStatement {
    Table::create()
        .table("reservation")
        .col(pk_uuid("id"))
        .col(uuid("organisation_id"))
        .col(uuid("against_id"))
        .col(text_null("note"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut refer("reservation", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("reservation", "against_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
}
