//! The log of what is done and of what sealed data is read, and its head.

use sea_orm_migration::prelude::{ColumnDef, Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, text, text_null, timestamp_with_time_zone, uuid_null,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::index;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(entry()).await?;
        manager.create_index(index("audit_entry", &["organisation_id", "position"])).await?;
        manager.create_table(head()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_head").take()).await?;
        manager.drop_table(Table::drop().table("audit_entry").take()).await
    }
}

// No foreign keys: the log outlives what it tells of.
fn entry() -> TableCreateStatement {
    Table::create()
        .table("audit_entry")
        .col(ColumnDef::new("position").big_integer().not_null().primary_key())
        .col(timestamp_with_time_zone("at"))
        .col(text("caller"))
        .col(text("action"))
        .col(uuid_null("organisation_id"))
        .col(text("subject"))
        .col(big_integer_null("version"))
        .col(text("request_id"))
        .col(text_null("details"))
        .col(text("hash"))
        .take()
}

fn head() -> TableCreateStatement {
    Table::create()
        .table("audit_head")
        .col(integer("id").primary_key())
        .col(big_integer("position"))
        .col(text("hash"))
        .col(text("seal"))
        .take()
}
