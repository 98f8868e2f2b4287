//! The command line: it reads settings, opens the database, and hands over.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use attelage::audit::Log;
use attelage::audit::verify::Place;
use attelage::bids::keys;
use attelage::bids::seal::SealingKey;
use attelage::config::{
    AuditConfig, DatabaseConfig, IdentityConfig, MailConfig, RunsConfig, SealingConfig, ServerConfig, TelemetryConfig,
};
use attelage::imports::{ImportKind, apply};
use attelage::keyfile::Key;
use attelage::runs::{compute, worker};
use attelage::server::{Setup, StartError};
use attelage::telemetry::exposition;
use attelage::telemetry::logs;
use attelage::telemetry::traces::Traces;
use attelage::{audit, database, demo, openapi, server, solving};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use sd_notify::NotifyState;
use sea_orm::DatabaseConnection;

mod operate;

/// More lists a second than with the allocator of the C library (`docs/benchmarks.md`). On Linux SQLite and HiGHS use it, too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Finds, for a collective call, the organisations that complement each other
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// File with settings, each named as on the command line: `public-url = "https://example.org"`
    #[arg(long, global = true, env = "ATTELAGE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How log lines are written
    #[arg(long, global = true, env = "ATTELAGE_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: logs::Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant, reason = "one in a process")]
enum Command {
    /// Serve the API, after bringing the database's schema up to date
    Serve {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        #[command(flatten)]
        server: ServerConfig,
        #[command(flatten)]
        identity: IdentityConfig,
        #[command(flatten)]
        sealing: SealingConfig,
        #[command(flatten)]
        mail: MailConfig,
        #[command(flatten)]
        telemetry: TelemetryConfig,
    },
    /// Show the golden example: the call of the Métropole de Lyon, computed on a fresh database, then served
    Demo {
        #[command(flatten)]
        server: ServerConfig,
        /// Stop after the result instead of serving
        #[arg(long)]
        once: bool,
    },
    /// Change the schema of the database
    Migrate {
        #[command(flatten)]
        database: DatabaseConfig,
        /// What to do
        #[arg(value_enum, default_value = "up")]
        direction: operate::Direction,
    },
    /// Run the platform: administrators and their keys
    Admin {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        #[command(subcommand)]
        action: operate::AdminAction,
    },
    /// Look after the keys of the installation
    Keys {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        sealing: SealingConfig,
        #[command(flatten)]
        audit: AuditConfig,
        #[command(subcommand)]
        action: KeysAction,
    },
    /// Look at the settings
    Config {
        #[command(subcommand)]
        action: operate::ConfigAction,
    },
    /// Look at the installation, and say what is well and what is not
    Doctor {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        #[command(flatten)]
        sealing: SealingConfig,
        /// Read the whole audit log, and the whole file of an SQLite database
        #[arg(long)]
        thoroughly: bool,
    },
    /// Write the whole database, as it stands now, into a new file; the service may go on meanwhile
    Backup {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        /// The file to make
        file: PathBuf,
    },
    /// Put a backup into an empty database, of either kind, and compare
    Restore {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        /// The backup
        file: PathBuf,
        /// Only read the backup, and say whether it is whole
        #[arg(long)]
        check: bool,
    },
    /// Look after the audit log
    Audit {
        #[command(subcommand)]
        action: AuditAction,
    },
    /// Import a file into the database; the same file twice changes nothing
    Import {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        /// Format of the file
        #[arg(value_enum)]
        kind: ImportKind,
        /// The file, `-` for standard input
        file: PathBuf,
    },
    /// Solve a problem from a JSON file and print the answer as JSON
    Solve(solving::SolveArgs),
    /// Compute the runs of the services on a database, without serving
    Worker {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        #[command(flatten)]
        runs: RunsConfig,
        #[command(flatten)]
        telemetry: TelemetryConfig,
    },
    /// Compute what stands on standard input, for a service
    #[command(hide = true)]
    Compute(compute::ComputeArgs),
    /// Print the OpenAPI document
    Openapi {
        /// As OpenAPI 3.0.3, for generators that do not read 3.1
        #[arg(long)]
        as_3_0: bool,
    },
}

