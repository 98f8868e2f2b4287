//! What a database says of its own tables.

use attelage_migrations::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::cells::Kind;
use super::{BackupError, Column, Digest, Table};

/// Where the migrations are noted: not data.
const NOTED: &str = "seaql_migrations";

/// All tables but that of the migrations, by name, with nothing in them yet. Two queries a table.
///
/// # Errors
/// A type of column that no backup knows; the database's.
pub async fn tables(db: &impl ConnectionTrait) -> Result<Vec<Table>, BackupError> {
    let on_postgres = db.get_database_backend() == DbBackend::Postgres;
    let all = if on_postgres {
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name COLLATE \"C\""
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    };
    let mut tables = Vec::new();
    for name in names(db, all, None).await? {
        if name != NOTED {
            tables.push(table(db, name, on_postgres).await?);
        }
    }
    Ok(tables)
}

async fn table(db: &impl ConnectionTrait, name: String, on_postgres: bool) -> Result<Table, BackupError> {
    let (columns, key) = if on_postgres {
        (
            "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY column_name COLLATE \"C\"",
            "SELECT a.attname::text AS name FROM pg_index i JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, place) ON TRUE JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE i.indisprimary AND i.indrelid = to_regclass(quote_ident($1)) ORDER BY k.place",
        )
    } else {
        (
            "SELECT name, type FROM pragma_table_info(?) ORDER BY name",
            "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk",
        )
    };
    let statement = Statement::from_sql_and_values(db.get_database_backend(), columns, [name.as_str().into()]);
    let mut found = Vec::new();
    for row in db.query_all_raw(statement).await? {
        let (column, sql): (String, String) = (row.try_get("", "name")?, row.try_get("", "type")?);
        let kind = Kind::declared(&sql).ok_or_else(|| BackupError::Kind(format!("{name}.{column}"), sql))?;
        found.push(Column { name: column, kind });
    }
    let key = names(db, key, Some(&name)).await?;
    Ok(Table { name, columns: found, key, digest: Digest::default() })
}

async fn names(db: &impl ConnectionTrait, sql: &str, of: Option<&str>) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, of.map(Into::into));
    db.query_all_raw(statement).await?.iter().map(|row| row.try_get("", "name")).collect()
}

/// The migrations that have been applied, in their order. One query.
///
/// # Errors
/// The database's: of one that has none, too.
pub async fn migrations(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    names(db, "SELECT version AS name FROM seaql_migrations ORDER BY version", None).await
}

/// The migrations that this version of the service has.
pub fn known_migrations() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}
