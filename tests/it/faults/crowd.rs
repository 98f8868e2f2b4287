//! More is asked than can be answered: what cannot be looked after is refused at once, the rest is answered, memory stays bounded, and
//! all is as before when the crowd has gone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Service, seconds};
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample;
use crate::support::service::PREPARED;
use crate::support::wire::{Wire, load, percentile, request};

/// Connections that ask at once: more than there are places, 256 by default.
const CONNECTIONS: usize = 600;
/// How much more is asked than can be answered.
const TIMES: u32 = 5;
/// Memory that the service may have.
const MEMORY: u64 = 512 << 20;

/// Requests one after the other, each on its own; the time that half of them take.
async fn usual(address: SocketAddr, request: &[u8]) -> Duration {
    let mut wire = Wire::connect(address).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..30 {
        let since = Instant::now();
        assert_eq!(wire.exchange(request).await.unwrap().status, 200);
        times.push(since.elapsed());
    }
    percentile(&mut times, 50)
}

/// The interval at which it answers requests of clients who ask again as soon as they are answered.
async fn bears(address: SocketAddr, length: Duration, next: impl Fn(u32) -> Vec<u8>) -> Duration {
    let begun = Instant::now();
    let client = async |number: u32| {
        let (mut wire, mut answered) = (Wire::connect(address).await.unwrap(), 0_u32);
        while begun.elapsed() < length {
            let reply = wire.exchange(&next(1_000_000 * number + answered)).await.unwrap();
            assert!([200, 201].contains(&reply.status), "{}", reply.json());
            answered += 1;
        }
        answered
    };
    let answered: u32 = futures_util::future::join_all((1..=16).map(client)).await.into_iter().sum();
    begun.elapsed() / answered
}

/// The most memory that a process has had, in bytes.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn a_second(interval: Duration) -> f64 {
    interval.as_secs_f64().recip()
}

on_both_engines! {
    async fn five_times_what_it_can_bear_is_answered_or_refused_and_passes(engine) {
        let database = PREPARED.database(engine).await;
        let service = Service::on(database.url());
        let served = service.start().await;
        let key = format!("Bearer {}", service.key().await);
        let client = served.client(key.trim_start_matches("Bearer "));
        let market = sample::market(&client).await;
        client.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.expect(200);
        let read = request("GET", &format!("/v1/calls/{}", market.call), &[], None);
        // Of ten requests, seven read one thing, two a list, and one writes.
        let list = request("GET", "/v1/organisations?limit=20", &[], None);
        let headers = [("Authorization", key.as_str())];
        let next = |number: u32| match number % 10 {
            0 => request("POST", "/v1/organisations", &headers, Some(&json!({ "name": format!("Foule {number}") }))),
            1 | 2 => list.clone(),
            _ => read.clone(),
        };
        let before = usual(served.address, &read).await;
        let interval = bears(served.address, seconds(1, 10), next).await;
        let samples = load(served.address, CONNECTIONS, interval / TIMES, seconds(3, 30), next).await;
        let since = Instant::now();
        let mut statuses = BTreeMap::<u16, usize>::new();
        for sample in &samples {
            *statuses.entry(sample.status).or_default() += 1;
        }
        let memory = most_memory(served.pid());
        let (bears, asked) = (a_second(interval), a_second(interval / TIMES));
        eprintln!("{engine:?}: bears {bears:.0} requests/s; of {} at {asked:.0}/s: {statuses:?}; {} MiB", samples.len(), memory >> 20);
        assert!(statuses.keys().all(|status| [200, 201, 429, 503].contains(status)), "{statuses:?}");
        assert!(statuses.contains_key(&200) && statuses.contains_key(&503), "some are answered, some refused: {statuses:?}");
        assert!(memory < MEMORY, "{memory}");
        loop {
            let now = usual(served.address, &read).await;
            if now < 2 * before + Duration::from_millis(2) {
                eprintln!("{engine:?}: usually {before:?}; {now:?} again {:?} after the crowd", since.elapsed());
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(5), "{before:?} before, {now:?} now");
        }
        service.said();
    }
}

#[actix_web::test]
async fn health_is_told_in_the_thickest_crowd_and_whoever_waits_takes_no_place() {
    let database = PREPARED.database(Engine::Sqlite).await;
    let service = Service::on(database.url()).with("ATTELAGE_REQUESTS_AT_ONCE", "1").with("ATTELAGE_SOLVERS", "0");
    let served = service.start().await;
    let key = service.key().await;
    let client = served.client(&key);
    let call = sample::market(&client).await.call;
    let key = format!("Bearer {key}");
    let waiting = [("Authorization", key.as_str()), ("Prefer", "wait=5")];
    let run = request("POST", &format!("/v1/calls/{call}/runs"), &waiting, Some(&json!({})));
    let slow = "POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let (mut waits, mut sends) =
        (Wire::connect(served.address).await.unwrap(), Wire::connect(served.address).await.unwrap());
    // One after the other: each needs the place for a moment.
    let run = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        waits.exchange(&run).await
    };
    let (waited, sent, ()) = tokio::join!(run, sends.exchange(slow.as_bytes()), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        for path in ["/v1/calls", "/healthz", "/v1/organisations"] {
            client.get(path).await.expect(200);
        }
    });
    assert_eq!((waited.unwrap().status, sent.unwrap().status), (202, 408), "one waits for a run, one sends slowly");
    // Many at once, of whom few find the place free.
    let read = request("GET", "/v1/calls", &[], None);
    let samples =
        load(served.address, 60, Duration::from_micros(500), Duration::from_millis(500), |_| read.clone()).await;
    let refused = samples.iter().filter(|sample| sample.status == 503).count();
    assert!(refused > 0 && samples.iter().all(|sample| [200, 503].contains(&sample.status)), "{refused}");
    let health = request("GET", "/healthz", &[], None);
    let samples =
        load(served.address, 60, Duration::from_millis(1), Duration::from_millis(200), |_| health.clone()).await;
    assert!(samples.iter().all(|sample| sample.status == 200));
}
