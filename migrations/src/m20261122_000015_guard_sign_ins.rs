//! Failed sign-ins, counted so that nobody guesses passwords, and the states of a provider's sign-ins that are used up.

use sea_orm_migration::prelude::{Table, TableCreateStatement};
use sea_orm_migration::schema::{integer, timestamp_with_time_zone};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, key_text};

const TABLES: [&str; 2] = ["sign_in_attempt", "oidc_used_state"];

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [sign_in_attempt(), oidc_used_state()] {
            manager.create_table(table).await?;
        }
        for table in TABLES {
            manager.create_index(index(table, &["expires_at"])).await?;
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

fn sign_in_attempt() -> TableCreateStatement {
    Table::create()
        .table("sign_in_attempt")
        .col(key_text("subject").primary_key())
        .col(integer("failures"))
        .col(timestamp_with_time_zone("expires_at"))
        .take()
}

fn oidc_used_state() -> TableCreateStatement {
    Table::create()
        .table("oidc_used_state")
        .col(key_text("state").primary_key())
        .col(timestamp_with_time_zone("expires_at"))
        .take()
}
