//! Vocabularies (services, publics, modalities), territories, and the settings of the installation.

use sea_orm_migration::prelude::{ForeignKeyAction, Table};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, double_null, json_binary, text, text_null, timestamp_with_time_zone,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, key_text, refer};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create().table("setting").col(key_text("name").primary_key().take()).col(binary("value")).take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("term")
                    .col(key_text("id").primary_key().take())
                    .col(text("vocabulary"))
                    .col(text("code"))
                    .col(text_null("parent_id"))
                    .col(text("label_en"))
                    .col(text("label_fr"))
                    .col(json_binary("crosswalks"))
                    .col(big_integer("version"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(&mut refer("term", "parent_id", "term", "id", ForeignKeyAction::NoAction))
                    .take(),
            )
            .await?;
        manager.create_index(index("term", &["vocabulary", "code"]).unique().take()).await?;
        manager
            .create_table(
                Table::create()
                    .table("territory")
                    .col(key_text("code").primary_key().take())
                    .col(text("name"))
                    .col(text("search_name"))
                    .col(text("kind"))
                    .col(text_null("parent_code"))
                    .col(big_integer_null("population"))
                    .col(double_null("latitude"))
                    .col(double_null("longitude"))
                    .col(json_binary("indicators"))
                    .col(big_integer("version"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(&mut refer(
                        "territory",
                        "parent_code",
                        "territory",
                        "code",
                        ForeignKeyAction::NoAction,
                    ))
                    .take(),
            )
            .await?;
        manager.create_index(index("territory", &["parent_code"])).await?;
        manager.create_index(index("territory", &["search_name"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["territory", "term", "setting"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
