//! What goes wrong in earnest: processes that are killed, paused and stopped while they work, disks that are full, databases that go
//! away, more requests than can be answered. Short by default, in full with `ATTELAGE_TEST_FULL=1`; `docs/reliability.md` has the figures.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use attelage::audit::Log;
use attelage::identity::administration;
use attelage::server::Setup;
use attelage_solver::sample::{self as samples, Shape};
use attelage_solver::{Options, Problem};
use reqwest::Method;
use reqwest::header::HeaderMap;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::cli::{attelage, prints};
use crate::support::app::{Answer, Client};
use crate::support::database::Engine;
use crate::support::people::scalar;
use crate::support::service::{App, audit_key, document, runs, setup, spawn_with};
use crate::support::{sample, size};

mod away;
mod crash;
mod crew;
mod crowd;
mod disk;
mod ends;
mod hard;
mod processes;
mod writers;

/// A process of the product, killed when this is dropped.
struct Process(Child);

impl Process {
    /// `attelage worker` on the database of `app`, whose leases last a second.
    fn worker(app: &App, folder: &TempDir) -> Self {
        Self(command(&app.database.url(), folder.path(), &["worker", "--solvers", "1"]).spawn().unwrap())
    }

    /// `attelage serve` on it, which computes as well.
    fn service(app: &App, folder: &TempDir) -> Self {
        Self(command(&app.database.url(), folder.path(), &["serve", "--port", "0"]).spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let done = Command::new("/bin/kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What starts a program that ends with the test that started it, however that ends.
const TIED: [&str; 4] = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"];

/// A command of the product on a database, in a folder with the keys of `setup`, and with leases of a second.
fn command(url: &str, folder: &Path, arguments: &[&str]) -> Command {
    for (name, byte) in [("audit", "0b"), ("sealing", "07")] {
        crate::cli::keep(&folder.join(name), byte.repeat(32).as_bytes());
    }
    let plain = attelage(folder, arguments);
    let mut command = Command::new(TIED[0]);
    command.args(&TIED[1..]).arg(plain.get_program()).args(plain.get_args()).current_dir(folder).stdin(Stdio::null());
    for (setting, _) in plain.get_envs() {
        command.env_remove(setting);
    }
    command.env("ATTELAGE_DATABASE", url).env("ATTELAGE_LEASE", "1");
    command.env("ATTELAGE_AUDIT_KEY_FILE", folder.join("audit"));
    command.env("ATTELAGE_SEALING_KEY_FILE", folder.join("sealing"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// `attelage serve`, a process of its own that is spoken to.
struct Served {
    process: Process,
    address: SocketAddr,
}

/// How such a service is started, again and again.
struct Service {
    folder: TempDir,
    url: String,
    settings: Vec<(&'static str, String)>,
}

impl Service {
    /// On a database whose schema is current; nobody's share of requests is limited.
    fn on(url: String) -> Self {
        let unlimited = ["ATTELAGE_REQUESTS_PER_MINUTE", "ATTELAGE_REQUESTS_PER_MINUTE_OF_ADDRESS"];
        let settings = unlimited.map(|name| (name, "0".to_owned())).to_vec();
        Self { folder: TempDir::new().unwrap(), url, settings }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    /// Where it writes its log, of all its lives.
    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Starts it, and waits until it listens.
    async fn start(&self) -> Served {
        self.run(command(&self.url, self.folder.path(), &["serve", "--port", "0"])).await
    }

    /// The same, which leaves runs to others.
    async fn start_idle(&self) -> Served {
        self.run(command(&self.url, self.folder.path(), &["serve", "--port", "0", "--solvers", "0"])).await
    }

    async fn run(&self, mut command: Command) -> Served {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let process = Process(child);
        let line = tokio::task::spawn_blocking(move || output.lines().next()).await.unwrap();
        let said = line.and_then(Result::ok).unwrap_or_default();
        let address = said.rsplit_once("http://").and_then(|(_, address)| address.trim().parse().ok());
        let address = address.unwrap_or_else(|| panic!("{said}\n{}", self.said()));
        Served { process, address }
    }

    /// What its log says, of which nothing may be a panic.
    fn said(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap();
        assert!(!log.contains("panicked"), "{log}");
        log
    }

    /// A key of the platform on its database.
    async fn key(&self) -> String {
        let db = attelage::database::connect(&self.url).await.unwrap();
        let log = Log::open(&db, audit_key()).await.unwrap();
        let key = administration::issue_key(&log, "tests".to_owned(), 1).await.unwrap().secret;
        db.close().await.unwrap();
        key
    }

    /// Whether nobody has touched the audit log, as an operator would ask.
    fn verify(&self) {
        let key = self.folder.path().join("audit");
        let arguments = ["audit", "verify", "--database", &self.url, "--audit-key-file", key.to_str().unwrap()];
        let said = prints(self.folder.path(), &arguments);
        assert!(said.starts_with("OK"), "{said}");
    }
}

impl Served {
    /// A client that checks its answers.
    fn client(&self, key: &str) -> Client {
        Client::new(format!("http://{}", self.address), document().clone(), Some(key.to_owned()))
    }

    /// Ends it as a power cut would.
    fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }

    fn pid(&self) -> u32 {
        self.process.0.id()
    }
}

/// How long a test goes on.
fn seconds(short: usize, full: usize) -> Duration {
    Duration::from_secs(u64::try_from(size(short, full)).unwrap())
}

/// Numbers that are drawn, and always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A service, and a run on its database to make others from.
struct World {
    /// Computes nothing itself.
    app: App,
    jobs: Jobs,
}

/// Puts runs into the queue of a database, each on a problem of its own.
struct Jobs {
    db: DatabaseConnection,
    /// Cancelled while it waited: the others are made like it.
    pattern: Uuid,
    /// The call that they are about.
    call: String,
}

impl Jobs {
    /// On the database of a service that computes nothing.
    async fn new(client: &Client, db: DatabaseConnection) -> Self {
        let call = sample::market(client).await.call;
        let run = client.post(&format!("/v1/calls/{call}/runs"), json!({})).await.expect(202);
        let pattern: Uuid = run["id"].as_str().unwrap().parse().unwrap();
        client.send_raw(Method::DELETE, &format!("/v1/runs/{pattern}"), HeaderMap::new(), "").await.expect(200);
        Self { db, pattern, call }
    }

    /// Queues a run like the pattern, on a problem of its own, for so long at most.
    async fn queue(&self, problem: &Problem, limit_ms: u64) -> String {
        let id = Uuid::now_v7();
        let options = Options { proposals: 1, time_limit_ms: limit_ms, ..Options::default() };
        let work = json!({ "alone": { "problem": problem, "options": options, "question": { "proposals": {} }, "prompted": null } });
        let copied = ["organisation_id", "call_id", "call_version", "options", "fingerprint", "created_at"];
        let like = Query::select()
            .expr(Expr::val(id))
            .expr(Expr::val("queued"))
            .columns(copied)
            .from("run")
            .and_where(Expr::col("id").eq(self.pattern))
            .take();
        let run = Query::insert()
            .into_table("run")
            .columns(["id", "state"].into_iter().chain(copied))
            .select_from(like)
            .unwrap()
            .take();
        let call = Query::select()
            .expr(Expr::val(id))
            .columns(["position", "call_id", "call_version"])
            .from("run_call")
            .and_where(Expr::col("run_id").eq(self.pattern))
            .take();
        let columns = ["run_id", "position", "call_id", "call_version"];
        let call = Query::insert().into_table("run_call").columns(columns).select_from(call).unwrap().take();
        let document = work.to_string().into_bytes();
        let work = Query::insert()
            .into_table("run_work")
            .columns(["run_id", "limit_ms", "document"])
            .values_panic([id.into(), i64::try_from(limit_ms).unwrap().into(), document.into()])
            .take();
        let tx = self.db.begin_with_options(to_write()).await.unwrap();
        for statement in [run, call, work] {
            assert_eq!(tx.execute(&statement).await.unwrap().rows_affected(), 1);
        }
        tx.commit().await.unwrap();
        id.to_string()
    }
}

impl World {
    async fn new(engine: Engine) -> Self {
        let idle = attelage::runs::Settings { solvers: 0, ..runs() };
        let app = spawn_with(engine, Setup { runs: idle, ..setup() }).await;
        let jobs = Jobs::new(&app, app.database.connect().await).await;
        Self { app, jobs }
    }

    /// As [`Jobs::queue`].
    async fn queue(&self, problem: &Problem, limit_ms: u64) -> String {
        self.jobs.queue(problem, limit_ms).await
    }

    async fn until(&self, id: &str, patience: u64, what: impl Fn(&Answer) -> bool) -> Answer {
        let end = Instant::now() + Duration::from_secs(patience);
        loop {
            let answer = self.app.get(&format!("/v1/runs/{id}")).await.expect(200);
            if what(&answer) {
                return answer;
            }
            assert!(Instant::now() < end, "{:#}", answer.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ends(&self) -> i64 {
        scalar(&self.app, "SELECT COUNT(*) FROM audit_entry WHERE action = 'finish_run'").await
    }

    async fn cancel(&self, id: &str) -> Answer {
        self.app.send_raw(Method::DELETE, &format!("/v1/runs/{id}"), HeaderMap::new(), "").await.expect(200)
    }
}

fn to_write() -> TransactionOptions {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }
}

/// A call that takes its time.
fn hard() -> Problem {
    samples::problem(&Shape::of(700, 90), 1)
}

/// One that is solved at once.
fn easy() -> Problem {
    samples::problem(&Shape::of(12, 3), 1)
}

fn is(state: &'static str) -> impl Fn(&Answer) -> bool {
    move |answer| answer["state"] == state
}
