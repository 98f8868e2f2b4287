//! Takes a backup.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::rows::{Digester, Reader};
use super::{BackupError, FORMAT, MANIFEST, Manifest, Table, catalogue};
use crate::database::{begin_read, clock};

/// Writes all that is in a database at one instant into a file that does not exist yet, and that its owner alone may read. Others read and
/// write the database meanwhile. O(rows), with a thousand rows of one table in memory.
///
/// # Errors
/// A file that is there already, or cannot be written; the database's.
pub async fn take(db: &DatabaseConnection, file: &Path) -> Result<Manifest, BackupError> {
    if file.exists() {
        let words = format!("{} is there already: a backup never takes the place of another", file.display());
        return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, words).into());
    }
    let unfinished = Unfinished::create(file)?;
    let snapshot = begin_read(db).await?;
    let mut archive = ZipWriter::new(BufWriter::new(unfinished.open()?));
    // The first query fixes the instant that all others see.
    let tables = catalogue::tables(&snapshot).await?;
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        service: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: clock(&snapshot).await?,
        migrations: catalogue::migrations(&snapshot).await?,
        tables: Vec::new(),
    };
    for table in tables {
        manifest.tables.push(write(&snapshot, &mut archive, table).await?);
    }
    snapshot.commit().await?;
    archive.start_file(MANIFEST, SimpleFileOptions::default())?;
    serde_json::to_writer_pretty(&mut archive, &manifest).map_err(BackupError::damaged)?;
    let written = archive.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    written.sync_all()?;
    unfinished.keep(file)?;
    Ok(manifest)
}

/// The file of a table in a backup.
pub fn entry(table: &str) -> String {
    format!("tables/{table}.ndjson")
}

async fn write(
    db: &impl ConnectionTrait,
    archive: &mut ZipWriter<BufWriter<File>>,
    mut table: Table,
) -> Result<Table, BackupError> {
    archive.start_file(entry(&table.name), SimpleFileOptions::default().large_file(true))?;
    let (mut reader, mut digester) = (Reader::new(&table), Digester::default());
    loop {
        let rows = reader.next(db).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            digester.add(&row)?;
            serde_json::to_writer(&mut *archive, &row).map_err(BackupError::damaged)?;
            archive.write_all(b"\n")?;
        }
    }
    table.digest = digester.end();
    Ok(table)
}

/// A file beside the one that is wanted, gone unless it is kept: a backup that was interrupted looks like none.
struct Unfinished(PathBuf);

impl Unfinished {
    fn create(wanted: &Path) -> Result<Self, BackupError> {
        let mut name = wanted.as_os_str().to_owned();
        name.push(format!(".{}.unfinished", std::process::id()));
        let own = Self(PathBuf::from(name));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&own.0)?;
        Ok(own)
    }

    fn open(&self) -> Result<File, BackupError> {
        Ok(OpenOptions::new().write(true).open(&self.0)?)
    }

    /// Gives it the name that is wanted, unless another has it.
    fn keep(&self, wanted: &Path) -> Result<(), BackupError> {
        std::fs::hard_link(&self.0, wanted)?;
        let folder = wanted.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Nothing more can be done about what stays.
        drop(std::fs::remove_file(&self.0));
    }
}
