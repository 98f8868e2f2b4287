//! Stable consortia: who keeps together for the next call, what each did, and what each showed of itself on that day.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{integer, json_binary, text, timestamp_with_time_zone_null, uuid};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer, versioned};

const TABLES: [&str; 2] = ["framework", "framework_member"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [framework(), member()] {
            manager.create_table(table).await?;
        }
        manager.create_index(index("framework", &["consortium_id"])).await?;
        manager.create_index(index("framework", &["lead_id"])).await?;
        manager.create_index(index("framework_member", &["organisation_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn framework() -> TableCreateStatement {
    versioned("framework")
        .col(uuid("consortium_id"))
        .col(uuid("call_id"))
        .col(uuid("lead_id"))
        .col(text("name"))
        .col(text("kept_in"))
        .col(integer("months"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .foreign_key(&mut refer("framework", "consortium_id", "consortium", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("framework", "call_id", "call", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("framework", "lead_id", "organisation", "id", ForeignKeyAction::NoAction))
        .take()
}

/// What was done stays, whatever becomes of the call, of its terms, or of the organisation itself: so nothing is referred to but the
/// framework.
fn member() -> TableCreateStatement {
    let table = "framework_member";
    Table::create()
        .table(table)
        .col(uuid("framework_id"))
        .col(uuid("organisation_id"))
        .col(text("role"))
        .col(text("standing"))
        .col(integer("answers"))
        .col(json_binary("parts"))
        .col(json_binary("kept"))
        .primary_key(Index::create().col("framework_id").col("organisation_id"))
        .foreign_key(&mut refer(table, "framework_id", "framework", "id", ForeignKeyAction::Cascade))
        .take()
}
