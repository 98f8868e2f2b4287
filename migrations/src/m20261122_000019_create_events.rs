//! What happened and whom it was told to: the feed, webhooks with their deliveries, and mail.

use sea_orm_migration::prelude::{
    ColumnDef, ConditionalStatement as _, Expr, ExprTrait as _, ForeignKeyAction, Index, IndexCreateStatement, Table,
    TableCreateStatement,
};
use sea_orm_migration::schema::{
    big_integer, binary, boolean, integer, json_binary, pk_uuid, small_integer_null, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer, versioned};

const TABLES: [&str; 7] =
    ["event", "event_audience", "webhook", "webhook_secret", "delivery", "mail_preference", "mail_progress"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [event(), audience(), webhook(), webhook_secret(), delivery(), mail_preference(), mail_progress()]
        {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn indexes() -> [IndexCreateStatement; 9] {
    [
        index("event", &["id"]).unique().take(),
        index("event", &["subject_id", "position"]),
        index("event", &["public", "position"]).and_where(Expr::col("public").eq(true)).take(),
        index("event_audience", &["position"]),
        index("webhook", &["organisation_id"]),
        index("webhook_secret", &["webhook_id"]),
        index("delivery", &["webhook_id", "position"]).unique().take(),
        index("delivery", &["webhook_id", "subject", "position"]).and_where(Expr::col("state").eq("pending")).take(),
        index("delivery", &["due_at"]).and_where(Expr::col("state").eq("pending")).take(),
    ]
}

// Events and deliveries are written while the head of the audit log is held: without foreign keys, so that this waits for nobody.
fn event() -> TableCreateStatement {
    Table::create()
        .table("event")
        .col(ColumnDef::new("position").big_integer().not_null().primary_key())
        .col(uuid("id"))
        .col(timestamp_with_time_zone("at"))
        .col(text("kind"))
        .col(text("subject_kind"))
        .col(uuid("subject_id"))
        .col(boolean("public"))
        .col(text("data"))
        .take()
}

fn audience() -> TableCreateStatement {
    Table::create()
        .table("event_audience")
        .col(uuid("organisation_id"))
        .col(big_integer("position"))
        .primary_key(Index::create().col("organisation_id").col("position"))
        .take()
}

fn webhook() -> TableCreateStatement {
    versioned("webhook")
        .col(uuid("organisation_id"))
        .col(text("url"))
        .col(text_null("description"))
        .col(json_binary("types"))
        .col(boolean("enabled"))
        .col(text_null("disabled_because"))
        .col(timestamp_with_time_zone_null("failing_since"))
        .foreign_key(&mut refer("webhook", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
}

fn webhook_secret() -> TableCreateStatement {
    Table::create()
        .table("webhook_secret")
        .col(pk_uuid("id"))
        .col(uuid("webhook_id"))
        .col(text("sealed_by"))
        .col(binary("nonce"))
        .col(binary("ciphertext"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .foreign_key(&mut refer("webhook_secret", "webhook_id", "webhook", "id", ForeignKeyAction::Cascade))
        .take()
}

fn delivery() -> TableCreateStatement {
    Table::create()
        .table("delivery")
        .col(pk_uuid("id"))
        .col(uuid("webhook_id"))
        .col(big_integer("position"))
        .col(text("subject"))
        .col(text("state"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone("due_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("attempted_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(small_integer_null("status"))
        .col(text_null("answer"))
        .take()
}

fn mail_preference() -> TableCreateStatement {
    Table::create()
        .table("mail_preference")
        .col(uuid("person_id").primary_key().take())
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(text("language"))
        .col(boolean("enabled"))
        .col(json_binary("muted"))
        .foreign_key(&mut refer("mail_preference", "person_id", "person", "id", ForeignKeyAction::Cascade))
        .take()
}

fn mail_progress() -> TableCreateStatement {
    Table::create()
        .table("mail_progress")
        .col(uuid("person_id").primary_key().take())
        .col(big_integer("position"))
        .col(timestamp_with_time_zone("busy_until"))
        .foreign_key(&mut refer("mail_progress", "person_id", "person", "id", ForeignKeyAction::Cascade))
        .take()
}
