//! What follows the opening of bids: changes that are asked for, and decisions.

use sea_orm_migration::prelude::{
    ConditionalStatement as _, Expr, ExprTrait as _, ForeignKeyAction, Table, TableCreateStatement,
};
use sea_orm_migration::schema::{
    big_integer, json_binary, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer};

const TABLES: [&str; 2] = ["change_request", "decision"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [change_request(), decision()] {
            manager.create_table(table).await?;
        }
        // A bid is changed for one reason at a time.
        let mut open = index("change_request", &["bid_id"]);
        manager.create_index(open.unique().and_where(Expr::col("answered_by").is_null()).take()).await?;
        manager.create_index(index("change_request", &["call_id", "organisation_id"])).await?;
        manager.create_index(index("decision", &["call_id", "number"]).unique().take()).await?;
        // What is still to be told.
        manager.create_index(index("decision", &["tell_at"]).and_where(Expr::col("told_at").is_null()).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

/// Who asked is kept when their account is erased: the id leads to nobody then.
fn change_request() -> TableCreateStatement {
    Table::create()
        .table("change_request")
        .col(pk_uuid("id"))
        .col(uuid("call_id"))
        .col(uuid("organisation_id"))
        .col(uuid("bid_id"))
        .col(uuid("asked_by"))
        .col(timestamp_with_time_zone("asked_at"))
        .col(timestamp_with_time_zone("due_at"))
        .col(text("text"))
        .col(uuid_null("answered_by"))
        .col(timestamp_with_time_zone_null("answered_at"))
        .foreign_key(&mut refer("change_request", "call_id", "call", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("change_request", "organisation_id", "organisation", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("change_request", "bid_id", "bid", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("change_request", "answered_by", "bid", "id", ForeignKeyAction::NoAction))
        .take()
}

/// Each version of a decision is a row, which never changes but by being told.
fn decision() -> TableCreateStatement {
    Table::create()
        .table("decision")
        .col(pk_uuid("id"))
        .col(uuid("call_id"))
        .col(big_integer("number"))
        .col(uuid_null("replaces_id"))
        .col(uuid("decided_by"))
        .col(timestamp_with_time_zone("decided_at"))
        .col(timestamp_with_time_zone("tell_at"))
        .col(timestamp_with_time_zone_null("told_at"))
        .col(json_binary("lots"))
        .foreign_key(&mut refer("decision", "call_id", "call", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("decision", "replaces_id", "decision", "id", ForeignKeyAction::NoAction))
        .take()
}
