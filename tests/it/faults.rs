//! What goes wrong in earnest: processes that are killed, paused and stopped while they work. Short by default, in full with
//! `ATTELAGE_TEST_FULL=1`; `docs/reliability.md` has the figures.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use attelage::server::Setup;
use attelage_solver::sample::{self as samples, Shape};
use attelage_solver::{Options, Problem};
use reqwest::Method;
use reqwest::header::HeaderMap;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::cli::attelage;
use crate::support::app::Answer;
use crate::support::database::Engine;
use crate::support::people::scalar;
use crate::support::program::processes;
use crate::support::service::{App, restarted_with, runs, setup, spawn_with};
use crate::support::{on_both_engines, sample, size};

/// A process of the product, killed when this is dropped.
struct Process(Child);

impl Process {
    /// `attelage worker` on the database of `app`, whose leases last a second.
    fn worker(app: &App, folder: &TempDir) -> Self {
        Self(command(app, folder, &["worker", "--solvers", "1"]).spawn().unwrap())
    }

    /// `attelage serve` on it, which computes as well.
    fn service(app: &App, folder: &TempDir) -> Self {
        Self(command(app, folder, &["serve", "--port", "0"]).spawn().unwrap())
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

fn command(app: &App, folder: &TempDir, arguments: &[&str]) -> Command {
    // The keys of `setup`.
    for (name, byte) in [("audit", "0b"), ("sealing", "07")] {
        crate::cli::keep(&folder.path().join(name), byte.repeat(32).as_bytes());
    }
    let mut command = attelage(folder.path(), arguments);
    command.env("ATTELAGE_DATABASE", app.database.url()).env("ATTELAGE_LEASE", "1");
    command.env("ATTELAGE_AUDIT_KEY_FILE", folder.path().join("audit"));
    command.env("ATTELAGE_SEALING_KEY_FILE", folder.path().join("sealing"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A service, and a run on its database to make others from.
struct World {
    /// Computes nothing itself.
    app: App,
    db: DatabaseConnection,
    /// Cancelled while it waited.
    pattern: Uuid,
}

impl World {
    async fn new(engine: Engine) -> Self {
        let idle = attelage::runs::Settings { solvers: 0, ..runs() };
        let app = spawn_with(engine, Setup { runs: idle, ..setup() }).await;
        let call = sample::market(&app).await.call;
        let db = app.database.connect().await;
        let run = app.post(&format!("/v1/calls/{call}/runs"), json!({})).await.expect(202);
        let pattern: Uuid = run["id"].as_str().unwrap().parse().unwrap();
        app.send_raw(Method::DELETE, &format!("/v1/runs/{pattern}"), HeaderMap::new(), "").await.expect(200);
        Self { app, db, pattern }
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

on_both_engines! {
    async fn a_worker_that_is_killed_takes_its_computation_with_it_and_another_ends_the_run(engine) {
        let world = World::new(engine).await;
        let folder = TempDir::new().unwrap();
        let id = world.queue(&hard(), 4_000).await;
        let killed = Process::worker(&world.app, &folder);
        // It computes, and tells how far it is.
        let running = world.until(&id, 60, |answer| answer["progress"].is_object()).await;
        assert!(running["progress"]["elapsed_ms"].as_u64().is_some() && running["progress"]["stage"] == "search", "{:#}", running.body);
        let pid = killed.0.id();
        killed.signal("KILL");
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(processes(&format!("compute 2048 10 {pid}")), 0, "its computation is gone");
        let _other = restarted_with(&world.app, setup()).await;
        let over = world.until(&id, 60, is("succeeded")).await;
        assert_eq!(over["attempts"], 2);
        assert!(over["objective_cents"].is_i64(), "{:#}", over.body);
        assert_eq!(world.ends().await, 1);
    }

    async fn a_worker_that_is_paused_past_its_lease_writes_nothing(engine) {
        let world = World::new(engine).await;
        let folder = TempDir::new().unwrap();
        let id = world.queue(&hard(), 3_000).await;
        let paused = Process::worker(&world.app, &folder);
        world.until(&id, 60, is("running")).await;
        paused.signal("STOP");
        // Its computation goes on, and has its answer ready when it wakes up.
        let other = restarted_with(&world.app, setup()).await;
        let over = world.until(&id, 60, is("succeeded")).await;
        let whole = "SELECT fence FROM run";
        let fence = scalar::<i64>(&world.app, whole).await;
        paused.signal("CONT");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(world.app.get(&format!("/v1/runs/{id}")).await.expect(200).body, over.body);
        assert_eq!((scalar::<i64>(&world.app, whole).await, fence), (2, 2));
        assert_eq!(world.ends().await, 1);
        drop(other);
    }

    async fn a_worker_that_is_asked_to_end_gives_its_run_back_at_once(engine) {
        let world = World::new(engine).await;
        let folder = TempDir::new().unwrap();
        let id = world.queue(&hard(), 60_000).await;
        let mut asked = Process::worker(&world.app, &folder);
        world.until(&id, 60, is("running")).await;
        let begun = Instant::now();
        asked.signal("TERM");
        let back = world.until(&id, 10, is("queued")).await;
        assert_eq!(back["attempts"], 0);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}: before its lease would have ended", begun.elapsed());
        let ended = asked.0.wait().unwrap();
        assert!(ended.success() && ended.signal().is_none(), "{ended}");
    }

    async fn a_hard_run_is_cancelled_with_the_best_so_far(engine) {
        let world = World::new(engine).await;
        let id = world.queue(&hard(), 60_000).await;
        let _computing = restarted_with(&world.app, setup()).await;
        world.until(&id, 60, |answer| answer["progress"]["incumbent_cents"].is_i64()).await;
        let cancelled = world.cancel(&id).await;
        assert_eq!((&cancelled["state"], &cancelled["result"]), (&json!("cancelled"), &json!("feasible")));
        let best = world.app.get(&format!("/v1/runs/{id}/proposals")).await.expect(200)["items"][0].clone();
        assert_eq!((&best["rank"], &best["proof"]["optimal"], &best["proof"]["verified"]), (&json!(1), &json!(false), &json!(true)));
        assert_eq!(best["costs"]["objective_cents"], cancelled["objective_cents"]);
    }

    /// Jobs over two services and two workers, of which one after the other is killed.
    async fn no_job_is_lost_or_done_twice_while_processes_are_killed(engine) {
        let world = World::new(engine).await;
        let folder = TempDir::new().unwrap();
        let (jobs, kills) = (size(24, 1_000), size(4, 100));
        let mut ids = Vec::with_capacity(jobs);
        for _ in 0..jobs {
            ids.push(world.queue(&easy(), 10_000).await);
        }
        let start = |number: usize| if number.is_multiple_of(2) { Process::service(&world.app, &folder) } else { Process::worker(&world.app, &folder) };
        let mut running: Vec<Process> = (0..4).map(start).collect();
        for kill in 0..kills {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let number = kill % running.len();
            running[number].signal("KILL");
            running[number] = start(number);
        }
        let end = Instant::now() + Duration::from_mins(10);
        let left = "SELECT COUNT(*) FROM run WHERE finished_at IS NULL";
        while scalar::<i64>(&world.app, left).await > 0 {
            assert!(Instant::now() < end);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let count = i64::try_from(jobs).unwrap();
        assert_eq!(scalar::<i64>(&world.app, "SELECT COUNT(*) FROM run WHERE state = 'succeeded' AND result = 'optimal'").await, count);
        assert_eq!(world.ends().await, count, "each has one effect");
        assert_eq!(scalar::<i64>(&world.app, "SELECT COUNT(*) FROM proposal").await, count);
        assert_eq!(scalar::<i64>(&world.app, "SELECT COUNT(*) FROM run_work").await, 0);
        let again = scalar::<i64>(&world.app, "SELECT COUNT(*) FROM run WHERE attempts > 1").await;
        eprintln!("{jobs} jobs, {kills} kills: all done once, {again} begun again");
        for id in ids.iter().take(5) {
            let run: Value = world.app.get(&format!("/v1/runs/{id}")).await.expect(200).body;
            assert!(run["finished_at"].is_string(), "{run:#}");
        }
    }
}

/// The time that so many percent of them do not exceed.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent).div_ceil(100).max(1) - 1]
}

#[actix_web::test]
async fn a_cancelled_computation_is_gone_within_a_quarter_of_a_second() {
    let world = World::new(Engine::Sqlite).await;
    let _computing = restarted_with(&world.app, setup()).await;
    let (problem, words) = (hard(), format!("compute 2048 122 {}", std::process::id()));
    let mut times = Vec::new();
    for _ in 0..size(4, 100) {
        let id = world.queue(&problem, 60_000).await;
        world.until(&id, 60, |answer| answer["progress"].is_object()).await;
        let asked = Instant::now();
        let (gone, cancelled) = tokio::join!(has_gone(&words), world.cancel(&id));
        assert_eq!(cancelled["state"], "cancelled");
        times.push(gone - asked);
    }
    let (median, most) = (percentile(&mut times, 50), percentile(&mut times, 99));
    eprintln!("cancel → process gone, {} times: median {median:?}, p99 {most:?}", times.len());
    assert!(most < Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 250 }), "{times:?}");
}

/// When no process has these words in its command line any more.
async fn has_gone(words: &str) -> Instant {
    let end = Instant::now() + Duration::from_secs(10);
    while processes(words) > 0 {
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Instant::now()
}

#[actix_web::test]
async fn every_limit_ends_within_half_a_second() {
    let world = World::new(Engine::Sqlite).await;
    let _computing = restarted_with(&world.app, setup()).await;
    let problem = hard();
    let mut times = Vec::new();
    for number in 0..size(3, 100) {
        let limit = Duration::from_secs(1 + u64::try_from(number % 3).unwrap());
        let words = format!("compute 2048 {} {}", 2 * limit.as_secs() + 2, std::process::id());
        let id = world.queue(&problem, u64::try_from(limit.as_millis()).unwrap()).await;
        let end = Instant::now() + Duration::from_secs(30);
        while processes(&words) == 0 {
            assert!(Instant::now() < end);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let begun = Instant::now();
        times.push((has_gone(&words).await - begun).saturating_sub(limit));
        let over = world.until(&id, 10, is("succeeded")).await;
        assert!(["optimal", "feasible", "unknown"].contains(&over["result"].as_str().unwrap()), "{:#}", over.body);
    }
    let (median, most) = (percentile(&mut times, 50), percentile(&mut times, 100));
    eprintln!("limit → process gone, {} times: median {median:?}, longest {most:?}", times.len());
    assert!(most < Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 500 }), "{times:?}");
}
