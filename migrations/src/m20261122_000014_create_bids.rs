//! Sealed bids: the keys of calls, the bids, who may open them, and their opening.

use sea_orm_migration::prelude::{
    ConditionalStatement as _, Expr, ExprTrait as _, ForeignKeyAction, Index, Table, TableCreateStatement,
};
use sea_orm_migration::schema::{
    big_integer, binary, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer};

const TABLES: [&str; 4] = ["call_key", "bid", "evaluator", "opening"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [call_key(), bid(), evaluator(), opening()] {
            manager.create_table(table).await?;
        }
        // An organisation has one bid that stands on a call.
        let mut standing = index("bid", &["call_id", "organisation_id"]);
        manager.create_index(standing.unique().and_where(Expr::col("state").eq("received")).take()).await?;
        manager.create_index(index("bid", &["organisation_id"])).await?;
        manager.create_index(index("evaluator", &["person_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn call_key() -> TableCreateStatement {
    Table::create()
        .table("call_key")
        .col(uuid("call_id").primary_key().take())
        .col(text("sealed_by"))
        .col(binary("nonce"))
        .col(binary("ciphertext"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut refer("call_key", "call_id", "call", "id", ForeignKeyAction::NoAction))
        .take()
}

fn bid() -> TableCreateStatement {
    Table::create()
        .table("bid")
        .col(pk_uuid("id"))
        .col(uuid("call_id"))
        .col(big_integer("call_version"))
        .col(uuid("organisation_id"))
        .col(text("state"))
        .col(timestamp_with_time_zone("received_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(text("digest"))
        .col(binary("nonce"))
        .col(binary("ciphertext"))
        .foreign_key(&mut refer("bid", "call_id", "call", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("bid", "organisation_id", "organisation", "id", ForeignKeyAction::NoAction))
        .take()
}

fn evaluator() -> TableCreateStatement {
    Table::create()
        .table("evaluator")
        .col(uuid("call_id"))
        .col(uuid("person_id"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("call_id").col("person_id"))
        .foreign_key(&mut refer("evaluator", "call_id", "call", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("evaluator", "person_id", "person", "id", ForeignKeyAction::Cascade))
        .take()
}

/// Who opened the bids is kept when their accounts are erased: their ids lead to nobody then.
fn opening() -> TableCreateStatement {
    Table::create()
        .table("opening")
        .col(uuid("call_id").primary_key().take())
        .col(uuid("asked_by"))
        .col(timestamp_with_time_zone("asked_at"))
        .col(uuid_null("opened_by"))
        .col(timestamp_with_time_zone_null("opened_at"))
        .foreign_key(&mut refer("opening", "call_id", "call", "id", ForeignKeyAction::Cascade))
        .take()
}
