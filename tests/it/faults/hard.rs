//! Many hard runs: whoever reads meanwhile notices nothing.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Service, World, hard, seconds};
use crate::support::on_both_engines;
use crate::support::people::scalar;
use crate::support::wire::{load, percentile, request};

/// Hard runs in the queue.
const RUNS: usize = 100;
/// One read after the other: 200 a second, or 50 where the program is not optimised.
const INTERVAL: Duration = Duration::from_millis(if cfg!(debug_assertions) { 20 } else { 5 });
/// How long one read of a hundred may take, from when it was to be sent.
const SOON: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 50 });

on_both_engines! {
    async fn reads_are_quick_while_two_of_a_hundred_hard_runs_are_computed(engine) {
        let world = World::new(engine).await;
        world.app.post(&format!("/v1/calls/{}/publish", world.jobs.call), json!({})).await.expect(200);
        let problem = hard();
        for _ in 0..RUNS {
            world.queue(&problem, 60_000).await;
        }
        let service = Service::on(world.app.database.url()).with("ATTELAGE_SOLVERS", "2");
        let served = service.start().await;
        let running = "SELECT COUNT(*) FROM run WHERE state = 'running' AND progress IS NOT NULL";
        let begun = Instant::now();
        while scalar::<i64>(&world.app, running).await < 2 {
            assert!(begun.elapsed() < Duration::from_mins(2), "two are computed at once");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let call = request("GET", &format!("/v1/calls/{}", world.jobs.call), &[], None);
        let list = request("GET", "/v1/organisations?limit=20", &[], None);
        let next = |number: u32| if number.is_multiple_of(4) { list.clone() } else { call.clone() };
        let samples = load(served.address, 64, INTERVAL, seconds(3, 30), next).await;
        assert!(samples.iter().all(|sample| sample.status == 200));
        let left = "SELECT COUNT(*) FROM run WHERE finished_at IS NULL";
        assert!(scalar::<i64>(&world.app, left).await > 2, "there was more to compute all the time");
        let mut times: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
        let (median, most) = (percentile(&mut times, 50), percentile(&mut times, 99));
        eprintln!("{engine:?}: two solves, {} reads, one each {INTERVAL:?}: median {median:?}, p99 {most:?}", times.len());
        assert!(most <= SOON, "{most:?}");
        service.said();
    }
}
