//! Writes what the readers read: one transaction per file, and nothing where nothing has changed.

use std::collections::BTreeMap;

use sea_orm::DatabaseConnection;
use sha2::{Digest as _, Sha256};

use super::{Import, ImportKind, ImportSummary, NotThisFormat, RowAction, RowFault, lieux as reader, store};
use super::{territories as territory_reader, text};
use crate::database::begin_write;
use crate::problem::{Fault, Problem};
use crate::vocabulary::vocabulary;

mod gazetteer;
mod lieux;
mod organisation;
mod territories;

/// Imports one file: reads it, writes the sound rows, and keeps the report. Everything or nothing.
///
/// # Errors
/// A file that is not of this format, with the reason; or the database's.
pub async fn import(db: &DatabaseConnection, kind: ImportKind, bytes: Vec<u8>) -> Result<Import, Problem> {
    let digest = Sha256::digest(&bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    match kind {
        ImportKind::Lieux => {
            let gazetteer = gazetteer::Gazetteer::load(db).await?;
            let words = vocabulary().map_err(Problem::internal)?;
            let read = blocking(move || reader::parse(&bytes, words, &|name, post_code| gazetteer.code(name, post_code)));
            let read = read.await?.map_err(|reason| refused(&reason))?;
            let mut summary = summary(read.rows_read, read.encoding, read.delimiter);
            let mut faults = read.faults;
            let tx = begin_write(db).await?;
            lieux::write(&tx, &read.places, &read.organisations, &mut summary, &mut faults).await?;
            let import = record(&tx, kind, &digest, summary, faults).await?;
            tx.commit().await?;
            Ok(import)
        }
        ImportKind::Territories => {
            let read = blocking(move || territory_reader::parse(&bytes)).await?.map_err(|reason| refused(&reason))?;
            let mut summary = summary(read.rows_read, read.encoding, read.delimiter);
            let mut faults = read.faults;
            let tx = begin_write(db).await?;
            territories::write(&tx, read.territories, &mut summary, &mut faults).await?;
            let import = record(&tx, kind, &digest, summary, faults).await?;
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
    mut faults: Vec<RowFault>,
) -> Result<Import, Problem> {
    faults.sort_by_key(|fault| fault.line);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for fault in &faults {
        *counts.entry(fault.problem.code().to_owned()).or_default() += 1;
    }
    summary.faults = counts;
    summary.rows_skipped = faults.iter().filter(|fault| fault.action == RowAction::RowSkipped).count() as u64;
    Ok(store::insert(tx, kind, digest, summary, &faults).await?)
}
