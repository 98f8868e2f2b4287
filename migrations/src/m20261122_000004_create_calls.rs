//! Calls with their lots and needs.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, date, integer, json_binary, small_integer, text, text_null,
    timestamp_with_time_zone_null, uuid,
};
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
                versioned("call")
                    .col(uuid("funder_id"))
                    .col(text("title"))
                    .col(text_null("reference"))
                    .col(text_null("description"))
                    .col(text("kind"))
                    .col(text("status"))
                    .col(date("starts_on"))
                    .col(integer("duration_months"))
                    .col(timestamp_with_time_zone_null("answers_due_at"))
                    .col(big_integer_null("budget_cents"))
                    .col(json_binary("eligibility"))
                    .col(json_binary("group_policy"))
                    .col(json_binary("money_policy"))
                    .col(json_binary("award_criteria"))
                    .col(json_binary("assumptions"))
                    .col(timestamp_with_time_zone_null("published_at"))
                    .col(timestamp_with_time_zone_null("closed_at"))
                    .foreign_key(&mut refer("call", "funder_id", "organisation", "id", ForeignKeyAction::NoAction))
                    .take(),
            )
            .await?;
        manager.create_index(index("call", &["funder_id"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("lot")
                    .col(uuid("call_id"))
                    .col(key_text("code"))
                    .col(small_integer("position"))
                    .col(text("title"))
                    .primary_key(Index::create().col("call_id").col("code"))
                    .foreign_key(&mut refer("lot", "call_id", "call", "id", ForeignKeyAction::Cascade))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("need")
                    .col(uuid("call_id"))
                    .col(key_text("code"))
                    .col(text("lot_code"))
                    .col(small_integer("position"))
                    .col(text("title"))
                    .col(text("service_id"))
                    .col(text_null("public_id"))
                    .col(text_null("modality_id"))
                    .col(text("territory_code"))
                    .col(text("unit"))
                    .col(big_integer("quantity"))
                    .col(text("per"))
                    .col(boolean("mandatory"))
                    .col(text("spread"))
                    .col(big_integer("unmet_cost_cents"))
                    .col(big_integer_null("reference_unit_cost_cents"))
                    .primary_key(Index::create().col("call_id").col("code"))
                    .foreign_key(&mut refer("need", "call_id", "call", "id", ForeignKeyAction::Cascade))
                    .foreign_key(&mut refer("need", "service_id", "term", "id", ForeignKeyAction::NoAction))
                    .foreign_key(&mut refer("need", "public_id", "term", "id", ForeignKeyAction::NoAction))
                    .foreign_key(&mut refer("need", "modality_id", "term", "id", ForeignKeyAction::NoAction))
                    .foreign_key(&mut refer("need", "territory_code", "territory", "code", ForeignKeyAction::NoAction))
                    .take(),
            )
            .await?;
        for column in ["service_id", "territory_code"] {
            manager.create_index(index("need", &[column])).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["need", "lot", "call"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
