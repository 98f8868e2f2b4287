//! Interest in calls, and the key by which organisations are listed by name.

use sea_orm_migration::prelude::{ColumnDef, ForeignKeyAction, Index, Table, TableCreateStatement};
use sea_orm_migration::schema::{json_binary, text, text_null, uuid};
use sea_orm_migration::sea_orm::{ConnectionTrait as _, DbBackend};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer, versioned};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(interest()).await?;
        manager.create_table(interest_reader()).await?;
        manager.create_index(index("interest", &["call_id", "organisation_id"]).unique().take()).await?;
        manager.create_index(index("interest", &["organisation_id"])).await?;
        manager.create_index(index("interest_reader", &["organisation_id"])).await?;

        let mut column = ColumnDef::new("sort_name");
        column.text().not_null().default("");
        manager.alter_table(Table::alter().table("organisation").add_column(column).take()).await?;
        // The folded name stands before the aliases, and holds no `|` itself.
        let first = match manager.get_database_backend() {
            DbBackend::Postgres => "split_part(search_name, '|', 1)",
            _ => "substr(search_name, 1, instr(search_name || '|', '|') - 1)",
        };
        manager.get_connection().execute_unprepared(&format!("UPDATE organisation SET sort_name = {first}")).await?;
        manager.create_index(index("organisation", &["sort_name", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_organisation_sort_name_id").table("organisation").to_owned()).await?;
        manager.alter_table(Table::alter().table("organisation").drop_column("sort_name").take()).await?;
        for table in ["interest_reader", "interest"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn interest() -> TableCreateStatement {
    versioned("interest")
        .col(uuid("call_id"))
        .col(uuid("organisation_id"))
        .col(json_binary("lots"))
        .col(text_null("message"))
        .col(text("audience"))
        .foreign_key(&mut refer("interest", "call_id", "call", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("interest", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
}

/// The organisations that an interest is shown to, where it names them.
fn interest_reader() -> TableCreateStatement {
    Table::create()
        .table("interest_reader")
        .col(uuid("interest_id"))
        .col(uuid("organisation_id"))
        .primary_key(Index::create().col("interest_id").col("organisation_id"))
        .foreign_key(&mut refer("interest_reader", "interest_id", "interest", "id", ForeignKeyAction::Cascade))
        .foreign_key(&mut refer("interest_reader", "organisation_id", "organisation", "id", ForeignKeyAction::Cascade))
        .take()
}
