//! How many reads a second the service answers: `cargo bench --workspace --bench load`.
//!
//! The service, against a bare handler that makes the same queries over the same connections, in the same process and in turns: medians of
//! several rounds. `cargo bench --workspace --bench load -- URL` measures whatever else answers there, with the same clients.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::net::{SocketAddr, TcpListener};
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
use attelage::{calls, limits, organisations};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use uuid::Uuid;

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../it/support/wire.rs"]
mod wire;

use wire::{Wire, request};

/// Clients that ask again as soon as they are answered.
const CLIENTS: usize = 16;
/// Each side is measured so often, for so long.
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const ORGANISATIONS: usize = 60;
/// Limits that are never met: counting is a part of the cost.
const LIMITS: limits::Settings = limits::Settings {
    per_minute: 1_000_000_000,
    per_minute_of_address: 1_000_000_000,
    solver_seconds_per_day: 0,
    at_once: 256,
};

async fn bare_call(db: Data<DatabaseConnection>, id: Path<Uuid>) -> HttpResponse {
    let db = begin_read(&db).await.unwrap();
    let call = calls::stored(&db, *id).await.unwrap().unwrap();
    etagged(call.version, &call)
}

async fn bare_page(db: Data<DatabaseConnection>) -> HttpResponse {
    let db = begin_read(&db).await.unwrap();
    let items = organisations::stored_page(&db, 50).await.unwrap();
    HttpResponse::Ok().json(Page { items, next: None })
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Answers a second to all clients together.
async fn rate(address: SocketAddr, path: &str) -> f64 {
    let (asked, begun) = (request("GET", path, &[], None), Instant::now());
    let client = async |_| {
        let (mut wire, mut answered) = (Wire::connect(address).await.unwrap(), 0_u32);
        while begun.elapsed() < ROUND {
            let reply = wire.exchange(&asked).await.unwrap();
            assert_eq!(reply.status, 200, "{}", reply.json());
            answered += 1;
        }
        answered
    };
    let answered: u32 = futures_util::future::join_all((0..CLIENTS).map(client)).await.into_iter().sum();
    f64::from(answered) / begun.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Takes turns, and prints a row.
async fn compare(name: &str, path: &str, ours: SocketAddr, bare: SocketAddr) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        with.push(rate(ours, path).await);
        without.push(rate(bare, path).await);
    }
    let (with, without) = (median(with), median(without));
    println!("| {name} | {without:.0} | {with:.0} | {:.0} % |", 100.0 * with / without);
}

async fn write(address: SocketAddr, key: &str, (method, path): (&str, &str), body: &Value) -> Value {
    let key = format!("Bearer {key}");
    let asked = request(method, path, &[("Authorization", &key)], Some(body));
    let reply = Wire::connect(address).await.unwrap().exchange(&asked).await.unwrap();
    assert!([200, 201].contains(&reply.status), "{}", reply.json());
    reply.json()
}

/// Organisations, and a call that is published; gives its path.
async fn fill(address: SocketAddr, key: &str) -> String {
    let mut funder = Value::Null;
    for number in 0..ORGANISATIONS {
        let body = json!({ "name": format!("Maison {number}"), "legal_form": "9220", "website": "https://maison.example",
            "description": "Accompagne les habitants vers l'autonomie numérique.", "volunteers": 3, "turnover_cents": 1,
            "resource_mix": { "subsidies_percent": 50 }, "credentials": [{ "code": "qualiopi", "number": "N" }] });
        funder = write(address, key, ("POST", "/v1/organisations"), &body).await["id"].clone();
    }
    let commune = json!({ "name": "Commune", "kind": "commune", "population": 10_000 });
    write(address, key, ("PUT", "/v1/territories/69266"), &commune).await;
    let call = json!({
        "funder": funder, "title": "Équiper et former", "kind": "grant", "starts_on": "2027-01-01",
        "duration_months": 24, "budget_cents": 10_000_000,
        "lots": [{ "code": "training", "title": "Formation", "needs": [{
            "code": "lessons", "title": "Ateliers", "service": "training-daily-tools",
            "territory": "69266", "unit": "hour", "quantity": 600
        }] }]
    });
    let call = write(address, key, ("POST", "/v1/calls"), &call).await;
    let path = format!("/v1/calls/{}", call["id"].as_str().unwrap());
    write(address, key, ("POST", &format!("{path}/publish")), &json!({})).await;
    path
}

#[actix_web::main]
async fn main() {
    // Whatever cargo adds begins with a dash.
    if let Some(url) = std::env::args().skip(1).find(|argument| argument.starts_with("http://")) {
        let (host, path) = url["http://".len()..].split_once('/').unwrap();
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(rate(host.parse().unwrap(), &format!("/{path}")).await);
        }
        println!("{:.0} answers a second", median(rates));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let db = database::connect(&format!("sqlite:{}", directory.path().join("bench.sqlite").display())).await.unwrap();
    database::prepare(&db).await.unwrap();
    let audit = Key::new([11; 32]);
    let log = Log::open(&db, audit.clone()).await.unwrap();
    let key = administration::issue_key(&log, "bench".to_owned(), 1).await.unwrap().secret;
    let (own, ours) = listener();
    let setup = Setup { limits: LIMITS, ..Setup::new(SealingKey::new([7; 32]), audit) };
    actix_web::rt::spawn(server::start(db.clone(), own, setup).await.unwrap());
    let (own, bare) = listener();
    let routes = move || {
        App::new()
            .app_data(Data::new(db.clone()))
            .route("/v1/organisations", web::get().to(bare_page))
            .route("/v1/calls/{id}", web::get().to(bare_call))
    };
    actix_web::rt::spawn(HttpServer::new(routes).workers(2).listen(own).unwrap().run());
    let call = fill(ours, &key).await;
    println!("| reads a second, by nobody | bare | service | share |\n|---|---|---|---|");
    compare("a call", &call, ours, bare).await;
    compare("50 organisations", "/v1/organisations?limit=50", ours, bare).await;
}
