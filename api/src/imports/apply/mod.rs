//! Writes what the readers read: one transaction per file, and nothing where nothing has changed.

use sea_orm::DatabaseConnection;

use super::{Import, ImportKind, ImportSummary, NotThisFormat, Report, lieux as reader, store};
use super::{territories as territory_reader, text};
use crate::codes::sha256_hex;
use crate::database::{begin_write, lock};
use crate::problem::{Fault, Problem};
use crate::vocabularies::shipped::shipped;

mod gazetteer;
mod lieux;
mod organisation;
mod territories;

/// Imports one file: reads it, writes the sound rows, and keeps the report. Everything or nothing.
///
/// # Errors
/// A file that is not of this format, with the reason; or the database's.
pub async fn import(db: &DatabaseConnection, kind: ImportKind, bytes: Vec<u8>) -> Result<Import, Problem> {
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
            let mut summary = summary(read.rows_read, read.encoding, read.delimiter);
            let mut report = read.report;
            let tx = begin_write(db).await?;
            lieux::write(&tx, &communes, &read.places, &read.organisations, &mut summary, &mut report).await?;
            let import = record(&tx, kind, &digest, summary, report).await?;
            tx.commit().await?;
            Ok(import)
        }
        ImportKind::Territories => {
            let read = blocking(move || territory_reader::parse(&bytes)).await?.map_err(|reason| refused(&reason))?;
            let mut summary = summary(read.rows_read, read.encoding, read.delimiter);
            let mut report = read.report;
            let tx = begin_write(db).await?;
            lock(&tx, "territory").await?;
            territories::write(&tx, read.territories, &mut summary, &mut report).await?;
            let import = record(&tx, kind, &digest, summary, report).await?;
            tx.commit().await?;
            Ok(import)
        }
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

async fn record(
    tx: &sea_orm::DatabaseTransaction,
    kind: ImportKind,
    digest: &str,
    mut summary: ImportSummary,
    mut report: Report,
) -> Result<Import, Problem> {
    report.sort();
    let Report { faults, counts, skipped_lines } = report;
    summary.faults = counts.into_iter().map(|(problem, count)| (problem.code().to_owned(), count as u64)).collect();
    summary.rows_skipped = skipped_lines.len() as u64;
    Ok(store::insert(tx, kind, digest, summary, &faults).await?)
}