/// What is done with the audit log.
#[derive(Subcommand)]
enum AuditAction {
    /// Read the whole log, without a service, and say whether anybody has touched it
    Verify {
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        audit: AuditConfig,
        /// A head that an earlier check has printed: the log must still hold it
        #[arg(long, value_name = "POSITION:HASH")]
        seen: Option<Place>,
    },
}

/// What is done with the keys of the installation.
#[derive(Subcommand)]
enum KeysAction {
    /// Put another key in the place of the one that seals bids; stop the service before
    RotateSealing {
        /// File of the new key, made where there is none
        #[arg(long, value_name = "FILE")]
        new_file: PathBuf,
    },
}

fn main() -> ExitCode {
    let asked = operate::matches(Cli::command()).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches);
        cli.map_err(|error| error.to_string())
    });
    let (command, log_format) = match asked {
        // A process that only computes has nothing else: no runtime, no log.
        Ok(Cli { command: Command::Compute(args), .. }) => return compute::run(&args),
        Ok(Cli { command, log_format, .. }) => (command, log_format),
        Err(error) => return failed(&error.into()),
    };
    let lines = if matches!(command, Command::Demo { .. }) { logs::WITHOUT_RUNS } else { logs::USUAL };
    logs::start(log_format, lines);
    // Outside of what runs asynchronously: it sends from a thread of its own, and the last at the end.
    let _traces = match Traces::of_environment() {
        Ok(traces) => traces,
        Err(error) => return failed(&error.into()),
    };
    match actix_web::rt::System::new().block_on(run(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &StartError) -> ExitCode {
    eprintln!("attelage: {error}");
    ExitCode::FAILURE
}

async fn run(command: Command) -> Result<(), StartError> {
    match command {
        Command::Serve { database, audit, server, identity, sealing, mail, telemetry } => {
            let entrance = identity.settings()?;
            let mail = mail.settings(server.edge.public_url.as_deref())?;
            let sealing = sealing.key(&database)?;
            let file = audit.file(&database)?;
            let db = open(&database).await?;
            let key = audit_key(&db, &file).await?;
            let (listener, metrics) = (listen(&server)?, telemetry.listener()?);
            print(&format!("Attelage listens on http://{}", listener.local_addr()?))?;
            let setup = Setup { mail, ..server.setup(entrance, sealing, key) };
            expose(metrics, &db)?;
            let running = server::start(db, listener, setup).await?;
            tell_ready();
            Ok(running.await?)
        }
        Command::Worker { database, audit, runs, telemetry } => {
            let log = log(&database, &audit).await?;
            expose(telemetry.listener()?, log.db())?;
            print(&format!("Attelage computes, {} at once", runs.solvers))?;
            Ok(worker::serve(&log, &runs.settings(), tell_ready).await?)
        }
        Command::Compute(args) => Err(format!("not here: {args:?}").into()),
        Command::Demo { server, once } => demo::run(&server, once, listen).await,
        Command::Migrate { database, direction } => operate::migrate(&database, direction).await,
        Command::Admin { database, audit, action } => operate::administer(&log(&database, &audit).await?, action).await,
        Command::Keys { database, sealing, audit, action: KeysAction::RotateSealing { new_file } } => {
            let (old, new) = (sealing.key(&database)?, SealingKey::new(*Key::read_or_create(&new_file)?.bytes()));
            let sealed = keys::rotate(&log(&database, &audit).await?, &old, &new).await?;
            print(&format!(
                "{sealed} keys of calls were sealed anew. From now on, serve with --sealing-key-file {}",
                new_file.display()
            ))
        }
        Command::Config { action: operate::ConfigAction::Check } => {
            operate::check_settings(Cli::command(), operate::settings_file().as_deref())
        }
        Command::Doctor { database, audit, sealing, thoroughly } => {
            operate::examine(&database, &audit, &sealing, thoroughly).await
        }
        Command::Backup { database, audit, file } => operate::back_up(&database, &audit, &file).await,
        Command::Restore { database, audit, file, check } => operate::restore(&database, &audit, &file, check).await,
        Command::Audit { action: AuditAction::Verify { database, audit, seen } } => {
            operate::verify(&database, &audit, seen.as_ref()).await
        }
        Command::Import { database, audit, kind, file } => {
            let bytes = read(&file)?;
            let import = apply::import(&log(&database, &audit).await?, kind, bytes).await?;
            print(&serde_json::to_string_pretty(&import)?)
        }
        Command::Solve(args) => match args.file() {
            Some(file) => print(&solving::run(&args, &read(file)?)?),
            None => print(&solving::schema()),
        },
        Command::Openapi { as_3_0: false } => print(&openapi::document().to_pretty_json()?),
        Command::Openapi { as_3_0: true } => {
            let document = serde_json::to_value(openapi::document())?;
            print(&serde_json::to_string_pretty(&openapi::three_zero::convert(&document)?)?)
        }
    }
}

/// Tells a service manager that waits for it; one that cannot be told has its own way to notice.
fn tell_ready() {
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        tracing::warn!(%error, "the service manager is not told that this is ready");
    }
}

