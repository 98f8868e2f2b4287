//! Requests that are sent again with the same `Idempotency-Key`.

use futures_util::future::join_all;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::support::app::{Answer, Client};
use crate::support::on_both_engines;
use crate::support::sample::{self, created, everything, places, siret};
use crate::support::service::spawn;
use crate::support::size;

fn key(key: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), key.parse().unwrap())])
}

/// What a repetition must repeat.
fn told(answer: &Answer) -> (u16, Option<&str>, Option<&str>, &Value) {
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    (answer.status, header("location"), header("etag"), &answer.body)
}

async fn organisations(client: &Client) -> usize {
    let mut count = 0;
    let mut next = String::new();
    loop {
        let page = client.get(&format!("/v1/organisations?limit=100{next}")).await.expect(200);
        count += page["items"].as_array().unwrap().len();
        let Some(cursor) = page["next"].as_str() else { return count };
        next = format!("&cursor={cursor}");
    }
}

on_both_engines! {
    async fn the_same_request_again_has_no_second_effect_and_the_same_answer(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let relation = json!({ "a": market.workshop, "b": market.school, "kind": "network", "strength_percent": 40 });
        let requests = [
            ("/v1/organisations".to_owned(), json!({ "name": "Une fois", "identifiers": [{ "scheme": "siret", "id": siret(7, 1) }] })),
            ("/v1/capabilities".to_owned(), sample::hours(&market.school, 10, 5_000)),
            ("/v1/relations".to_owned(), relation),
            ("/v1/calls".to_owned(), sample::call(&market.funder)),
        ];
        for (number, (path, body)) in requests.iter().enumerate() {
            let first = app.post_with(path, key(&format!("create-{number}")), body.clone()).await.expect(201);
            let before = everything(&app).await;
            let again = app.post_with(path, key(&format!("create-{number}")), body.clone()).await;
            assert_eq!(told(&again), told(&first));
            assert_eq!(everything(&app).await, before);
        }
        let publish = format!("/v1/calls/{}/publish", market.call);
        let first = app.send_raw(reqwest::Method::POST, &publish, key("publish"), "").await.expect(200);
        let again = app.send_raw(reqwest::Method::POST, &publish, key("publish"), "").await.expect(200);
        assert_eq!(told(&again), told(&first));
        app.post(&publish, json!({})).await.problem(409);

        let mut headers = key("import");
        headers.insert("content-type", "text/csv".parse().unwrap());
        let file = "code,name,kind,parent\nA,A,commune,\n";
        let import = async || app.send_raw(reqwest::Method::POST, "/v1/imports?kind=territories", headers.clone(), file).await.expect(201);
        let first = import().await;
        assert_eq!(told(&import().await), told(&first));
    }

    async fn a_run_is_started_once_and_told_as_it_stands(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let path = format!("/v1/calls/{}/runs", market.call);
        let first = app.post_with(&path, key("run"), json!({})).await;
        assert!([200, 202].contains(&first.status), "{first:?}");
        let mut patient = key("run");
        patient.insert("prefer", "wait=30".parse().unwrap());
        let again = app.post_with(&path, patient, json!({})).await.expect(200);
        assert_eq!((&again["id"], &again["state"]), (&first["id"], &json!("succeeded")));
        assert_eq!(app.get(&path).await.expect(200)["items"].as_array().unwrap().len(), 1);
        app.post_with(&path, key("run"), json!({ "proposals": 1 })).await.problem(422);
    }

    async fn a_key_belongs_to_one_request(engine) {
        let app = spawn(engine).await;
        let (first, other) = (json!({ "name": "Première" }), json!({ "name": "Autre" }));
        app.post_with("/v1/organisations", key("taken"), first.clone()).await.expect(201);
        let refused = app.post_with("/v1/organisations", key("taken"), other.clone()).await.problem(422);
        assert_eq!(places(&refused), ["Idempotency-Key"]);
        app.post_with("/v1/calls", key("taken"), json!({ "funder": "x" })).await.problem(422);
        for wrong in ["", &"x".repeat(256)] {
            let refused = app.post_with("/v1/organisations", key(wrong), first.clone()).await.problem(400);
            assert_eq!(places(&refused), ["Idempotency-Key"]);
        }
        assert_eq!(organisations(&app).await, 1);
    }

    async fn a_refused_request_leaves_its_key_free(engine) {
        let app = spawn(engine).await;
        let mut body = json!({ "name": "À corriger", "home_territories": ["nowhere"] });
        app.post_with("/v1/organisations", key("mended"), body.clone()).await.problem(422);
        body["home_territories"] = json!([]);
        app.post_with("/v1/organisations", key("mended"), body).await.expect(201);
    }

    async fn of_many_at_once_each_key_has_one_effect(engine) {
        let app = spawn(engine).await;
        let holder = created(&app, "/v1/organisations", json!({ "name": "Témoin" })).await;
        let send = async |number: usize| {
            let body = json!({ "name": format!("Numéro {number}"), "identifiers": [{ "scheme": "siret", "id": siret(9, u32::try_from(number).unwrap()) }] });
            app.post_with("/v1/organisations", key(&format!("many-{number}")), body).await.expect(201)
        };
        let (keys, at_once) = (size(20, 200), size(8, 32));
        for number in 0..keys {
            let answers = join_all((0..at_once).map(|_| send(number))).await;
            assert!(answers.iter().all(|answer| told(answer) == told(&answers[0]) && answer["id"] != holder), "{answers:?}");
        }
        assert_eq!(organisations(&app).await, keys + 1);
    }
}
