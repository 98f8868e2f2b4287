//! Organisations with their identifiers, links, credentials, places and relations.

use sea_orm_migration::prelude::{ForeignKeyAction, ForeignKeyCreateStatement, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer_null, boolean, date_null, double_null, integer_null, json_binary, pk_uuid, small_integer, text,
    text_null, uuid,
};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, key_text, refer, versioned};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [organisation(), organisation_identifier(), organisation_link(), credential(), place(), relation()]
        {
            manager.create_table(table).await?;
        }
        for (table, column) in [("organisation", "import_key"), ("place", "import_key")] {
            manager.create_index(index(table, &[column]).unique().take()).await?;
        }
        manager.create_index(index("relation", &["a_id", "b_id", "kind"]).unique().take()).await?;
        for (table, column) in [
            ("organisation_identifier", "organisation_id"),
            ("organisation_link", "to_id"),
            ("credential", "organisation_id"),
            ("place", "organisation_id"),
            ("relation", "b_id"),
        ] {
            manager.create_index(index(table, &[column])).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["relation", "place", "credential", "organisation_link", "organisation_identifier", "organisation"]
        {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn owned_by_organisation(table: &'static str) -> ForeignKeyCreateStatement {
    refer(table, "organisation_id", "organisation", "id", ForeignKeyAction::Cascade)
}

fn organisation() -> TableCreateStatement {
    versioned("organisation")
        .col(text_null("import_key"))
        .col(text("name"))
        .col(text("search_name"))
        .col(json_binary("aliases"))
        .col(text_null("legal_form"))
        .col(text_null("legal_family"))
        .col(text_null("economic_model"))
        .col(json_binary("resource_mix"))
        .col(text_null("size"))
        .col(double_null("full_time_equivalents"))
        .col(integer_null("volunteers"))
        .col(json_binary("home_territories"))
        .col(text_null("website"))
        .col(text_null("description"))
        .col(text_null("contact"))
        .col(text_null("source"))
        .col(date_null("fresh_on"))
        .col(boolean("illustrative"))
        .col(big_integer_null("turnover_cents"))
        .col(big_integer_null("available_cash_cents"))
        .take()
}

fn organisation_identifier() -> TableCreateStatement {
    Table::create()
        .table("organisation_identifier")
        .col(key_text("scheme"))
        .col(key_text("value"))
        .col(uuid("organisation_id"))
        .col(small_integer("position"))
        .primary_key(Index::create().col("scheme").col("value"))
        .foreign_key(&mut owned_by_organisation("organisation_identifier"))
        .take()
}

fn organisation_link() -> TableCreateStatement {
    Table::create()
        .table("organisation_link")
        .col(uuid("organisation_id"))
        .col(uuid("to_id"))
        .col(text("kind"))
        .col(boolean("shares_credentials"))
        .col(boolean("shares_capacity"))
        .primary_key(Index::create().col("organisation_id").col("to_id"))
        .foreign_key(&mut owned_by_organisation("organisation_link"))
        .foreign_key(&mut refer("organisation_link", "to_id", "organisation", "id", ForeignKeyAction::NoAction))
        .take()
}

fn credential() -> TableCreateStatement {
    Table::create()
        .table("credential")
        .col(pk_uuid("id"))
        .col(uuid("organisation_id"))
        .col(small_integer("position"))
        .col(text("code"))
        .col(text_null("number"))
        .col(date_null("valid_from"))
        .col(date_null("valid_to"))
        .col(text("evidence"))
        .foreign_key(&mut owned_by_organisation("credential"))
        .take()
}

fn place() -> TableCreateStatement {
    versioned("place")
        .col(text("import_key"))
        .col(uuid("organisation_id"))
        .col(text("name"))
        .col(text_null("address"))
        .col(text_null("post_code"))
        .col(text("municipality"))
        .col(text_null("territory_code"))
        .col(double_null("latitude"))
        .col(double_null("longitude"))
        .col(json_binary("details"))
        .foreign_key(&mut owned_by_organisation("place"))
        .take()
}

fn relation() -> TableCreateStatement {
    versioned("relation")
        .col(uuid("a_id"))
        .col(uuid("b_id"))
        .col(text("kind"))
        .col(small_integer("strength_percent"))
        .col(text_null("source"))
        .col(date_null("since"))
        .col(date_null("until"))
        .foreign_key(&mut refer("relation", "a_id", "organisation", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("relation", "b_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
}
