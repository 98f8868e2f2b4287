//! The database server is gone, and comes back: the service says so at once, loses nothing, and goes on by itself.

use std::time::{Duration, Instant};

use attelage::database;
use serde_json::json;
use tokio::time::sleep;

use super::writers::Writers;
use super::{Jobs, Service, hard};
use crate::support::people::{founded, invite, person};
use crate::support::postgres::{self, OwnServer};
use crate::support::receiver::{Receiver, eventually};
use crate::support::size;
use crate::support::wire::{Wire, request};

/// How long somebody who asks meanwhile may wait for the answer that it is gone.
const SOON: Duration = Duration::from_secs(if cfg!(debug_assertions) { 4 } else { 2 });
/// How soon all is as before once it is back.
const BACK: Duration = Duration::from_secs(5);

/// What is told while the database is away: by reading, by writing, and about the service itself.
async fn tells(address: std::net::SocketAddr, key: &str) -> Duration {
    let key = format!("Bearer {key}");
    let headers = [("Authorization", key.as_str())];
    let body = json!({ "name": "Trop tard" });
    let mut longest = Duration::ZERO;
    for asked in [
        request("GET", "/v1/calls", &[], None),
        request("GET", "/v1/calls", &headers, None),
        request("POST", "/v1/organisations", &headers, Some(&body)),
        request("GET", "/healthz", &[], None),
    ] {
        let since = Instant::now();
        let reply = Wire::connect(address).await.unwrap().exchange(&asked).await.unwrap();
        longest = longest.max(since.elapsed());
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")), "{}", reply.json());
        assert_eq!(reply.json()["type"], "/problems/unavailable");
    }
    assert!(longest < SOON, "{longest:?}");
    longest
}

#[actix_web::test]
async fn a_database_that_goes_away_and_comes_back_costs_nothing_that_was_acknowledged() {
    let mut server = OwnServer::start().await;
    let db = database::connect(&server.url()).await.unwrap();
    database::prepare(&db).await.unwrap();
    let service = Service::on(server.url())
        .with("ATTELAGE_WEBHOOK_NETWORKS", "127.0.0.0/8")
        .with("ATTELAGE_WEBHOOKS_OVER_HTTP", "true")
        // A busy machine may keep a process from its lease for more than a second.
        .with("ATTELAGE_LEASE", "4")
        .with("ATTELAGE_WEBHOOK_RETRIES", "1,1,1,1,1,1,1,1,1,1");
    let key = service.key().await;
    let idle = service.start_idle().await;
    let jobs = Jobs::new(&idle.client(&key), db.clone()).await;
    drop(idle);
    let served = service.start().await;
    let client = served.client(&key);

    let owner = person(&client, "ada@example.org").await;
    let organisation = founded(&owner, "La Fabrique").await;
    let receiver = Receiver::start();
    let hook = json!({ "organisation": organisation, "url": receiver.url("/"), "types": ["organisation.invited"] });
    owner.post("/v1/webhooks", hook).await.expect(201);

    let writers = Writers::new(served.address, &key);
    let outages = async {
        for round in 1..=size(2, 10) {
            let run = jobs.queue(&hard(), 3_000).await;
            let read = async |state: &'static str| {
                eventually(async || {
                    let answer = client.get(&format!("/v1/runs/{run}")).await;
                    assert_ne!(answer["state"], "failed", "{:#}", answer.body);
                    (answer.status == 200 && answer["state"] == state).then_some(answer)
                })
                .await
            };
            read("running").await;
            server.stop().await;
            let told = tells(served.address, &key).await;
            // Longer than the lease of the run.
            sleep(Duration::from_secs(5)).await;
            tells(served.address, &key).await;
            server.go_on().await;
            let since = Instant::now();
            while client.get("/v1/calls").await.status != 200 {
                assert!(since.elapsed() < BACK, "it is back");
                sleep(Duration::from_millis(10)).await;
            }
            let again = since.elapsed();
            invite(&owner, &organisation, "viewer").await;
            receiver.until(|all| all.len() >= round).await;
            let over = read("succeeded").await;
            eprintln!(
                "away: told within {told:?}, read again {again:?} after it was back, run over at attempt {}",
                over["attempts"]
            );
        }
        writers.end();
    };
    tokio::join!(writers.write(4), outages);
    let db = postgres::connect(&server.url()).await.unwrap();
    writers.check(&db).await;
    service.verify();
    service.said();
    let (acknowledged, resent, refused) = (writers.acknowledged.get(), writers.resent.get(), writers.refused.get());
    eprintln!(
        "away: {acknowledged} writes acknowledged, {resent} sent again, {refused} refused meanwhile, none lost or doubled"
    );
    assert!(refused > 0 && resent == 0, "every request is answered");
}
