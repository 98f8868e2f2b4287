//! Backups: the whole database in one file, taken while the service runs, and put into another database of either kind.
//!
//! 1. `catalogue` is what a database says of its tables: their columns, keys, and the kind of each value. Nothing here lists them, so
//!    that no table is forgotten.
//! 2. `cells` is a value as both databases and a file know it.
//! 3. `take` writes all rows, as they stand at one instant, into a ZIP file: a file of JSON lines for each table, and a manifest with
//!    how many they are and their SHA-256.
//! 4. [`restore`] puts them into an empty database, reads them back, compares, and only then keeps them.
//!
//! The keys that seal bids and authenticate the audit log are not in the database, and so not in a backup: they are kept apart.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

mod catalogue;
mod cells;
mod restore;
mod rows;
mod take;

pub use restore::{check, restore};
pub use take::take;

/// Name of the format in a manifest.
const FORMAT: &str = "attelage-backup-1";
/// Name of the manifest in the file.
const MANIFEST: &str = "manifest.json";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `attelage-backup-1`.
    pub format: String,
    /// Version of the service that took it.
    pub service: String,
    /// The instant that it shows, by the clock of the database.
    pub taken_at: DateTime<Utc>,
    /// The migrations that had been applied, in their order.
    pub migrations: Vec<String>,
    /// By name.
    pub tables: Vec<Table>,
}

impl Manifest {
    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.digest.rows).sum()
    }
}

/// A table of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, by name.
    pub columns: Vec<Column>,
    /// Those of its primary key, in their order there.
    pub key: Vec<String>,
    /// What is in it.
    #[serde(flatten)]
    pub digest: Digest,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: cells::Kind,
}

/// How many rows there are, and the SHA-256 of all of them in canonical JSON, one a line, in the order of their keys. The same in both
/// kinds of database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many.
    pub rows: u64,
    /// In hexadecimal.
    pub sha256: String,
}

/// Why a backup cannot be taken, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database refuses.
    #[error("the database: {0}")]
    Database(#[from] DbErr),
    /// The file system refuses.
    #[error("the file: {0}")]
    Io(#[from] std::io::Error),
    /// It is no ZIP file, or a damaged one.
    #[error("this is not a backup, or it is damaged: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// A part of it is not what it should be.
    #[error("this is not a backup, or it is damaged: {0}")]
    Damaged(String),
    /// It comes from another version.
    #[error("{0}")]
    Version(String),
    /// There is something in the database already.
    #[error(
        "the table {0} of this database is not empty: restore into a new database, and look at what came of it before it takes the place of the old one"
    )]
    NotEmpty(String),
    /// A type of column that is not known here.
    #[error("the column {0} has the type {1}, which no backup knows")]
    Kind(String, String),
}

impl BackupError {
    fn damaged(error: impl std::fmt::Display) -> Self {
        Self::Damaged(error.to_string())
    }
}
