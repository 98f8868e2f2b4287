//! What operators do: look at the settings, look at the installation, take backups and restore them.

use std::path::{Path, PathBuf};

use attelage::audit::verify::Place;
use attelage::audit::{self, Log, Recorded};
use attelage::backup::{self, Manifest};
use attelage::config::file::{self, FileSettings};
use attelage::config::{AuditConfig, DatabaseConfig, SealingConfig};
use attelage::database;
use attelage::doctor::{self, Health};
use attelage::identity::administration;
use attelage::keyfile::Key;
use attelage::server::StartError;
use attelage_migrations::{Migrator, MigratorTrait as _};
use clap::{ArgMatches, Command, Subcommand};
use sea_orm::DatabaseConnection;
use serde_json::json;

use super::{audit_key, connect, print};

/// What is done with settings.
#[derive(Subcommand)]
pub enum ConfigAction {
    /// Show every setting of `serve` with its source, and say all that is wrong with them
    Check,
}

/// What an administrator does on the machine of the service.
#[derive(Subcommand)]
pub enum AdminAction {
    /// Make an account that runs the platform
    Create {
        /// Address to sign in with
        #[arg(long)]
        email: String,
        /// What its owner is called
        #[arg(long, default_value = "Administrator")]
        name: String,
        /// Read the password from the first line of standard input instead of making one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an account another password, and end its sessions
    ResetPassword {
        /// Address of the account
        #[arg(long)]
        email: String,
        /// Read the password from the first line of standard input instead of making one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Make a key of the platform and print it: it is shown this once
    Key {
        /// What it is for, in words
        #[arg(long)]
        name: String,
        /// Days until it is void
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=730))]
        valid_days: u16,
    },
}

/// A direction of migration.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Direction {
    /// Apply what is missing
    Up,
    /// Revert everything: all data is lost
    Down,
    /// Say what is applied and what is missing
    Status,
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
    let db = connect(database).await?;
    let manifest = backup::take(&db, file).await?;
    note(&db, &audit.file(database)?, "take_backup", &manifest).await?;
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
    let db = connect(database).await?;
    let manifest = backup::restore(&db, file).await?;
    note(&db, &audit.file(database)?, "restore_backup", &manifest).await?;
    print(&format!(
        "{} rows were restored, read back and compared. What was done after {} is not in this database: keys that were revoked and sessions that were ended since then are valid again",
        manifest.rows(),
        manifest.taken_at.to_rfc3339()
    ))
}

/// Writes into the audit log what was done with a backup; a database that nothing was done with has no log.
async fn note(
    db: &DatabaseConnection,
    file: &Path,
    operation: &'static str,
    manifest: &Manifest,
) -> Result<(), StartError> {
    if !audit::has_begun(db).await? {
        return Ok(());
    }
    let log = Log::open(db, audit_key(db, file).await?).await?;
    let tx = log.begin_own(operation).await?;
    tx.commit(Recorded::all("backup").with(json!({ "rows": manifest.rows(), "taken_at": manifest.taken_at }))).await?;
    Ok(())
}

/// Checks the audit log, and says where it ends.
pub async fn verify(database: &DatabaseConfig, config: &AuditConfig, seen: Option<&Place>) -> Result<(), StartError> {
    let file = config.file(database)?;
    let key = Key::read(&file)?.ok_or_else(|| format!("there is no key file {}", file.display()))?;
    let db = connect(database).await?;
    match audit::verify::verify(&database::begin_read(&db).await?, &key, seen).await? {
        Ok(end) => print(&format!("OK: {} entries, untouched\nhead {end}", end.position)),
        Err(broken) => Err(format!("the audit log is broken: {broken}").into()),
    }
}

/// Changes the schema, and says what is applied.
pub async fn migrate(config: &DatabaseConfig, direction: Direction) -> Result<(), StartError> {
    let db = connect(config).await?;
    match direction {
        Direction::Up => database::prepare(&db).await?,
        Direction::Down => Migrator::down(&db, None).await?,
        Direction::Status => {}
    }
    let applied = Migrator::get_applied_migrations(&db).await?;
    let pending = Migrator::get_pending_migrations(&db).await?;
    let applied = applied.iter().map(|migration| format!("applied  {}", migration.name()));
    let pending = pending.iter().map(|migration| format!("pending  {}", migration.name()));
    print(&applied.chain(pending).collect::<Vec<_>>().join("\n"))
}

/// Does what only somebody on the machine may do, and prints the secret that it made.
pub async fn administer(log: &Log, action: AdminAction) -> Result<(), StartError> {
    let made = match action {
        AdminAction::Create { email, name, password_stdin } => {
            administration::create(log, email, name, password(password_stdin)?).await?
        }
        AdminAction::ResetPassword { email, password_stdin } => {
            administration::reset_password(log, &email, password(password_stdin)?).await?
        }
        AdminAction::Key { name, valid_days } => Some(administration::issue_key(log, name, valid_days).await?.secret),
    };
    made.map_or(Ok(()), |secret| print(&secret))
}

/// The password to set, where it is given.
fn password(from_stdin: bool) -> Result<Option<String>, StartError> {
    let mut line = String::new();
    if !from_stdin {
        return Ok(None);
    }
    std::io::stdin().read_line(&mut line)?;
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The file that `--config` or `ATTELAGE_CONFIG` names.
pub fn settings_file() -> Option<PathBuf> {
    file::named(std::env::args_os().skip(1))
}
