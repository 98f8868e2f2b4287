//! Looks at an installation and says what is well, what is not, and what to do. It changes nothing.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use attelage_migrations::{Migrator, MigratorTrait as _};
use attelage_solver::{Instance, Options, Problem, check, solve};
use chrono::Utc;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::audit::{self, verify};
use crate::bids::keys;
use crate::bids::seal::SealingKey;
use crate::database::{self, sqlite};
use crate::keyfile::Key;

/// A small call that every build must solve.
const EXAMPLE: &str = include_str!("../../solver/examples/lyon.json");
/// Seconds between the clocks of the service and of the database that go unnoticed.
const SKEW: i64 = 2;
/// Free space below which somebody should look.
const SPACE: u64 = 1 << 30;
/// The oldest PostgreSQL that the tests know.
const POSTGRESQL: i32 = 15;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Well.
    Well,
    /// To be looked at.
    Doubtful,
    /// The service does not work, or not safely.
    Ill,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub about: &'static str,
    /// How well it is.
    pub health: Health,
    /// What was seen, and what to do about it.
    pub words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.health {
            Health::Well => "well",
            Health::Doubtful => "LOOK",
            Health::Ill => "ILL ",
        };
        write!(f, "{mark}  {:<12} {}", self.about, self.words)
    }
}

fn finding(about: &'static str, health: Health, words: impl Into<String>) -> Finding {
    Finding { about, health, words: words.into() }
}

/// Looks at everything. `thoroughly` reads the whole audit log and the whole file of an SQLite database, too.
pub async fn examine(url: &str, audit_key: &Path, sealing_key: &Path, thoroughly: bool) -> Vec<Finding> {
    let mut found = vec![solver()];
    found.extend(space(url));
    // A file that is not there would be made.
    let missing = sqlite::file(url).filter(|file| !file.exists());
    if let Some(file) = missing {
        let words = format!("{} does not exist: `attelage serve` makes it", file.display());
        found.push(finding("database", Health::Ill, words));
        return found;
    }
    let db = match database::connect(url).await {
        Ok(db) => db,
        Err(error) => {
            found.push(finding("database", Health::Ill, format!("it does not open: {error}")));
            return found;
        }
    };
    // Each of them says by itself what it could not see.
    found.push(told("database", version(&db).await));
    found.push(told("clock", clock(&db).await));
    let schema = schema(&db).await;
    let is_current = matches!(&schema, Ok((Health::Well, _)));
    found.push(told("schema", schema));
    if is_current {
        found.push(told("audit key", audit_log(&db, audit_key, thoroughly).await));
        found.push(sealing(&db, sealing_key).await);
    }
    if thoroughly && db.get_database_backend() == DbBackend::Sqlite {
        found.push(told("file", whole(&db).await));
    }
    found
}

fn told(about: &'static str, seen: Result<(Health, String), DbErr>) -> Finding {
    match seen {
        Ok((health, words)) => finding(about, health, words),
        Err(error) => finding(about, Health::Ill, format!("it could not be looked at: {error}")),
    }
}

fn solver() -> Finding {
    let start = Instant::now();
    let solved = || -> Result<bool, String> {
        let problem: Problem = serde_json::from_str(EXAMPLE).map_err(|error| error.to_string())?;
        let instance = Instance::new(problem.clone()).map_err(|faults| format!("{faults:?}"))?;
        let answer = solve(&instance, &Options::default()).map_err(|error| error.to_string())?;
        let best = answer.proposals.first().ok_or("no consortium was found")?;
        Ok(check(&problem, best).is_empty())
    };
    match solved() {
        Ok(true) => {
            let words = format!(
                "{}: an example solved and checked in {} ms",
                attelage_solver::engine(),
                start.elapsed().as_millis()
            );
            finding("solver", Health::Well, words)
        }
        Ok(false) => finding("solver", Health::Ill, "its answer to an example breaks the rules: do not use this build"),
        Err(error) => finding("solver", Health::Ill, format!("it does not solve an example: {error}")),
    }
}

fn space(url: &str) -> Option<Finding> {
    let free = sqlite::free(&sqlite::file(url)?)?;
    let words = format!("{} MiB are free beside the file of the database", free >> 20);
    Some(finding("space", if free < SPACE { Health::Doubtful } else { Health::Well }, words))
}

