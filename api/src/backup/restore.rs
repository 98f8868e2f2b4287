//! Reads a backup, and puts it into an empty database.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use attelage_migrations::{Migrator, MigratorTrait as _};
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr};
use zip::ZipArchive;

use super::rows::{self, Digester, Row, quoted};
use super::take::entry;
use super::{BackupError, FORMAT, MANIFEST, Manifest, Table, catalogue};
use crate::database::rows_per_statement;
use crate::database::writer::Writer;

/// Reads a whole backup and compares it with what it says of itself. No database is touched. O(rows).
///
/// # Errors
/// A file that is not a backup of this format, or is damaged.
pub fn check(file: &Path) -> Result<Manifest, BackupError> {
    let mut archive = open(file)?;
    let manifest = manifest(&mut archive)?;
    for table in &manifest.tables {
        let mut digester = Digester::default();
        lines(&mut archive, table, |row| digester.add(&row))?;
        agree(table, &digester.end(), "in the file")?;
    }
    Ok(manifest)
}

/// Puts a backup into a database without data, of either kind, reads back what it has written, and keeps it only if it is the same. Then
/// brings the schema up to date. O(rows).
///
/// # Errors
/// A damaged backup, or one of a later version of the service; a database that is not empty; the database's. Nothing is kept then but
/// an empty schema.
pub async fn restore(db: &DatabaseConnection, file: &Path) -> Result<Manifest, BackupError> {
    let manifest = check(file)?;
    let known = catalogue::known_migrations();
    if !known.starts_with(&manifest.migrations) {
        let words = format!(
            "this backup is of version {} of the service, whose schema version {} does not know: restore it with that version",
            manifest.service,
            env!("CARGO_PKG_VERSION")
        );
        return Err(BackupError::Version(words));
    }
    let applied = Migrator::get_applied_migrations(db).await?.len();
    let missing = manifest.migrations.len().saturating_sub(applied);
    if applied > manifest.migrations.len() {
        let words = "the schema of this database is younger than the backup: restore into a new database".to_owned();
        return Err(BackupError::Version(words));
    }
    if missing > 0 {
        Migrator::up(db, u32::try_from(missing).ok()).await?;
    }
    let tx = Writer::new(db).begin().await?;
    fill(&tx, file, &manifest).await?;
    for table in &manifest.tables {
        agree(table, &rows::digest(&*tx, table).await?, "in the database")?;
    }
    tx.commit().await?;
    Migrator::up(db, None).await?;
    Ok(manifest)
}

/// Writes all rows. References between rows are checked at the end, so that their order does not matter.
async fn fill(tx: &DatabaseTransaction, file: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    same_tables(&catalogue::tables(tx).await?, manifest)?;
    for table in &manifest.tables {
        let rows = rows::digest(tx, table).await?.rows;
        if rows > 0 {
            return Err(BackupError::NotEmpty(table.name.clone()));
        }
    }
    let postponed = postpone_references(tx).await?;
    let mut archive = open(file)?;
    for table in &manifest.tables {
        let at_once = rows_per_statement(tx, table.columns.len());
        let mut waiting: Vec<Row> = Vec::with_capacity(at_once);
        let reader = archive.by_name(&entry(&table.name))?;
        for line in BufReader::new(reader).lines() {
            waiting.push(row(table, &line?)?);
            if waiting.len() == at_once {
                insert(tx, table, std::mem::take(&mut waiting)).await?;
            }
        }
        insert(tx, table, waiting).await?;
    }
    for sql in postponed {
        tx.execute_unprepared(&sql).await?;
    }
    continue_sequences(tx, manifest).await
}

async fn insert(tx: &DatabaseTransaction, table: &Table, rows: Vec<Row>) -> Result<(), BackupError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert.into_table(Alias::new(&table.name)).columns(table.columns.iter().map(|column| Alias::new(&column.name)));
    for row in rows {
        let cells = table.columns.iter().zip(&row).map(|(column, cell)| {
            let bound = column.kind.bind(cell).map(Into::into);
            bound.ok_or_else(|| BackupError::Damaged(format!("{}.{} holds {cell}", table.name, column.name)))
        });
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        insert.values(cells).map_err(BackupError::damaged)?;
    }
    tx.execute(&insert).await?;
    Ok(())
}

