//! Following a run as server-sent events.

use std::time::{Duration, Instant};

use attelage::server::Setup;
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::support::app::{Client, http};
use crate::support::on_both_engines;
use crate::support::program::Program;
use crate::support::sample;
use crate::support::service::{setup, spawn_with};
use crate::support::world::{ALL_SCOPES, key};

/// An open stream of events.
async fn open(client: &Client, id: &str) -> reqwest::Response {
    let request = http(Policy::none()).get(format!("{}/v1/runs/{id}/events", client.base()));
    request.header(AUTHORIZATION, client.credential()).send().await.unwrap()
}

/// The events of a stream until its end: names, and data.
async fn read(mut stream: reqwest::Response) -> Vec<(String, Value)> {
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    // A stream that is cut off has ended, too.
    while let Ok(Some(chunk)) = stream.chunk().await {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let event = |block: &str| {
        let (name, data) = block.split_once('\n').unwrap();
        let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        (name.strip_prefix("event: ").unwrap().to_owned(), data)
    };
    text.split("\n\n").filter(|block| !block.is_empty() && !block.starts_with(':')).map(event).collect()
}

async fn started(client: &Client, call: &str) -> String {
    let answer = client.post(&format!("/v1/calls/{call}/runs"), json!({})).await.expect(202);
    answer["id"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn a_run_is_followed_to_its_end(engine) {
        let program = Program::new("/bin/sleep 1; exec $REAL \"$@\"");
        let app = spawn_with(engine, Setup { runs: program.settings(), ..setup() }).await;
        let call = sample::market(&app).await.call;
        let id = started(&app, &call).await;
        let events = read(open(&app, &id).await).await;
        let (last, before) = events.split_last().unwrap();
        assert_eq!((last.0.as_str(), &last.1["state"], &last.1["result"]), ("end", &json!("succeeded"), &json!("optimal")));
        assert!(!before.is_empty() && before.iter().all(|(name, run)| name == "run" && run.get("finished_at").is_none()), "{before:#?}");
        assert_eq!(last.1, app.get(&format!("/v1/runs/{id}")).await.expect(200).body, "the data is the run");
        // Of a run that is over there is one event.
        let again = read(open(&app, &id).await).await;
        assert_eq!(again, std::slice::from_ref(last));
    }

    async fn a_stream_ends_when_the_key_is_void_and_each_caller_has_few(engine) {
        let program = Program::new("exec /bin/sleep 74.5");
        let app = spawn_with(engine, Setup { runs: program.settings(), ..setup() }).await;
        let market = sample::market(&app).await;
        app.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.expect(200);
        let workshop = key(&app, &app, &market.workshop, "owner", ALL_SCOPES).await;
        let id = started(&workshop, &market.call).await;
        let mut streams = Vec::new();
        for _ in 0..8 {
            let stream = open(&workshop, &id).await;
            assert_eq!(stream.status().as_u16(), 200);
            streams.push(stream);
        }
        assert_eq!(open(&workshop, &id).await.status().as_u16(), 429);
        let keys = format!("/v1/organisations/{}/api-keys", market.workshop);
        let own = workshop.get(&keys).await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
        workshop.send_raw(reqwest::Method::DELETE, &format!("/v1/api-keys/{own}"), reqwest::header::HeaderMap::new(), "").await.expect(204);
        let void = Instant::now();
        let events = read(streams.pop().unwrap()).await;
        assert!(void.elapsed() < Duration::from_secs(10), "{:?}", void.elapsed());
        assert!(!events.is_empty() && events.iter().all(|(name, _)| name == "run"), "{events:#?}");
        open(&app.anonymous(), &id).await.error_for_status().unwrap_err();
    }
}
