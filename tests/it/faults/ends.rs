//! Cancelling, and limits of time: what has to end, ends at once.

use std::time::{Duration, Instant};

use attelage::runs::Settings;
use attelage::server::Setup;
use attelage_solver::sample::{self as samples, Shape};
use serde_json::json;

use super::{World, hard, is};
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::program::processes;
use crate::support::service::{Restarted, restarted_with, runs, setup};
use crate::support::size;
use crate::support::wire::percentile;

on_both_engines! {
    async fn a_hard_run_is_cancelled_with_the_best_so_far(engine) {
        let world = World::new(engine).await;
        // Less hard than others: its best so far is written down before patience ends, even where the program is not optimised.
        let problem = samples::problem(&Shape::of(400, 60), 1);
        let _computing = restarted_with(&world.app, setup()).await;
        // On a machine that is busy it may be ended before it has written anything down: not each time.
        let mut times = 0..3;
        let (id, cancelled) = loop {
            let id = world.queue(&problem, 60_000).await;
            world.until(&id, 60, |answer| answer["progress"]["incumbent_cents"].is_i64()).await;
            let cancelled = world.cancel(&id).await;
            assert_eq!(cancelled["state"], "cancelled");
            if cancelled["result"] == "feasible" || times.next().is_none() {
                break (id, cancelled);
            }
        };
        assert_eq!(cancelled["result"], "feasible");
        let best = world.app.get(&format!("/v1/runs/{id}/proposals")).await.expect(200)["items"][0].clone();
        assert_eq!((&best["rank"], &best["proof"]["optimal"], &best["proof"]["verified"]), (&json!(1), &json!(false), &json!(true)));
        assert_eq!(best["costs"]["objective_cents"], cancelled["objective_cents"]);
    }
}

/// A service whose computations are known by the memory that they may have.
async fn computing(world: &World, memory_mib: u64) -> Restarted {
    restarted_with(&world.app, Setup { runs: Settings { memory_mib, ..runs() }, ..setup() }).await
}

#[actix_web::test]
async fn a_cancelled_computation_is_gone_within_a_quarter_of_a_second() {
    let world = World::new(Engine::Sqlite).await;
    let _computing = computing(&world, 2_049).await;
    let (problem, words) = (hard(), format!("compute 2049 122 {}", std::process::id()));
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
    assert!(most < Duration::from_millis(if cfg!(debug_assertions) { 5_000 } else { 250 }), "{times:?}");
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
    let _computing = computing(&world, 2_047).await;
    let problem = hard();
    let mut times = Vec::new();
    for number in 0..size(3, 100) {
        let limit = Duration::from_secs(1 + u64::try_from(number % 3).unwrap());
        let words = format!("compute 2047 {} {}", 2 * limit.as_secs() + 2, std::process::id());
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
    assert!(most < Duration::from_millis(if cfg!(debug_assertions) { 5_000 } else { 500 }), "{times:?}");
}