async fn version(db: &DatabaseConnection) -> Result<(Health, String), DbErr> {
    if db.get_database_backend() == DbBackend::Sqlite {
        // One with the known fault has not been opened.
        let journal = text(db, "PRAGMA journal_mode").await?;
        let health = if journal == "wal" { Health::Well } else { Health::Ill };
        return Ok((health, format!("SQLite {}, journal {journal}", sqlite::version(db).await?)));
    }
    let number: i32 = text(db, "SHOW server_version_num").await?.parse().unwrap_or(0);
    let words = format!("PostgreSQL {}", text(db, "SHOW server_version").await?);
    if number / 10_000 < POSTGRESQL {
        return Ok((Health::Doubtful, format!("{words}: the service is tested with {POSTGRESQL} and later")));
    }
    Ok((Health::Well, words))
}

async fn text(db: &DatabaseConnection, sql: &str) -> Result<String, DbErr> {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get_by_index(0)
}

async fn clock(db: &DatabaseConnection) -> Result<(Health, String), DbErr> {
    let apart = (database::clock(db).await? - Utc::now()).num_seconds().abs();
    if apart > SKEW {
        let words = format!(
            "the clocks of the service and of its database are {apart} s apart: deadlines are told by the database; set both by NTP"
        );
        return Ok((Health::Doubtful, words));
    }
    Ok((Health::Well, "the service and its database agree on the time".to_owned()))
}

async fn schema(db: &DatabaseConnection) -> Result<(Health, String), DbErr> {
    let known = Migrator::migrations().len();
    let applied = Migrator::get_applied_migrations(db).await?.len();
    let pending = Migrator::get_pending_migrations(db).await?.len();
    if pending > 0 {
        return Ok((
            Health::Doubtful,
            format!("{pending} migrations are missing: `attelage migrate` or `attelage serve` applies them"),
        ));
    }
    Ok((Health::Well, format!("{applied} of {known} migrations")))
}

async fn audit_log(db: &DatabaseConnection, file: &Path, thoroughly: bool) -> Result<(Health, String), DbErr> {
    let key = match Key::read(file) {
        Ok(Some(key)) => key,
        Ok(None) if !audit::has_begun(db).await? => {
            return Ok((Health::Well, format!("nothing is logged yet; {} is made at the first start", file.display())));
        }
        Ok(None) => {
            return Ok((Health::Ill, format!("the log of this database has a key, and {} is missing", file.display())));
        }
        Err(error) => return Ok((Health::Ill, error.to_string())),
    };
    if !thoroughly {
        return Ok(match audit::Log::open(db, key).await {
            Ok(_) => (Health::Well, format!("{} is that of the log", file.display())),
            Err(error) => (Health::Ill, error.to_string()),
        });
    }
    Ok(match verify::verify(&database::begin_read(db).await?, &key, None).await? {
        Ok(end) => (Health::Well, format!("{} entries, untouched, head {end}", end.position)),
        Err(broken) => (Health::Ill, format!("the log is broken: {broken}")),
    })
}

async fn sealing(db: &DatabaseConnection, file: &Path) -> Finding {
    let key = match Key::read(file) {
        Ok(Some(key)) => SealingKey::new(*key.bytes()),
        Ok(None) => {
            let words = format!(
                "{} does not exist: it is made at the first start; if there are bids already, they cannot be read without it",
                file.display()
            );
            return finding("sealing key", Health::Doubtful, words);
        }
        Err(error) => return finding("sealing key", Health::Ill, error.to_string()),
    };
    match keys::check(db, &key).await {
        Ok(()) => finding("sealing key", Health::Well, format!("{} opens what is sealed", file.display())),
        Err(error) => finding("sealing key", Health::Ill, error),
    }
}

async fn whole(db: &DatabaseConnection) -> Result<(Health, String), DbErr> {
    let said = text(db, "PRAGMA integrity_check").await?;
    if said != "ok" {
        return Ok((Health::Ill, format!("it is damaged ({said}): restore the last backup into a new file")));
    }
    let statement = Statement::from_string(db.get_database_backend(), "PRAGMA foreign_key_check");
    let loose = db.query_all_raw(statement).await?.len();
    let health = if loose == 0 { Health::Well } else { Health::Ill };
    Ok((health, format!("its pages and indexes are whole; {loose} references lead nowhere")))
}
