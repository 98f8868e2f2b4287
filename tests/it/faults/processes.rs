//! Processes that compute are killed, paused and asked to end.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::{Process, World, easy, hard, is};
use crate::support::on_both_engines;
use crate::support::people::scalar;
use crate::support::program::processes;
use crate::support::service::{restarted_with, setup};
use crate::support::size;

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
        assert!(["optimal", "feasible", "unknown"].contains(&over["result"].as_str().unwrap()), "{:#}", over.body);
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
        let whole = "SELECT fence FROM run WHERE state = 'succeeded'";
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
