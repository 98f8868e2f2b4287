//! The connection, and the one way to write.

use std::collections::BTreeSet;
use std::time::Duration;

use attelage_migrations::{Migrator, MigratorTrait as _};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, Statement, TransactionOptions, TransactionTrait,
};

use self::writer::Writer;
use crate::vocabularies;

/// The lock on changes of the schema: any number that nobody else takes (`attelage`, in ASCII).
const PREPARING: i64 = i64::from_be_bytes(*b"attelage");

pub mod sqlite;
pub mod writer;

/// Opens the database: SQLite in WAL mode, with foreign keys and full durability, or PostgreSQL.
///
/// # Errors
/// A URL that is neither, a file on a network, a library with a known fault, or a database that does not answer. The message says what to
/// check.
pub async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    if !(url.starts_with("sqlite:") || url.starts_with("postgres:") || url.starts_with("postgresql:")) {
        // Not repeated: it may hold a password.
        let expected = "write sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE";
        return Err(DbErr::Custom(format!("this is not the URL of a database: {expected}")));
    }
    sqlite::refuse_shared(url)?;
    let mut options = ConnectOptions::new(url);
    // A connection to a file does not break while nobody looks; one to a server may, and is tried before it is used.
    options.test_before_acquire(!url.starts_with("sqlite:"));
    // The write lock of a file may be held for some seconds, by an import; a server that does not answer within two is not there.
    let patience = Duration::from_secs(if url.starts_with("sqlite:") { 10 } else { 2 });
    options.map_sqlx_sqlite_before_acquire(|connection, _| Box::pin(sqlite::is_at_rest(connection)));
    options.max_connections(8).acquire_timeout(patience).sqlx_logging(false).map_sqlx_sqlite_opts(|options| {
        options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted is overwritten: somebody who is erased leaves nothing in the file.
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(10))
            // A page of a list at once: the thread that reads it does not wait for the one that takes its rows.
            .row_buffer_size(256)
    });
    let db = Database::connect(options).await.map_err(|error| {
        // The library repeats a URL that it cannot read.
        if error.to_string().contains(url) {
            let remedy = "check its parts; in a password, `@`, `/`, `?`, `#`, `[` and `%` are written %40, %2F…";
            return DbErr::Custom(format!("the URL cannot be read: {remedy}"));
        }
        error
    })?;
    if db.get_database_backend() == DbBackend::Sqlite {
        sqlite::refuse_old(&db).await?;
    }
    Ok(db)
}

/// Brings the schema up to date and fills empty vocabularies, in one transaction. Safe to repeat, and at the same time as others: those who
/// come later wait for the first.
///
/// A schema of a later release is left as it is: its migrations only add to it, so that the release before goes on with it while
/// replicas are replaced one by one.
///
/// # Errors
/// The database's.
pub async fn prepare(db: &DatabaseConnection) -> Result<(), DbErr> {
    let tx = Writer::new(db).begin().await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({PREPARING})")).await?;
    }
    let known = Migrator::migrations();
    let applied = Migrator::get_migration_models(&*tx).await?;
    if applied.iter().all(|one| known.iter().any(|own| own.name() == one.version)) {
        Migrator::up(&*tx, None).await?;
    } else {
        tracing::warn!("the schema of this database is of a later release: it is left as it is");
    }
    vocabularies::store::seed(&*tx).await?;
    tx.commit().await
}

/// Whether the schema is older than this release. One that is newer will do: releases keep what the one before them needs. One query,
/// which creates nothing.
///
/// # Errors
/// The database's; a database that has no schema.
pub async fn lacks_migrations(db: &DatabaseConnection) -> Result<bool, DbErr> {
    let all = Statement::from_string(db.get_database_backend(), "SELECT version FROM seaql_migrations");
    let applied = db.query_all_raw(all).await?;
    let applied: BTreeSet<String> = applied.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, DbErr>>()?;
    Ok(Migrator::migrations().iter().any(|migration| !applied.contains(migration.name())))
}

/// Makes a deletion final: in `SQLite`, what was deleted still stands in the write-ahead log until that begins anew, which it does here
/// unless somebody is reading it at this moment. `PostgreSQL` keeps dead rows until it vacuums them; dumps have none of them.
///
/// # Errors
/// The database's.
pub async fn forget_deleted(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        db.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    }
    Ok(())
}

/// Makes other writers of a table wait until this transaction ends, for a rule that spans rows: a tree has no cycle. Take it
/// before the first read. Readers go on.
///
/// SQLite has one writing transaction at a time: nothing to do there.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &DatabaseTransaction, table: &'static str) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")).await?;
    }
    Ok(())
}

/// Starts a reading transaction: all its queries see the database as it stands at the first of them.
///
/// # Errors
/// The database's.
pub async fn begin_read(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    // SQLite's transactions read one state anyway, and know no levels.
    let on_postgres = db.get_database_backend() == DbBackend::Postgres;
    db.begin_with_options(TransactionOptions {
        isolation_level: on_postgres.then_some(IsolationLevel::RepeatableRead),
        access_mode: on_postgres.then_some(AccessMode::ReadOnly),
        ..TransactionOptions::default()
    })
    .await
}

/// What time it is by the database's own clock, in one statement: it decides on deadlines, whatever the machines of the service think.
///
/// PostgreSQL: the instant of the statement, not of the start of its transaction, which may have waited for a lock since.
/// SQLite: to the millisecond.
///
/// # Errors
/// The database's.
pub async fn clock(db: &impl ConnectionTrait) -> Result<DateTime<Utc>, DbErr> {
    let backend = db.get_database_backend();
    let on_postgres = backend == DbBackend::Postgres;
    let sql = if on_postgres { "SELECT clock_timestamp()" } else { "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')" };
    let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
    let row = row.ok_or_else(|| DbErr::Custom("the database does not tell the time".to_owned()))?;
    if on_postgres {
        return row.try_get_by_index(0);
    }
    let text: String = row.try_get_by_index(0)?;
    text.parse().map_err(|error| DbErr::Custom(format!("the database tells the time as `{text}`: {error}")))
}

/// The instant of a statement by the database's own clock, so much later: to compare with, and to set. As [`clock`], within the statement.
#[must_use]
pub fn instant(backend: DbBackend, later: TimeDelta) -> Expr {
    let milliseconds = later.num_milliseconds();
    Expr::cust(if backend == DbBackend::Postgres {
        format!("clock_timestamp() + interval '{milliseconds} milliseconds'")
    } else {
        // As the library writes times: their texts have the order of the instants.
        let (sign, whole, part) =
            (if milliseconds < 0 { '-' } else { '+' }, later.num_seconds().abs(), milliseconds.abs() % 1000);
        format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '{sign}{whole}.{part:03} seconds')")
    })
}

/// How many rows of `columns` columns fit in one statement.
pub fn rows_per_statement(db: &impl ConnectionTrait, columns: usize) -> usize {
    let binds = if db.get_database_backend() == DbBackend::Postgres { 65_535 } else { 32_766 };
    (binds / columns.max(1)).clamp(1, 2_000)
}

/// The present instant, at the precision that both databases keep (microseconds).
#[must_use]
pub fn now() -> chrono::DateTime<chrono::Utc> {
    let now = chrono::Utc::now();
    chrono::DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
}
