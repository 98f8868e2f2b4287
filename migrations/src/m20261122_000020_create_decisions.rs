//! What consortia file and agree to share, and what follows the opening of bids: changes that are asked for, and decisions.

use sea_orm_migration::prelude::{
    ConditionalStatement as _, Expr, ExprTrait as _, ForeignKeyAction, Index, Table, TableCreateStatement,
};
use sea_orm_migration::schema::{
    big_integer, json_binary, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer};

const TABLES: [&str; 4] = ["filing", "share_consent", "change_request", "decision"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [filing(), share_consent(), change_request(), decision()] {
            manager.create_table(table).await?;
        }
        manager.create_index(index("filing", &["consortium_id"])).await?;
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

fn filing() -> TableCreateStatement {
    Table::create()
        .table("filing")
        .col(uuid("bid_id").primary_key().take())
        .col(uuid("consortium_id"))
        .col(big_integer("plan"))
        .col(text("digest"))
        .foreign_key(&mut refer("filing", "bid_id", "bid", "id", ForeignKeyAction::NoAction))
        .foreign_key(&mut refer("filing", "consortium_id", "consortium", "id", ForeignKeyAction::NoAction))
        .take()
}

fn share_consent() -> TableCreateStatement {
    Table::create()
        .table("share_consent")
        .col(uuid("consortium_id"))
        .col(big_integer("plan"))
        .col(uuid("organisation_id"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("consortium_id").col("plan").col("organisation_id"))
        .foreign_key(&mut refer("share_consent", "consortium_id", "consortium", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("share_consent", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
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
