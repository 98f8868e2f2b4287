//! People, their sessions and memberships, keys of organisations, and the ways to join one.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, boolean, json_binary, pk_uuid, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, key_text, refer, versioned};

const TABLES: [&str; 6] = ["person", "session", "membership", "invitation", "join_request", "api_key"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [person(), session(), membership(), invitation(), join_request(), api_key()] {
            manager.create_table(table).await?;
        }
        for (table, columns) in [
            ("person", &["email"][..]),
            ("person", &["oidc_issuer", "oidc_subject"]),
            ("session", &["digest"]),
            ("invitation", &["digest"]),
            ("api_key", &["digest"]),
        ] {
            manager.create_index(index(table, columns).unique().take()).await?;
        }
        for (table, column) in [
            ("session", "person_id"),
            ("membership", "person_id"),
            ("invitation", "organisation_id"),
            ("join_request", "organisation_id"),
            ("join_request", "person_id"),
            ("api_key", "organisation_id"),
        ] {
            manager.create_index(index(table, &[column])).await?;
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

fn person() -> TableCreateStatement {
    versioned("person")
        .col(key_text("email"))
        .col(text("name"))
        .col(text_null("password_hash"))
        .col(text_null("oidc_issuer"))
        .col(text_null("oidc_subject"))
        .col(boolean("administrator"))
        .take()
}

fn session() -> TableCreateStatement {
    Table::create()
        .table("session")
        .col(pk_uuid("id"))
        .col(uuid("person_id"))
        .col(key_text("digest"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(&mut refer("session", "person_id", "person", "id", ForeignKeyAction::Cascade))
        .take()
}

fn membership() -> TableCreateStatement {
    Table::create()
        .table("membership")
        .col(uuid("organisation_id"))
        .col(uuid("person_id"))
        .col(text("role"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("organisation_id").col("person_id"))
        .foreign_key(&mut refer("membership", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("membership", "person_id", "person", "id", ForeignKeyAction::Cascade))
        .take()
}

fn invitation() -> TableCreateStatement {
    Table::create()
        .table("invitation")
        .col(pk_uuid("id"))
        .col(uuid("organisation_id"))
        .col(text("role"))
        .col(key_text("digest"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .foreign_key(&mut refer("invitation", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
}

fn join_request() -> TableCreateStatement {
    Table::create()
        .table("join_request")
        .col(pk_uuid("id"))
        .col(uuid("organisation_id"))
        .col(uuid("person_id"))
        .col(text("kind"))
        .col(text("state"))
        .col(text_null("message"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("decided_at"))
        .foreign_key(&mut refer("join_request", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("join_request", "person_id", "person", "id", ForeignKeyAction::Cascade))
        .take()
}

fn api_key() -> TableCreateStatement {
    Table::create()
        .table("api_key")
        .col(pk_uuid("id"))
        .col(uuid_null("organisation_id"))
        .col(text("name"))
        .col(text("prefix"))
        .col(key_text("digest"))
        .col(text("role"))
        .col(json_binary("scopes"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .foreign_key(&mut refer("api_key", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
}
