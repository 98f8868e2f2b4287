//! Files that others publish: read into our words, then written to the database.
//!
//! Each reader ([`lieux`], [`territories`]) takes bytes and gives values with a report: every fault has its line, its
//! field, what is wrong and what was done. A bad row never stops the good ones; a file of another format is refused as
//! a whole, with the reason. [`apply`] writes what was read, in one transaction; the same file twice changes nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub mod apply;
pub(crate) mod entity;
pub mod lieux;
pub(crate) mod place;
mod position;
mod report;
pub mod routes;
pub(crate) mod store;
mod table;
pub mod territories;
pub mod text;

pub use position::Position;
pub use report::{NotThisFormat, Report, RowAction, RowFault, RowProblem};

/// A format that can be imported.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    clap::ValueEnum,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum ImportKind {
    /// Places of digital mediation: CSV of the French national standard, version 1
    Lieux,
    /// Territories: CSV with code, name, kind, parent, population, lat, lon
    Territories,
}

/// How many resources an import touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Touched {
    /// New.
    pub created: u64,
    /// Changed.
    pub updated: u64,
    /// Already as the file says.
    pub unchanged: u64,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
pub struct ImportSummary {
    /// Rows in the file, without the header.
    pub rows: u64,
    /// Rows of which nothing was taken.
    pub rows_skipped: u64,
    /// How the file was written: `utf8`, `windows1252`, `mixed`.
    pub encoding: String,
    /// What separates its fields: `comma`, `semicolon`, `tab`.
    pub delimiter: String,
    /// Territories.
    pub territories: Touched,
    /// Organisations.
    pub organisations: Touched,
    /// Capabilities.
    pub capabilities: Touched,
    /// Places.
    pub places: Touched,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
}

/// A file that was imported.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Import {
    /// UUIDv7.
    pub id: Uuid,
    /// Which format.
    pub kind: ImportKind,
    /// SHA-256 of the file.
    pub digest: String,
    /// What was done.
    pub summary: ImportSummary,
    /// When, UTC.
    pub created_at: DateTime<Utc>,
}
