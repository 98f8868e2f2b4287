//! What it costs a read to know who asks, what they may do and what they may see: `cargo bench --workspace --bench access`.
//!
//! The service, against the same route without access: the same queries on the same database, with what stands around every answer
//! whoever asks (an id, the line of the log, metrics, headers), over HTTP on loopback. So is the same with nothing around it, which tells
//! what that costs. They take turns, so that whatever else the machine does weighs on all alike; what is printed are medians. Connections are
//! made anew now and then: which threads meet on which core makes more of a difference than what is measured.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::net::TcpListener;
use std::time::{Duration, Instant};

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use attelage::audit::Log;
use attelage::bids::seal::SealingKey;
use attelage::database::{self, begin_read};
use attelage::identity::administration;
use attelage::keyfile::Key;
use attelage::page::Page;
use attelage::resource::etagged;
use attelage::server::{self, Setup};
use attelage::{edge, limits, openapi, organisations, readiness, request_id};
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Method, Request, Url};
use sea_orm::DatabaseConnection;
use serde_json::json;
use uuid::Uuid;

/// Connections to each, one after the other, for each row of the table, and requests over each.
const CONNECTIONS: usize = 40;
const ROUNDS: usize = 100;
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

/// Where the same is served with nothing around it, with all but access, and by the service.
struct Bases {
    bare: String,
    open: String,
    guarded: String,
}

impl Bases {
    /// Takes turns, and prints a row.
    async fn compare(&self, name: &str, path: &str, secret: Option<&str>) {
        let plain = |base: &str| Request::new(Method::GET, Url::parse(&format!("{base}{path}")).unwrap());
        let mut guarded = plain(&self.guarded);
        if let Some(secret) = secret {
            guarded.headers_mut().insert(AUTHORIZATION, format!("Bearer {secret}").parse().unwrap());
        }
        let requests = [plain(&self.bare), plain(&self.open), guarded];
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..CONNECTIONS {
            let http = Client::new();
            for request in &requests {
                timed(&http, request).await;
            }
            for _ in 0..ROUNDS {
                for (request, times) in requests.iter().zip(&mut times) {
                    times.push(timed(&http, request).await);
                }
            }
        }
        let [bare, open, with] = times.map(median);
        let share = (with.as_secs_f64() - open.as_secs_f64()) / with.as_secs_f64() * 100.0;
        let [bare, open, with] = [bare, open, with].map(|time| time.as_micros());
        println!("| {name} | {bare} µs | {open} µs | {with} µs | {share:.1} % |");
    }
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
    let db = Data::new(db);
    let document: serde_json::Value = serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap();
    let paths: Vec<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    // Among as many as the service has: to choose a route is not access.
    let routes = move |config: &mut ServiceConfig| {
        for path in &paths {
            let resource = web::resource(path.as_str());
            config.service(match path.as_str() {
                "/v1/organisations" => resource.route(web::get().to(bare_page)),
                "/v1/organisations/{id}" => resource.route(web::get().to(bare_one)),
                _ => resource.to(async || HttpResponse::NotFound()),
            });
        }
    };
    let (own, bare) = listener();
    let shared = db.clone();
    let among = routes.clone();
    let nothing = move || App::new().app_data(shared.clone()).configure(&among);
    actix_web::rt::spawn(HttpServer::new(nothing).workers(2).listen(own).unwrap().run());
    let (own, open) = listener();
    let settings = Data::new(edge::Settings::default());
    let all_but_access = move || {
        App::new()
            .app_data(db.clone())
            .app_data(settings.clone())
            .wrap(from_fn(edge::explain_refusals))
            .wrap(from_fn(edge::protect))
            .wrap(from_fn(readiness::part))
            .wrap(from_fn(request_id::assign))
            .configure(&routes)
    };
    actix_web::rt::spawn(HttpServer::new(all_but_access).workers(2).listen(own).unwrap().run());

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
    let other = format!("{guarded}/v1/organisations/{id}/api-keys");
    let body = json!({ "name": "bench", "role": "viewer", "scopes": ["read"] });
    let made = http.post(other).bearer_auth(&secret).json(&body).send().await.unwrap();
    let made: serde_json::Value = made.json().await.unwrap();
    let member = made["secret"].as_str().unwrap();
    let bases = Bases { bare, open, guarded };
    println!("| a read of | bare | all but access | with | access |\n|---|---|---|---|---|");
    let one = format!("/v1/organisations/{first}");
    let list = "/v1/organisations?limit=50";
    bases.compare("an organisation, by nobody", &one, None).await;
    bases.compare("an organisation, by a key of another", &one, Some(member)).await;
    bases.compare("what is sealed of it, by a key of the platform, logged", &one, Some(&secret)).await;
    bases.compare("50 organisations, by nobody", list, None).await;
    bases.compare("50 organisations, by a key of another", list, Some(member)).await;
}
