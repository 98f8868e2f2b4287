//! Many workers at one queue, of several processes: how near it comes to keeping all of them busy. What a run takes is made up (a second
//! of sleep, then the answer to a real problem), the queue is the one that serves.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use attelage::runs::Settings;
use attelage::server::Setup;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use super::{World, easy};
use crate::cli::binary;
use crate::support::database::Engine;
use crate::support::people::scalar;
use crate::support::program::Program;
use crate::support::service::{restarted_with, setup};
use crate::support::size;

/// Processes that have workers.
const SERVICES: usize = 4;

/// The last line that a computation says of the easy problem.
fn answer() -> Vec<u8> {
    let options = json!({ "proposals": 1, "time_limit_ms": 10_000 });
    let work = json!({ "alone": { "problem": easy(), "options": options, "question": { "proposals": {} }, "prompted": null } });
    let mut computing = Command::new(binary());
    computing.args(["compute", "2048", "60", &std::process::id().to_string()]);
    let mut computing = computing.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = computing.stdin.take().unwrap();
    input.write_all(format!("{work}\n").as_bytes()).unwrap();
    let said = computing.wait_with_output().unwrap().stdout;
    drop(input);
    let last = said.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap();
    assert!(String::from_utf8_lossy(last).contains("done"), "{}", String::from_utf8_lossy(last));
    [last, b"\n"].concat()
}

#[actix_web::test]
async fn a_crew_shares_one_queue_and_each_run_is_computed_once() {
    crew_after(0).await;
}

#[actix_web::test]
async fn a_crew_shares_one_queue_at_the_end_of_a_busy_day() {
    crew_after(size(500, 50_000)).await;
}

/// Gives the runs that wait to a tenth as many organisations as there have been `runs` today, and writes those down, over and of the same
/// organisations, with three times as many of the weeks before: who is next depends on what each has had computed since yesterday.
async fn busy_day(world: &World, runs: usize) {
    let (organisations, older, pattern) = (runs / 10, 3 * runs, world.jobs.pattern);
    let db = world.app.database.connect().await;
    let execute = async |sql: String| db.execute_unprepared(&sql).await.unwrap().rows_affected();
    execute(format!(
        "INSERT INTO organisation (id, version, created_at, updated_at, name, search_name, sort_name, aliases, resource_mix, \
             home_territories, illustrative) \
         SELECT md5(number::text)::uuid, 1, now(), now(), 'x', 'x', 'x', '[]', '{{}}', '[]', false \
         FROM generate_series(0, {organisations} - 1) AS number"
    ))
    .await;
    for (runs, ago) in [(runs, "number * interval '1 day'"), (older, "interval '1 day' + number * interval '28 days'")]
    {
        let done = execute(format!(
            "INSERT INTO run (id, organisation_id, call_id, call_version, state, options, fingerprint, created_at, started_at, \
                 finished_at, attempts, spent_ms) \
             SELECT gen_random_uuid(), md5((number % {organisations})::text)::uuid, call_id, call_version, 'failed', options, \
                 fingerprint, created_at, now() - {ago} / {runs}, now(), 1, 1 + number % 5000 \
             FROM run, generate_series(0, {runs} - 1) AS number WHERE id = '{pattern}'"
        ))
        .await;
        assert_eq!(done, u64::try_from(runs).unwrap());
    }
    execute(format!(
        "UPDATE run SET organisation_id = md5((place % {organisations})::text)::uuid \
         FROM (SELECT id AS waits, row_number() OVER (ORDER BY id) AS place FROM run WHERE state = 'queued') AS queue \
         WHERE id = waits"
    ))
    .await;
    execute("ANALYZE".to_owned()).await;
}

async fn crew_after(day: usize) {
    let (workers, runs) = (size(8, 100), size(40, 3_000));
    let world = World::new(Engine::Postgres).await;
    let problem = easy();
    for _ in 0..runs {
        world.queue(&problem, 10_000).await;
    }
    if day > 0 {
        busy_day(&world, day).await;
    }
    let program = Program::new("/bin/sleep 1\n/bin/cat \"$HERE/answer\"");
    std::fs::write(program.path().with_file_name("answer"), answer()).unwrap();
    let solvers = u16::try_from(workers / SERVICES).unwrap();
    let begun = Instant::now();
    let services = (0..SERVICES).map(|_| {
        let runs = Settings { solvers, memory_mib: 256, ..program.settings() };
        restarted_with(&world.app, Setup { runs, ..setup() })
    });
    let _services = join_all(services).await;
    let left = "SELECT COUNT(*) FROM run WHERE finished_at IS NULL";
    while scalar::<i64>(&world.app, left).await > 0 {
        assert!(begun.elapsed() < Duration::from_mins(8), "the queue empties");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (took, ideal) = (begun.elapsed(), Duration::from_secs(u64::try_from(runs.div_ceil(workers)).unwrap()));
    eprintln!(
        "{workers} workers in {SERVICES} services, {day} runs of that day before, {runs} runs of a second: {took:?}, {:.0} runs/s, {:.0} % of what they could do",
        f64::from(u32::try_from(runs).unwrap()) / took.as_secs_f64(),
        100.0 * ideal.as_secs_f64() / took.as_secs_f64()
    );
    let count = i64::try_from(runs).unwrap();
    assert_eq!(
        scalar::<i64>(&world.app, "SELECT COUNT(*) FROM run WHERE state = 'succeeded' AND attempts = 1").await,
        count
    );
    assert_eq!(world.ends().await, count);
}
