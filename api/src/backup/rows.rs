//! The rows of a table, in the order of their keys.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value as Bound};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::cells::Kind;
use super::{BackupError, Digest, Table};

use crate::codes::hex;

/// Rows of a table that are held in memory at once.
pub const AT_ONCE: usize = 1_000;

/// A row: a cell for each column, in their order.
pub type Row = Vec<Value>;

/// Reads the rows of a table one lot after the other.
pub struct Reader<'t> {
    table: &'t Table,
    /// The key of the last row that was read.
    after: Option<Vec<Bound>>,
    over: bool,
}

impl<'t> Reader<'t> {
    /// Begins with the first row.
    #[must_use]
    pub fn new(table: &'t Table) -> Self {
        Self { table, after: None, over: false }
    }

    /// The next rows; none after the last. One query, by the index of the key.
    ///
    /// # Errors
    /// The database's.
    pub async fn next(&mut self, db: &impl ConnectionTrait) -> Result<Vec<Row>, DbErr> {
        if self.over {
            return Ok(Vec::new());
        }
        let statement = self.statement(db.get_database_backend());
        let mut rows = Vec::new();
        for row in db.query_all_raw(statement).await? {
            let cells = self.table.columns.iter().map(|column| column.kind.read(&row, &column.name));
            rows.push(cells.collect::<Result<Row, DbErr>>()?);
        }
        self.over = rows.len() < AT_ONCE;
        self.after = rows.last().and_then(|row| {
            let of_key = |name: &String| {
                let place = self.table.columns.iter().position(|column| column.name == *name)?;
                self.table.columns.get(place)?.kind.bind(row.get(place)?)
            };
            self.table.key.iter().map(of_key).collect()
        });
        Ok(rows)
    }

    fn statement(&self, backend: DbBackend) -> Statement {
        let on_postgres = backend == DbBackend::Postgres;
        // A number of any width is read as one of 64 bits.
        let column = |column: &super::Column| match column.kind {
            Kind::Integer if on_postgres => format!("{0}::bigint AS {0}", quoted(&column.name)),
            _ => quoted(&column.name),
        };
        // Texts are in the order of their bytes, as SQLite has them, whatever the language of the database.
        let of_key = |name: &String| {
            let is_text = self.table.columns.iter().any(|own| own.name == *name && own.kind == Kind::Text);
            if on_postgres && is_text { format!("{} COLLATE \"C\"", quoted(name)) } else { quoted(name) }
        };
        let columns: Vec<String> = self.table.columns.iter().map(column).collect();
        let key: Vec<String> = self.table.key.iter().map(of_key).collect();
        let key = key.join(", ");
        let after = self.after.clone().unwrap_or_default();
        let place = |number: usize| if on_postgres { format!("${}", number + 1) } else { "?".to_owned() };
        let places: Vec<String> = (0..after.len()).map(place).collect();
        let beyond = if after.is_empty() { String::new() } else { format!(" WHERE ({key}) > ({})", places.join(", ")) };
        let (columns, table) = (columns.join(", "), quoted(&self.table.name));
        let sql = format!("SELECT {columns} FROM {table}{beyond} ORDER BY {key} LIMIT {AT_ONCE}");
        Statement::from_sql_and_values(backend, sql, after)
    }
}

/// A name in SQL. It comes from the catalogue of a database or was compared with it.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Reckons the digest of rows as they go by.
#[derive(Default)]
pub struct Digester {
    rows: u64,
    hash: Sha256,
}

impl Digester {
    /// Adds a row.
    ///
    /// # Errors
    /// None that is expected: a row is JSON.
    pub fn add(&mut self, row: &Row) -> Result<(), BackupError> {
        let mut canonical = Value::Array(row.clone());
        canonical.sort_all_objects();
        let mut line = serde_json::to_vec(&canonical).map_err(BackupError::damaged)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.rows += 1;
        Ok(())
    }

    /// The digest of what was added.
    #[must_use]
    pub fn end(self) -> Digest {
        Digest { rows: self.rows, sha256: hex(&self.hash.finalize()) }
    }
}

/// What is in a table now.
///
/// # Errors
/// The database's.
pub async fn digest(db: &impl ConnectionTrait, table: &Table) -> Result<Digest, BackupError> {
    let (mut reader, mut digester) = (Reader::new(table), Digester::default());
    loop {
        let rows = reader.next(db).await?;
        if rows.is_empty() {
            return Ok(digester.end());
        }
        rows.iter().try_for_each(|row| digester.add(row))?;
    }
}
