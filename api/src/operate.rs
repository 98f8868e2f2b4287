//! What operators do: look at the settings, look at the installation, take backups and restore them.

use std::path::{Path, PathBuf};

use attelage::access::Caller;
use attelage::audit::{self, Log, Recorded};
use attelage::backup;
use attelage::config::file::{self, FileSettings};
use attelage::config::{AuditConfig, DatabaseConfig, SealingConfig};
use attelage::database;
use attelage::doctor::{self, Health};
use attelage::server::StartError;
use clap::{ArgMatches, Command, Subcommand};
use serde_json::json;

use super::{audit_key, print, unreachable};

/// What is done with settings.
#[derive(Subcommand)]
pub enum ConfigAction {
    /// Show every setting of `serve` with its source, and say all that is wrong with them
    Check,
}

/// Reads the command line, with what a file of settings says in the place of what is built in.
pub fn matches(command: Command) -> Result<ArgMatches, String> {
    let filled = match file::named(std::env::args_os().skip(1)) {
        Some(file) => FileSettings::read(&file)?.apply(command)?,
        None => command,
    };
    Ok(filled.get_matches())
}

/// Shows every setting of `serve`, and fails where one cannot be used.
pub fn check_settings(mut command: Command, file: Option<&Path>) -> Result<(), StartError> {
    let settings = file.map(FileSettings::read).transpose()?.unwrap_or_default();
    command.build();
    let serve = command.find_subcommand("serve").ok_or("there is no command `serve`")?;
    let (mut lines, mut faults) = (Vec::new(), 0);
    for one in file::check(serve, &settings) {
        let values = if one.values.is_empty() { "–".to_owned() } else { one.values.join(", ") };
        lines.push(format!("{:<32} {:<12} {values}", one.name, one.source));
        if let Some(fault) = one.fault {
            faults += 1;
            lines.push(format!("{:>32} {fault}", "^"));
        }
    }
    print(&lines.join("\n"))?;
    if faults == 0 { Ok(()) } else { Err(format!("{faults} settings cannot be used").into()) }
}

/// Looks at the installation; fails where something is ill.
pub async fn examine(
    database: &DatabaseConfig,
    audit: &AuditConfig,
    sealing: &SealingConfig,
    thoroughly: bool,
) -> Result<(), StartError> {
    let found = doctor::examine(&database.url, &audit.file(database)?, &sealing.file(database)?, thoroughly).await;
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    print(&lines.join("\n"))?;
    let ill = found.iter().filter(|finding| finding.health == Health::Ill).count();
    if ill == 0 { Ok(()) } else { Err(format!("{ill} of {} are ill", found.len()).into()) }
}

/// Takes a backup, and writes into the audit log that it was taken.
pub async fn back_up(database: &DatabaseConfig, audit: &AuditConfig, file: &Path) -> Result<(), StartError> {
    let db = database::connect(&database.url).await.map_err(|error| unreachable(&database.url, &error))?;
    let manifest = backup::take(&db, file).await?;
    if audit::has_begun(&db).await? {
        let log = Log::open(&db, audit_key(&db, &audit.file(database)?).await?).await?;
        let tx = log.begin(&Caller::installation().asking("take_backup")).await?;
        let told = json!({ "rows": manifest.rows(), "taken_at": manifest.taken_at });
        tx.commit(Recorded::all("backup").with(told)).await?;
    }
    print(&format!(
        "{}: {} rows of {} tables, as they stood at {}. The files of the sealing key and of the audit key are not in it: keep them apart, or its bids stay sealed",
        file.display(),
        manifest.rows(),
        manifest.tables.len(),
        manifest.taken_at.to_rfc3339()
    ))
}

/// Puts a backup into an empty database, or only reads it.
pub async fn restore(
    database: &DatabaseConfig,
    audit: &AuditConfig,
    file: &Path,
    only_check: bool,
) -> Result<(), StartError> {
    if only_check {
        let manifest = backup::check(file)?;
        return print(&format!(
            "{}: whole, {} rows of {}",
            file.display(),
            manifest.rows(),
            manifest.taken_at.to_rfc3339()
        ));
    }
    let db = database::connect(&database.url).await.map_err(|error| unreachable(&database.url, &error))?;
    let manifest = backup::restore(&db, file).await?;
    if audit::has_begun(&db).await? {
        let log = Log::open(&db, audit_key(&db, &audit.file(database)?).await?).await?;
        let tx = log.begin(&Caller::installation().asking("restore_backup")).await?;
        tx.commit(Recorded::all("backup").with(json!({ "rows": manifest.rows(), "taken_at": manifest.taken_at })))
            .await?;
    }
    print(&format!(
        "{} rows were restored, read back and compared. What was done after {} is not in this database: keys that were revoked and sessions that were ended since then are valid again",
        manifest.rows(),
        manifest.taken_at.to_rfc3339()
    ))
}

/// The file that `--config` or `ATTELAGE_CONFIG` names.
pub fn settings_file() -> Option<PathBuf> {
    file::named(std::env::args_os().skip(1))
}
