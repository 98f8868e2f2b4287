//! Many writers at once: nothing is lost, nothing is there twice.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::{self, created, siret};
use crate::support::service::{App, spawn};
use crate::support::size;

/// Counts one more volunteer, reading and trying again while others come first: later each time, as a client does that lets others
/// pass.
async fn count(app: &App, path: &str) {
    for tried in 0.. {
        let read = app.get(path).await.expect(200);
        let volunteers = read["volunteers"].as_i64().unwrap() + 1;
        match app.put(path, read.etag(), json!({ "name": "Très demandée", "volunteers": volunteers })).await {
            written if written.status == 200 => return,
            refused => _ = refused.problem(412),
        }
        tokio::time::sleep(Duration::from_millis(1 << u32::min(tried, 8))).await;
    }
}

on_both_engines! {
    async fn no_update_is_lost(engine) {
        let app = spawn(engine).await;
        let id = created(&app, "/v1/organisations", json!({ "name": "Très demandée", "volunteers": 0 })).await;
        let path = format!("/v1/organisations/{id}");
        let (writers, rounds) = (size(16, 64), size(5, 100));
        let writer = async |_| {
            for _ in 0..rounds {
                count(&app, &path).await;
            }
        };
        let all = join_all((0..writers).map(writer));
        tokio::time::timeout(Duration::from_mins(if writers > 16 { 20 } else { 1 }), all).await.expect("the writers make progress");
        let end = app.get(&path).await.expect(200);
        assert_eq!((&end["version"], &end["volunteers"]), (&json!(1 + writers * rounds), &json!(writers * rounds)));
    }

    async fn of_many_who_claim_one_number_exactly_one_gets_it(engine) {
        let app = spawn(engine).await;
        let claim = async |claimant: usize| {
            let body = json!({ "name": format!("Candidat {claimant}"), "identifiers": [{ "scheme": "siret", "id": siret(5, 5) }] });
            let answer = app.post("/v1/organisations", body).await;
            assert!([201, 409, 422].contains(&answer.status), "{answer:?}");
            answer.status == 201
        };
        let won = join_all((0..8).map(claim)).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let page = app.get("/v1/organisations").await.expect(200);
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    }

    async fn one_of_two_imports_of_the_same_file_creates_and_none_doubles(engine) {
        let app = spawn(engine).await;
        let import = async |_| app.post_text("/v1/imports?kind=territories", "text/csv", "code,name,kind,parent\nA,A,commune,\nB,B,commune,A\n").await;
        for answer in join_all((0..4).map(import)).await {
            assert!([201, 409].contains(&answer.status), "{answer:?}");
        }
        let page = app.get("/v1/territories").await.expect(200);
        let versions: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|item| &item["version"]).collect();
        assert_eq!(versions, [1, 1]);
    }

    async fn a_call_is_published_once(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let publish = async |_| app.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.status;
        let mut statuses = join_all((0..6).map(publish)).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
    }
}