/// Serves metrics to the end of the process, where there is a listener for them.
fn expose(listener: Option<TcpListener>, db: &DatabaseConnection) -> Result<(), StartError> {
    if let Some(listener) = listener {
        print(&format!("Metrics on http://{}/metrics", listener.local_addr()?))?;
        actix_web::rt::spawn(exposition::serve(listener, db.clone())?);
    }
    Ok(())
}

/// The database as it is; what is said of one that does not open repeats no more of its URL than the scheme, for it may hold a password.
async fn connect(config: &DatabaseConfig) -> Result<DatabaseConnection, StartError> {
    database::connect(&config.url).await.map_err(|error| {
        let scheme = config.url.split(':').next().unwrap_or_default();
        format!("the {scheme} database does not open: {error}. Check --database or ATTELAGE_DATABASE").into()
    })
}

/// The database, with a schema and vocabularies that are up to date.
async fn open(config: &DatabaseConfig) -> Result<DatabaseConnection, StartError> {
    let db = connect(config).await?;
    database::prepare(&db).await?;
    Ok(db)
}

/// The audit log of the database, to write.
async fn log(database: &DatabaseConfig, audit: &AuditConfig) -> Result<Log, StartError> {
    let db = open(database).await?;
    let key = audit_key(&db, &audit.file(database)?).await?;
    Ok(Log::open(&db, key).await?)
}

/// The key of the audit log; it is made for a log that has not begun.
async fn audit_key(db: &DatabaseConnection, file: &Path) -> Result<Key, StartError> {
    match Key::read(file)? {
        Some(key) => Ok(key),
        None if audit::has_begun(db).await? => {
            Err(format!("the audit log of this database has a key, and its file {} is missing", file.display()).into())
        }
        None => Ok(Key::read_or_create(file)?),
    }
}

fn listen(server: &ServerConfig) -> Result<TcpListener, StartError> {
    let address = (server.host.as_str(), server.port);
    TcpListener::bind(address).map_err(|error| {
        format!(
            "cannot listen on {}:{}: {error}. Take another with --port, or 0 for a free one",
            server.host, server.port
        )
        .into()
    })
}

fn read(file: &Path) -> Result<Vec<u8>, StartError> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()).into())
}

/// Prints a line; a reader that has gone away is an error like any other, not a panic.
fn print(text: &str) -> Result<(), StartError> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
