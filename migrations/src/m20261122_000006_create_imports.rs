//! Imports and what each row's fault was.

use sea_orm_migration::prelude::{ForeignKeyAction, Index, Table};
use sea_orm_migration::schema::{integer, json_binary, pk_uuid, text, timestamp_with_time_zone, uuid};
use sea_orm_migration::{DbErr, MigrationTrait, SchemaManager, async_trait, prelude::DeriveMigrationName};

use crate::columns::{index, refer};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("import")
                    .col(pk_uuid("id"))
                    .col(text("kind"))
                    .col(text("digest"))
                    .col(json_binary("summary"))
                    .col(timestamp_with_time_zone("created_at"))
                    .take(),
            )
            .await?;
        manager.create_index(index("import", &["digest"])).await?;
        manager
            .create_table(
                Table::create()
                    .table("import_fault")
                    .col(uuid("import_id"))
                    .col(integer("position"))
                    .col(integer("line"))
                    .col(text("field"))
                    .col(text("value"))
                    .col(text("problem"))
                    .col(text("message"))
                    .col(text("action"))
                    .primary_key(Index::create().col("import_id").col("position"))
                    .foreign_key(&mut refer("import_fault", "import_id", "import", "id", ForeignKeyAction::Cascade))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["import_fault", "import"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
