//! How much may be asked: requests a minute, seconds of the solver a day.

use attelage::access::credential::{Kind, Secret};
use attelage::identity::entrance;
use attelage::limits::Settings;
use attelage::server::Setup;
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use crate::runs::patient;
use crate::support::app::{Answer, Client};
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample;
use crate::support::service::{App, setup, spawn_with};
use crate::support::world;

async fn limited(engine: Engine, limits: Settings) -> App {
    spawn_with(engine, Setup { limits, ..setup() }).await
}

const FORWARDED_FOR: &str = "x-forwarded-for";
const FEW: Settings = Settings { per_minute: 4, per_minute_of_address: 3, solver_seconds_per_day: 0, at_once: 0 };

/// What is left, as the answer tells it.
fn left(answer: &Answer) -> u64 {
    let share = answer.header("ratelimit").strip_prefix("\"requests\";r=").unwrap();
    share.split(';').next().unwrap().parse().unwrap()
}

/// Refused, with a time to come back at that is the same wherever it stands.
fn refused(answer: Answer) {
    assert_eq!((answer.status, left(&answer)), (429, 0));
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait) && answer.header("ratelimit").ends_with(&format!(";t={wait}")));
    assert_eq!(answer.problem(429)["type"], "/problems/too-many-requests");
}

async fn get_with(client: &Client, credential: &str) -> Answer {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, credential.parse().unwrap())]);
    client.send_raw(Method::GET, "/v1/calls", headers, "").await
}

#[actix_web::test]
async fn a_caller_and_an_address_have_shares_of_their_own_and_every_answer_tells_what_is_left() {
    let app = limited(Engine::Sqlite, FEW).await;
    // A caller's share, spent on whatever is answered.
    for (path, status, expected) in
        [("/v1/calls", 200, 3), ("/v1/calls/none", 400, 2), ("/v1/me", 200, 1), ("/healthz", 200, 0)]
    {
        let answer = app.get(path).await.expect(status);
        assert_eq!((left(&answer), answer.header("ratelimit-policy")), (expected, "\"requests\";q=4;w=60"), "{path}");
    }
    refused(app.get("/v1/calls").await);
    // Nobody's share is that of the address; what is not there is counted too.
    let nobody = app.anonymous();
    for (path, status, expected) in [("/v1/calls", 200, 2), ("/nowhere", 404, 1), ("/v1/me", 401, 0)] {
        let answer = nobody.get(path).await.expect(status);
        assert_eq!((left(&answer), answer.header("ratelimit-policy")), (expected, "\"requests\";q=3;w=60"), "{path}");
    }
    refused(nobody.get("/v1/calls").await);
}

#[actix_web::test]
async fn whoever_shows_what_is_no_credential_is_counted_as_nobody_and_soon_not_even_looked_up() {
    let app = limited(Engine::Sqlite, FEW).await;
    let nobody = app.anonymous();
    get_with(&nobody, "Bearer nonsense").await.problem(401);
    let invented = || format!("Bearer {}", Secret::generate(Kind::ApiKey).unwrap().reveal());
    for _ in 0..2 {
        get_with(&nobody, &invented()).await.problem(401);
    }
    refused(get_with(&nobody, "Bearer nonsense").await);
    refused(nobody.get("/healthz").await);
    // So far each is looked up; from about the fortieth in a minute on, none is.
    let mut shares = Vec::new();
    while shares.last().is_none_or(|share| share != "\"requests\";q=40;w=60") {
        let answer = get_with(&nobody, &invented()).await;
        shares.push(answer.header("ratelimit-policy").to_owned());
        refused(answer);
    }
    assert!((38..80).contains(&shares.len()), "{}", shares.len());
}

on_both_engines! {
    async fn an_organisation_has_so_many_seconds_of_the_solver_a_day(engine) {
        let app = limited(engine, Settings { solver_seconds_per_day: 100, ..Settings::default() }).await;
        let (owner, _) = world::person(&app, "owner@example.org").await;
        let own = sample::organisation(&owner, "Qui calcule").await;
        let market = sample::market(&app).await;
        app.send_raw(Method::POST, &format!("/v1/calls/{}/publish", market.call), HeaderMap::new(), "").await.expect(200);
        let path = format!("/v1/calls/{}/runs", market.call);
        // Each asks something else: what was answered today is not computed again.
        let ask = async |proposals: i64| owner.post_with(&path, patient(), json!({ "organisation": own, "proposals": proposals })).await;
        // As far as the database knows, each takes 60 seconds: the first two hours ago, the second one hour ago.
        let db = app.database.connect().await;
        for hours in [2, 1] {
            ask(hours).await.expect(200);
            let start = Utc::now() - TimeDelta::hours(hours);
            let [start, end, recent] = [start, start + TimeDelta::seconds(60), Utc::now() - TimeDelta::minutes(50)].map(|time| time.to_rfc3339());
            let change = format!("UPDATE run SET started_at = '{start}', finished_at = '{end}', spent_ms = 60000 WHERE started_at > '{recent}'");
            assert_eq!(db.execute_unprepared(&change).await.unwrap().rows_affected(), 1);
        }
        let answer = ask(3).await;
        let wait: i64 = answer.header("retry-after").parse().unwrap();
        assert!((22 * 3_600 - 60..=22 * 3_600 + 1).contains(&wait), "{wait}");
        assert_eq!(answer.header("ratelimit-policy"), "\"solver-seconds\";q=100;w=86400");
        assert_eq!(answer.header("ratelimit"), format!("\"solver-seconds\";r=0;t={wait}"));
        answer.problem(429);
        let second = sample::created(&app, "/v1/calls", sample::call(&market.funder)).await;
        app.send_raw(Method::POST, &format!("/v1/calls/{second}/publish"), HeaderMap::new(), "").await.expect(200);
        owner.post("/v1/runs", json!({ "organisation": own, "calls": [market.call, second] })).await.problem(429);
        // Others have seconds of their own, and the platform has no limit.
        let (other, _) = world::person(&app, "other@example.org").await;
        let others = sample::organisation(&other, "Une autre").await;
        other.post_with(&path, patient(), json!({ "organisation": others, "proposals": 1 })).await.expect(200);
        app.post_with(&path, patient(), json!({ "proposals": 1 })).await.expect(200);
    }
}

#[actix_web::test]
async fn behind_a_proxy_each_address_has_its_share() {
    let entrance = entrance::Settings {
        address_header: Some(actix_web::http::header::HeaderName::from_static(FORWARDED_FOR)),
        ..entrance::Settings::default()
    };
    let app = spawn_with(Engine::Sqlite, Setup { limits: FEW, entrance, ..setup() }).await;
    let nobody = app.anonymous();
    let from = async |address: &str| {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(FORWARDED_FOR), address.parse().unwrap())]);
        nobody.get_with("/v1/calls", headers).await
    };
    for expected in [2, 1, 0] {
        // What stands before the proxy's own word is the caller's, and counts for nothing.
        assert_eq!(left(&from(&format!("203.0.113.{expected}, 198.51.100.1")).await.expect(200)), expected);
    }
    refused(from("198.51.100.1").await);
    assert_eq!(left(&from("198.51.100.2").await.expect(200)), 2, "somebody else behind the same proxy");
}
