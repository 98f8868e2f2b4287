//! Consortia: who is asked, who has said yes to what, who does which part, and who has signed which version.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, integer_null, json_binary, pk_uuid, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, key_text, refer};

const TABLES: [&str; 5] =
    ["consortium", "consortium_member", "consortium_part", "consortium_version", "consortium_signature"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [consortium(), member(), part(), version(), signature()] {
            manager.create_table(table).await?;
        }
        manager.create_index(index("consortium", &["call_id"])).await?;
        manager.create_index(index("consortium", &["lead_id"])).await?;
        manager.create_index(index("consortium_member", &["organisation_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn consortium() -> TableCreateStatement {
    Table::create()
        .table("consortium")
        .col(pk_uuid("id"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(uuid("call_id"))
        .col(big_integer("call_version"))
        .col(uuid("lead_id"))
        .col(text("name"))
        .col(text("form"))
        .col(json_binary("lots"))
        .col(big_integer("coordination_cents"))
        .col(text("phase"))
        .col(text_null("ending"))
        .col(boolean("negotiated"))
        .col(timestamp_with_time_zone_null("due_at"))
        .col(big_integer("plan"))
        .foreign_key(&mut refer("consortium", "call_id", "call", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("consortium", "lead_id", "organisation", "id", ForeignKeyAction::NoAction))
        .take()
}

fn member() -> TableCreateStatement {
    let table = "consortium_member";
    Table::create()
        .table(table)
        .col(uuid("consortium_id"))
        .col(uuid("organisation_id"))
        .col(text("role"))
        .col(text("standing"))
        .col(integer("terms"))
        .col(integer_null("accepted"))
        .col(big_integer_null("signed"))
        .col(big_integer_null("bound"))
        .col(timestamp_with_time_zone_null("answer_by"))
        .col(integer("days"))
        .col(boolean("asks_again"))
        .col(boolean("vacant"))
        .col(uuid_null("replaces_id"))
        .col(integer("position"))
        .col(text_null("message"))
        .col(text_null("reason"))
        .col(boolean("shows_identity"))
        .col(boolean("shares_prices"))
        .col(boolean("own_prices"))
        .col(text("salt"))
        .primary_key(Index::create().col("consortium_id").col("organisation_id"))
        .foreign_key(&mut refer(table, "consortium_id", "consortium", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer(table, "organisation_id", "organisation", "id", ForeignKeyAction::NoAction))
        .take()
}

fn part() -> TableCreateStatement {
    Table::create()
        .table("consortium_part")
        .col(uuid("consortium_id"))
        .col(uuid("organisation_id"))
        .col(key_text("need_code"))
        .col(integer("position"))
        .col(big_integer("quantity"))
        .col(big_integer_null("amount_cents"))
        .primary_key(Index::create().col("consortium_id").col("organisation_id").col("need_code"))
        .foreign_key(&mut refer("consortium_part", "consortium_id", "consortium", "id", ForeignKeyAction::Cascade))
        .take()
}

/// What was signed is kept as it was, whatever becomes of the plan.
fn version() -> TableCreateStatement {
    Table::create()
        .table("consortium_version")
        .col(uuid("consortium_id"))
        .col(big_integer("plan"))
        .col(text("digest"))
        .col(json_binary("statement"))
        .primary_key(Index::create().col("consortium_id").col("plan"))
        .foreign_key(&mut refer("consortium_version", "consortium_id", "consortium", "id", ForeignKeyAction::Cascade))
        .take()
}

fn signature() -> TableCreateStatement {
    let table = "consortium_signature";
    Table::create()
        .table(table)
        .col(uuid("consortium_id"))
        .col(big_integer("plan"))
        .col(uuid("organisation_id"))
        .col(text("digest"))
        .col(timestamp_with_time_zone("signed_at"))
        .col(text("signed_by"))
        .primary_key(Index::create().col("consortium_id").col("plan").col("organisation_id"))
        .foreign_key(&mut refer(table, "consortium_id", "consortium", "id", ForeignKeyAction::Cascade))
        .take()
}
