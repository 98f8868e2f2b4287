//! Columns and keys that every table writes the same way.

use sea_orm_migration::prelude::{
    ColumnDef, ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, Index, IndexCreateStatement, IntoIden, Table,
    TableCreateStatement,
};
use sea_orm_migration::schema::{big_integer, pk_uuid, timestamp_with_time_zone};

/// A table that does not exist yet, with a UUID as its key and the columns of every versioned resource.
pub fn versioned(table: &'static str) -> TableCreateStatement {
    Table::create()
        .table(table)
        .col(pk_uuid("id"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

/// `from(column)` refers to `to(key)`. To refuse a deletion use `NoAction`: SQLite reports `RESTRICT` as a trigger's failure, which
/// cannot be told from others.
pub fn refer(
    from: &'static str,
    column: &'static str,
    to: &'static str,
    key: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().name(format!("fk_{from}_{column}")).from(from, column).to(to, key).on_delete(on_delete).take()
}

/// An index over columns of a table.
pub fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("ix_{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

/// A text column that may be a key: no length, on both engines.
pub fn key_text<T: IntoIden>(name: T) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}
