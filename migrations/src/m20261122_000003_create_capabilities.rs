//! Capabilities, with the terms and territories that each refers to.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table};
use sea_orm_migration::schema::{big_integer, big_integer_null, date_null, text, text_null, uuid};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, key_text, refer, versioned};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                versioned("capability")
                    .col(text_null("import_key"))
                    .col(uuid("organisation_id"))
                    .col(text_null("title"))
                    .col(text_null("unit"))
                    .col(big_integer_null("capacity_per_year"))
                    .col(big_integer_null("unit_cost_cents"))
                    .col(big_integer("fixed_cost_cents"))
                    .col(big_integer("minimum_quantity"))
                    .col(text("evidence"))
                    .col(date_null("valid_from"))
                    .col(date_null("valid_to"))
                    .foreign_key(&mut refer(
                        "capability",
                        "organisation_id",
                        "organisation",
                        "id",
                        ForeignKeyAction::Cascade,
                    ))
                    .take(),
            )
            .await?;
        manager.create_index(index("capability", &["import_key"]).unique().take()).await?;
        manager.create_index(index("capability", &["organisation_id"])).await?;
        for (table, column, target, key) in [
            ("capability_term", "term_id", "term", "id"),
            ("capability_territory", "territory_code", "territory", "code"),
        ] {
            manager
                .create_table(
                    Table::create()
                        .table(table)
                        .col(uuid("capability_id"))
                        .col(key_text(column))
                        .primary_key(Index::create().col("capability_id").col(column))
                        .foreign_key(&mut refer(table, "capability_id", "capability", "id", ForeignKeyAction::Cascade))
                        .foreign_key(&mut refer(table, column, target, key, ForeignKeyAction::NoAction))
                        .take(),
                )
                .await?;
            manager.create_index(index(table, &[column])).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["capability_territory", "capability_term", "capability"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
