//! What it costs a read to know who asks, what they may do and what they may see: `cargo bench --workspace --bench access`.
//!
//! The service, against the same queries and views on the same database with nothing around them, both over HTTP on loopback. The two
//! take turns, so that whatever else the machine does weighs on both alike; what is printed are medians.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_web::web::{self, Data, Path};
use actix_web::{App, HttpResponse, HttpServer};
use attelage::audit::Log;
use attelage::bids::seal::SealingKey;
use attelage::database::{self, begin_read};
use attelage::identity::administration;
use attelage::keyfile::Key;
use attelage::page::Page;
use attelage::resource::etagged;
use attelage::server::{self, Setup};
use attelage::{limits, organisations};
use reqwest::{Client, Request, Url};
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

/// Pairs of requests for each row of the table.
const PAIRS: usize = 2_000;
const ORGANISATIONS: usize = 60;

async fn bare_one(db: Data<DatabaseConnection>, id: Path<Uuid>) -> HttpResponse {
    let db = begin_read(&db).await.unwrap();
    let organisation = organisations::stored(&db, *id).await.unwrap().unwrap();
    etagged(organisation.version, &organisation)
}

async fn bare_page(db: Data<DatabaseConnection>) -> HttpResponse {
    let db = begin_read(&db).await.unwrap();
    let items = organisations::stored_page(&db, 50).await.unwrap();
    HttpResponse::Ok().json(Page { items, next: None })
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

async fn timed(http: &Client, request: &Request) -> Duration {
    let start = Instant::now();
    let answer = http.execute(request.try_clone().unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Takes turns, and prints a row.
async fn compare(http: &Client, name: &str, guarded: Request, bare: Request) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        with.push(timed(http, &guarded).await);
        without.push(timed(http, &bare).await);
    }
    let (with, without) = (median(with), median(without));
    let share = (with.as_secs_f64() - without.as_secs_f64()) / with.as_secs_f64() * 100.0;
    let [without, with] = [without, with].map(|time| time.as_micros());
    println!("| {name} | {without} µs | {with} µs | {share:.1} % |");
}

#[actix_web::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let db = database::connect(&format!("sqlite:{}", directory.path().join("bench.sqlite").display())).await.unwrap();
    database::prepare(&db).await.unwrap();
    let audit = Key::new([11; 32]);
    let log = Log::open(&db, audit.clone()).await.unwrap();
    let secret = administration::issue_key(&log, "bench".to_owned(), 1).await.unwrap().secret;
    let (own, guarded) = listener();
    // With limits that are never met: counting is a part of the cost.
    let limits = limits::Settings {
        per_minute: 1_000_000_000,
        per_minute_of_address: 1_000_000_000,
        ..limits::Settings::default()
    };
    actix_web::rt::spawn(
        server::start(db.clone(), own, Setup { limits, ..Setup::new(SealingKey::new([7; 32]), audit) }).await.unwrap(),
    );
    let (own, bare) = listener();
    let routes = move || {
        App::new()
            .app_data(Data::new(db.clone()))
            .route("/v1/organisations", web::get().to(bare_page))
            .route("/v1/organisations/{id}", web::get().to(bare_one))
    };
    actix_web::rt::spawn(HttpServer::new(routes).workers(2).listen(own).unwrap().run());

    // Two of the crates that are built in could encrypt: reqwest wants to be told which.
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = Client::new();
    let (mut first, mut id) = (String::new(), String::new());
    for number in 0..ORGANISATIONS {
        let body = json!({ "name": format!("Maison {number}"), "legal_form": "9220", "website": "https://maison.example",
            "description": "Accompagne les habitants vers l'autonomie numérique.", "volunteers": 3, "turnover_cents": 1,
            "resource_mix": { "subsidies_percent": 50 }, "credentials": [{ "code": "qualiopi", "number": "N" }] });
        let made =
            http.post(format!("{guarded}/v1/organisations")).bearer_auth(&secret).json(&body).send().await.unwrap();
        let made: serde_json::Value = made.json().await.unwrap();
        made["id"].as_str().unwrap().clone_into(&mut id);
        if number == 0 {
            first.clone_from(&id);
        }
    }
    let plain =
        |base: &str, path: &str| Request::new(reqwest::Method::GET, Url::parse(&format!("{base}{path}")).unwrap());
    let other = format!("{guarded}/v1/organisations/{id}/api-keys");
    let body = json!({ "name": "bench", "role": "viewer", "scopes": ["read"] });
    let made = http.post(other).bearer_auth(&secret).json(&body).send().await.unwrap();
    let made: serde_json::Value = made.json().await.unwrap();
    let member = made["secret"].as_str().unwrap();
    let keyed = |path: &str, secret: &str| http.get(format!("{guarded}{path}")).bearer_auth(secret).build().unwrap();
    println!("| a read of | without | with | access |\n|---|---|---|---|");
    let one = format!("/v1/organisations/{first}");
    let list = "/v1/organisations?limit=50";
    compare(&http, "an organisation, by nobody", plain(&guarded, &one), plain(&bare, &one)).await;
    compare(&http, "an organisation, by a key of another", keyed(&one, member), plain(&bare, &one)).await;
    compare(&http, "what is sealed of it, by a key of the platform, logged", keyed(&one, &secret), plain(&bare, &one))
        .await;
    compare(&http, "50 organisations, by nobody", plain(&guarded, list), plain(&bare, list)).await;
    compare(&http, "50 organisations, by a key of another", keyed(list, member), plain(&bare, list)).await;
}
