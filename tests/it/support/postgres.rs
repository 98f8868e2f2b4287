//! One throw-away PostgreSQL server per test process, started by the first test that asks for a database.
//!
//! The server belongs to a small shell script (`postgres.sh`) that waits for the end of its standard input. The other end
//! of that pipe is held here and closed by the kernel when the process ends, by return, panic, abort or kill -9, so
//! nothing survives the tests. `ATTELAGE_TEST_POSTGRES_URL` names a running server (15 or newer) to use instead.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::Url;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};

/// Names a running server to use instead of starting one: a URL whose user may create databases.
const RUNNING_SERVER: &str = "ATTELAGE_TEST_POSTGRES_URL";

struct Server {
    /// URL of the database `postgres`, or of the one that [`RUNNING_SERVER`] names.
    admin: Url,
    /// The script that ends the server when this process ends. None: the server is not ours.
    guardian: Option<Child>,
}

/// A server of its own for one test, which is stopped and started anew.
pub struct OwnServer(Server);

impl OwnServer {
    /// Starts it (1.5 s). What it says to have written outlives its crash, unlike on the server that all tests share.
    pub async fn start() -> Self {
        let server = tokio::task::spawn_blocking(|| start(&programs()?)).await.expect("a thread");
        let own = Self(server.unwrap_or_else(|error| panic!("no PostgreSQL of its own: {error}")));
        let db = connect(&own.url()).await.expect("it answers");
        db.execute_unprepared("ALTER DATABASE postgres SET synchronous_commit = on").await.expect("a setting");
        db.close().await.expect("the connections close");
        own
    }

    /// Its only database.
    pub fn url(&self) -> String {
        self.0.admin.to_string()
    }

    /// Ends it at once, as a crash would; comes back when it no longer answers.
    pub async fn stop(&mut self) {
        self.tell("stop");
        while connect(&self.url()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts it again; comes back when it answers.
    pub async fn go_on(&mut self) {
        self.tell("start");
        while connect(&self.url()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn tell(&mut self, word: &str) {
        let script = self.0.guardian.as_mut().and_then(|guardian| guardian.stdin.as_mut());
        writeln!(script.expect("a script that listens"), "{word}").expect("it reads");
    }
}

impl Drop for OwnServer {
    /// Ends it, and waits until nothing is left of it.
    fn drop(&mut self) {
        if let Some(mut guardian) = self.0.guardian.take() {
            drop(guardian.stdin.take());
            drop(guardian.wait());
        }
    }
}

/// A database of its own for one test, dropped with it.
pub struct PostgresDatabase {
    name: String,
}

impl PostgresDatabase {
    /// Creates an empty database (about 30 ms).
    pub async fn empty() -> Self {
        Self::create("template0").await
    }

    /// Creates a copy of the database `template` of this process, file by file (about 30 ms).
    pub async fn copy_of(template: &str) -> Self {
        Self::create(template).await
    }

    async fn create(template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("attelage_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        administrate(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
            .await
            .unwrap_or_else(|error| panic!("cannot create the database {name} from {template}: {error}"));
        Self { name }
    }

    /// Where to connect.
    pub fn url(&self) -> String {
        let mut url = server().admin.clone();
        url.set_path(&self.name);
        url.into()
    }

    /// Keeps the database until the server ends, as a template. Returns its name. Close every connection first.
    pub fn keep(self) -> String {
        let name = self.name.clone();
        std::mem::forget(self);
        name
    }
}

impl Drop for PostgresDatabase {
    /// In a thread with a runtime of its own: the test's runtime may be ending.
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(administrate(&sql)).map_err(std::io::Error::other)
        })
        .join();
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("the database {} stays behind: {dropped:?}", self.name);
        }
    }
}

/// Whether the server ends with this process, so that what stays in it stays nowhere.
pub fn is_ours() -> bool {
    server().guardian.is_some()
}

/// Opens a pool of at most four connections.
pub async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    Database::connect(options).await
}

async fn administrate(sql: &str) -> Result<(), DbErr> {
    let db = connect(server().admin.as_str()).await?;
    db.execute_unprepared(sql).await?;
    db.close().await
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| match std::env::var(RUNNING_SERVER) {
        Ok(url) => {
            let admin = Url::parse(&url).map_err(|error| format!("{RUNNING_SERVER} is not a URL: {error}"))?;
            Ok(Server { admin, guardian: None })
        }
        Err(_) => start(&programs()?),
    });
    server.as_ref().unwrap_or_else(|error| panic!("no PostgreSQL for the tests: {error}"))
}

/// Starts a server (1.5 s).
fn start(programs: &Path) -> Result<Server, String> {
    let script = include_str!("postgres.sh");
    let mut command = if is_root()? {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command.args(["-c", script, "postgres.sh"]).arg(programs);
    // A process group of its own: Ctrl-C in the terminal ends the tests, and their end ends the server.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut guardian = command.spawn().map_err(|error| format!("cannot run {command:?}: {error}"))?;

    let mut output = BufReader::new(guardian.stdout.take().ok_or("the server's script has no output")?);
    let mut said = String::new();
    output.read_line(&mut said).map_err(|error| error.to_string())?;
    let Some(directory) = said.strip_prefix("ready ") else {
        let _ = output.read_to_string(&mut said);
        return Err(format!("the server did not start:\n{said}"));
    };
    let mut admin = Url::parse("postgres://postgres@localhost/postgres").map_err(|error| error.to_string())?;
    admin.query_pairs_mut().append_pair("host", directory.trim_end());
    Ok(Server { admin, guardian: Some(guardian) })
}

fn is_root() -> Result<bool, String> {
    let id = Command::new("id").arg("-u").output().map_err(|error| format!("cannot run `id -u`: {error}"))?;
    Ok(id.stdout.trim_ascii() == b"0")
}

/// The folder of the server's programs: in the PATH, or the newest under Debian's `/usr/lib/postgresql`.
fn programs() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path()).collect())
        .unwrap_or_default();
    debian.sort_by_key(|version| version.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    std::env::split_paths(&path)
        .chain(debian.into_iter().rev().map(|version| version.join("bin")))
        .find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|program| folder.join(program).is_file()))
        .ok_or_else(|| {
            format!(
                "initdb, postgres and pg_isready are nowhere. Install PostgreSQL 15 or newer (Debian: apt-get install \
                 postgresql), or set {RUNNING_SERVER} to the URL of a running server"
            )
        })
}
