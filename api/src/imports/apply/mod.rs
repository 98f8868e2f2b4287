//! Writes what the readers read: one transaction per file, and nothing where nothing has changed.

use std::collections::BTreeMap;

use sea_orm::{DatabaseConnection, DatabaseTransaction};

use super::lieux::{self as reader, ImportedOrganisation, Place};
use super::territories::{self as territory_reader, ImportedTerritory};
use super::{Import, ImportKind, ImportSummary, NotThisFormat, Report, store, text};
use crate::audit::{Log, Recorded};
use crate::codes::sha256_hex;
use crate::database::lock;
use crate::problem::{Fault, Problem};
use crate::territories::NewTerritory;
use crate::vocabularies::shipped::shipped;

mod gazetteer;
mod lieux;
mod organisation;
mod territories;

/// A file that has been read and can be written.
pub struct Read {
    kind: ImportKind,
    digest: String,
    summary: ImportSummary,
    report: Report,
    rows: Rows,
}

enum Rows {
    Lieux { communes: BTreeMap<String, NewTerritory>, places: Vec<Place>, organisations: Vec<ImportedOrganisation> },
    Territories(Vec<ImportedTerritory>),
}

/// Imports one file: reads it, writes the sound rows, and keeps the report. Everything or nothing.
///
/// # Errors
/// As [`read`]; or the database's.
pub async fn import(log: &Log, kind: ImportKind, bytes: Vec<u8>) -> Result<Import, Problem> {
    let read = read(log.db(), kind, bytes).await?;
    let tx = log.begin_own("import").await?;
    let import = read.write(&tx).await?;
    tx.commit(Recorded::of("import", import.id)).await?;
    Ok(import)
}

/// Reads a file.
///
/// # Errors
/// A file that is not of this format, with the reason; or the database's.
pub async fn read(db: &DatabaseConnection, kind: ImportKind, bytes: Vec<u8>) -> Result<Read, Problem> {
    let digest = sha256_hex(&bytes);
    match kind {
        ImportKind::Lieux => {
            let words = shipped().map_err(Problem::internal)?;
            let mut gazetteer = gazetteer::Gazetteer::load(db).await?;
            let read = blocking(move || {
                // The file itself names communes by code: they help to place the rows that only name theirs. Reading it
                // a second time with them finds at once what a second import of it would find.
                let first = reader::parse(&bytes, words, &|name, post_code| gazetteer.code(name, post_code))?;
                let communes = lieux::communes(&first.places);
                gazetteer.add(&communes);
                let read = reader::parse(&bytes, words, &|name, post_code| gazetteer.code(name, post_code))?;
                Ok((communes, read))
            });
            let (communes, read) = read.await?.map_err(|reason: NotThisFormat| refused(&reason))?;
            let summary = summary(read.rows_read, read.encoding, read.delimiter);
            let rows = Rows::Lieux { communes, places: read.places, organisations: read.organisations };
            Ok(Read { kind, digest, summary, report: read.report, rows })
        }
        ImportKind::Territories => {
            let read = blocking(move || territory_reader::parse(&bytes)).await?.map_err(|reason| refused(&reason))?;
            let summary = summary(read.rows_read, read.encoding, read.delimiter);
            Ok(Read { kind, digest, summary, report: read.report, rows: Rows::Territories(read.territories) })
        }
    }
}

impl Read {
    /// Writes the sound rows and the report.
    ///
    /// # Errors
    /// The database's.
    pub async fn write(self, tx: &DatabaseTransaction) -> Result<Import, Problem> {
        let Self { kind, digest, mut summary, mut report, rows } = self;
        match rows {
            Rows::Lieux { communes, places, organisations } => {
                lieux::write(tx, &communes, &places, &organisations, &mut summary, &mut report).await?;
            }
            Rows::Territories(territories) => {
                lock(tx, "territory").await?;
                territories::write(tx, territories, &mut summary, &mut report).await?;
            }
        }
        report.sort();
        let Report { faults, counts, skipped_lines } = report;
        summary.faults = counts.into_iter().map(|(problem, count)| (problem.code().to_owned(), count as u64)).collect();
        summary.rows_skipped = skipped_lines.len() as u64;
        Ok(store::insert(tx, kind, &digest, summary, &faults).await?)
    }
}

/// Reading a large file takes a while: not on a thread that serves others.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

fn refused(reason: &NotThisFormat) -> Problem {
    Problem::invalid(vec![Fault::at("", reason.to_string())])
}

fn summary(rows: usize, encoding: text::Encoding, delimiter: text::Delimiter) -> ImportSummary {
    let word = |json: serde_json::Value| json.as_str().unwrap_or_default().to_owned();
    ImportSummary {
        rows: rows as u64,
        encoding: word(serde_json::json!(encoding)),
        delimiter: word(serde_json::json!(delimiter)),
        ..ImportSummary::default()
    }
}