/// Has references checked later; gives what has them checked, and everything as it was.
async fn postpone_references(tx: &DatabaseTransaction) -> Result<Vec<String>, DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        tx.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
        return Ok(Vec::new());
    }
    let sql = "SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I', conrelid::regclass, conname) AS name FROM pg_constraint WHERE contype = 'f' AND NOT condeferrable AND connamespace = current_schema()::regnamespace ORDER BY 1";
    let statement = sea_orm::Statement::from_string(DbBackend::Postgres, sql);
    let mut back = vec!["SET CONSTRAINTS ALL IMMEDIATE".to_owned()];
    for row in tx.query_all_raw(statement).await? {
        let constraint: String = row.try_get("", "name")?;
        tx.execute_unprepared(&format!("{constraint} DEFERRABLE INITIALLY DEFERRED")).await?;
        back.push(format!("{constraint} NOT DEFERRABLE"));
    }
    Ok(back)
}

/// Numbers that PostgreSQL gives by itself go on after the last one; SQLite sees to that.
async fn continue_sequences(tx: &DatabaseTransaction, manifest: &Manifest) -> Result<(), BackupError> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    for table in &manifest.tables {
        for column in &table.key {
            let sql = format!(
                "SELECT setval(sequence, (SELECT MAX({}) FROM {})) FROM pg_get_serial_sequence('{}', '{}') AS own(sequence) WHERE sequence IS NOT NULL AND EXISTS (SELECT 1 FROM {1})",
                quoted(column),
                quoted(&table.name),
                quoted(&table.name).replace('\'', "''"),
                column.replace('\'', "''"),
            );
            let is_number = |own: &super::Column| own.name == *column && own.kind == super::cells::Kind::Integer;
            if table.columns.iter().any(is_number) {
                tx.execute_unprepared(&sql).await?;
            }
        }
    }
    Ok(())
}

fn same_tables(own: &[Table], manifest: &Manifest) -> Result<(), BackupError> {
    let shape = |tables: &[Table]| -> BTreeSet<(String, Vec<(String, String)>)> {
        let columns = |table: &Table| {
            table.columns.iter().map(|column| (column.name.clone(), format!("{:?}", column.kind))).collect()
        };
        tables.iter().map(|table| (table.name.clone(), columns(table))).collect()
    };
    let (own, wanted) = (shape(own), shape(&manifest.tables));
    match own.symmetric_difference(&wanted).next() {
        None => Ok(()),
        Some((table, _)) => {
            Err(BackupError::Version(format!("the table {table} is not the same in the backup and in this database")))
        }
    }
}

fn open(file: &Path) -> Result<ZipArchive<BufReader<File>>, BackupError> {
    Ok(ZipArchive::new(BufReader::new(File::open(file)?))?)
}

fn manifest(archive: &mut ZipArchive<BufReader<File>>) -> Result<Manifest, BackupError> {
    let manifest: Manifest = serde_json::from_reader(archive.by_name(MANIFEST)?).map_err(BackupError::damaged)?;
    if manifest.format == FORMAT {
        Ok(manifest)
    } else {
        Err(BackupError::Version(format!("a backup of the format {} is expected, not {}", FORMAT, manifest.format)))
    }
}

/// Goes through the rows of a table in a backup.
fn lines(
    archive: &mut ZipArchive<BufReader<File>>,
    table: &Table,
    mut each: impl FnMut(Row) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    for line in BufReader::new(archive.by_name(&entry(&table.name))?).lines() {
        each(row(table, &line?)?)?;
    }
    Ok(())
}

fn row(table: &Table, line: &str) -> Result<Row, BackupError> {
    let row: Row = serde_json::from_str(line).map_err(BackupError::damaged)?;
    if row.len() == table.columns.len() {
        Ok(row)
    } else {
        Err(BackupError::Damaged(format!("a row of {} has {} cells", table.name, row.len())))
    }
}

fn agree(table: &Table, found: &super::Digest, place: &str) -> Result<(), BackupError> {
    if table.digest == *found {
        return Ok(());
    }
    let words = format!(
        "of {} there should be {} rows ({}), and {place} there are {} ({})",
        table.name, table.digest.rows, table.digest.sha256, found.rows, found.sha256
    );
    Err(BackupError::Damaged(words))
}
