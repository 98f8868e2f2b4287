//! The feed: who is told what, and that nobody misses anything.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use attelage::access::Role;
use futures_util::future::join_all;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::runs::patient;
use crate::support::app::Client;
use crate::support::bidding::{self, bidding};
use crate::support::on_both_engines;
use crate::support::people;
use crate::support::sample::{self, created, places};
use crate::support::service::spawn;

/// Type and subject of each event that somebody reads, from the start.
async fn told(client: &Client) -> Vec<(String, String)> {
    let page = client.get("/v1/events?limit=100").await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|event| (text(&event["type"]), text(&event["subject"]["id"]))).collect()
}

fn wait(seconds: u64) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("prefer"), format!("wait={seconds}").parse().unwrap())])
}

on_both_engines! {
    async fn everybody_is_told_what_concerns_them_and_nothing_else(engine) {
        let world = bidding(engine).await;
        let published = ("call.published".to_owned(), world.call.clone());
        let receipt = world.bid("school's key", bidding::alone(&world.school, 10, 90)).await.expect(201);
        let bid = receipt["id"].as_str().unwrap().to_owned();
        let received = ("bid.received".to_owned(), bid.clone());
        let of_school = told(world.of("school's key")).await;
        assert!(of_school.contains(&published) && of_school.contains(&received), "{of_school:?}");
        // Before the opening nobody else learns that there is a bid.
        for other in ["owner", "funder's key", "workshop's key", "administrator's key", "administrator"] {
            let others = told(world.of(other)).await;
            assert!(others.contains(&published) && !others.iter().any(|(kind, id)| kind.starts_with("bid") || *id == bid), "{other}: {others:?}");
        }
        world.of("stranger").get("/v1/events").await.problem(403);
        world.of("nobody").get("/v1/events").await.problem(401);
        world.pass_deadline().await;
        world.open("owner").await.expect(200);
        let opened = ("bids.opened".to_owned(), world.call.clone());
        assert!(!told(world.of("school's key")).await.contains(&opened), "one of two has asked");
        world.open("evaluator").await.expect(200);
        world.open("other owner").await.expect(200);
        for (who, is_told) in [("owner", true), ("school's key", true), ("workshop's key", false)] {
            let count = told(world.of(who)).await.iter().filter(|told| **told == opened).count();
            assert_eq!(count, usize::from(is_told), "{who}");
        }
        world.of("funder's key").post(&format!("/v1/calls/{}/close", world.call), json!({})).await.expect(200);
        assert!(told(world.of("workshop's key")).await.contains(&("call.closed".to_owned(), world.call.clone())));
    }

    async fn invitations_requests_and_computations_are_told_to_their_organisation(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let owner = people::person(&app, "ada@example.org").await;
        let own = people::founded(&owner, "La Fabrique").await;
        let other = people::person(&app, "bob@example.org").await;
        people::founded(&other, "Ailleurs").await;
        people::let_in(&owner, &own, &people::person(&app, "cleo@example.org").await, "viewer").await;
        let asked = other.post(&format!("/v1/organisations/{own}/join-requests"), json!({})).await.expect(201);
        owner.post(&format!("/v1/join-requests/{}/accept", asked["id"].as_str().unwrap()), json!({})).await.expect(200);
        let call = created(&owner, "/v1/calls", sample::call(&own)).await;
        let run = owner.post_with(&format!("/v1/calls/{call}/runs"), patient(), json!({})).await.expect(200);
        let events = owner.get("/v1/events?limit=100").await.expect(200);
        let kinds: Vec<&str> = events["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["organisation.invited", "organisation.joined", "organisation.asked", "organisation.joined", "run.finished"]);
        let last = &events["items"][4];
        assert_eq!((&last["subject"]["kind"], &last["subject"]["id"], &last["data"]), (&json!("run"), &run["id"], &json!({ "state": "succeeded" })));
        assert_eq!(told(&other).await.len(), 5, "whoever has joined reads it all");
        // Nothing but ids and codes leaves: no name, no address.
        assert!(!events.body.to_string().contains("example.org") && !events.body.to_string().contains("Camille"));
    }

    async fn a_reader_who_goes_on_misses_nothing_and_is_told_nothing_twice_while_many_write(engine) {
        let app = spawn(engine).await;
        let owner = people::person(&app, "ada@example.org").await;
        let own = people::founded(&owner, "La Fabrique").await;
        let path = format!("/v1/organisations/{own}/invitations");
        let writers = (0..4).map(|_| async {
            for _ in 0..24 {
                owner.post(&path, json!({ "role": "viewer" })).await.expect(201);
            }
        });
        let reader = async {
            let (mut ids, mut next) = (Vec::new(), String::new());
            while ids.len() < 96 {
                let page = owner.get_with(&format!("/v1/events?limit=7{next}"), wait(20)).await.expect(200);
                let items = page["items"].as_array().unwrap();
                assert!(!items.is_empty(), "after {} events nothing comes any more", ids.len());
                ids.extend(items.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
                next = format!("&cursor={}", page["next"].as_str().unwrap());
                assert_eq!(page.header("link"), format!("</v1/events?limit=7{next}>; rel=\"next\""));
            }
            (ids, next)
        };
        let ((read, next), _) = tokio::join!(reader, join_all(writers));
        assert_eq!(read.iter().collect::<BTreeSet<_>>().len(), 96, "nothing is told twice");
        let end = owner.get(&format!("/v1/events?limit=7{next}")).await.expect(200);
        assert_eq!(end["items"], json!([]));
        assert_eq!(next, format!("&cursor={}", end["next"].as_str().unwrap()), "the end stays where it is");
        let again = owner.get("/v1/events?limit=100").await.expect(200);
        let again: Vec<&str> = again["items"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(again, read, "those who come later read the same in the same order");
    }

    async fn a_reader_who_waits_is_told_at_once_and_not_before(engine) {
        let app = spawn(engine).await;
        let owner = people::person(&app, "ada@example.org").await;
        let own = people::founded(&owner, "La Fabrique").await;
        let before = Instant::now();
        let none = owner.get_with("/v1/events", wait(1)).await.expect(200);
        assert!(none["items"] == json!([]) && before.elapsed() >= Duration::from_secs(1));
        let cursor = none["next"].as_str().unwrap();
        let waiting = async {
            let start = Instant::now();
            let page = owner.get_with(&format!("/v1/events?cursor={cursor}"), wait(60)).await.expect(200);
            (page, start.elapsed())
        };
        let told = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            people::invite(&owner, &own, "viewer").await
        };
        let ((page, waited), invited) = tokio::join!(waiting, told);
        assert_eq!(page["items"][0]["data"]["invitation"], invited["invitation"]["id"]);
        assert!(waited >= Duration::from_millis(300) && waited < Duration::from_secs(30), "{waited:?}");
    }

    async fn a_feed_is_narrowed_by_type_and_subject_and_its_cursors_serve_nobody_else(engine) {
        let world = bidding(engine).await;
        world.join("stranger", &world.workshop, Role::Viewer).await;
        let bid = world.bid("school's key", bidding::alone(&world.school, 10, 90)).await.expect(201);
        let school = world.of("school's key");
        for (query, count) in [
            ("type=bid.received".to_owned(), 1),
            (format!("subject={}", world.call), 1),
            (format!("subject={}", bid["id"].as_str().unwrap()), 1),
            ("type=call.closed".to_owned(), 0),
        ] {
            let page = school.get(&format!("/v1/events?{query}")).await.expect(200);
            assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}");
        }
        for wrong in ["type=bid.sold", "type=", "subject=1", "colour=blue"] {
            assert_eq!(places(&school.get(&format!("/v1/events?{wrong}")).await.problem(400)), ["query"], "{wrong}");
        }
        let page = school.get("/v1/events").await.expect(200);
        let cursor = page["next"].as_str().unwrap();
        for wrong in [format!("cursor={}x", &cursor[1..]), format!("type=bid.received&cursor={cursor}"), "limit=0".to_owned()] {
            school.get(&format!("/v1/events?{wrong}")).await.problem(400);
        }
    }
}
