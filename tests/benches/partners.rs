//! Finding partners in a directory of 5,000 organisations, over HTTP on loopback: `cargo bench --workspace --bench partners`; of as many as
//! one likes: `… -- 50000`.
//!
//! An invented region of a département of 30 communes for each 125 organisations; every organisation is at home in one of them and offers one to three
//! capabilities there, some of them wider. What is printed are medians, smallest and largest of requests one after the other.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::cell::{Cell, RefCell};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use attelage::audit::Log;
use attelage::bids::seal::SealingKey;
use attelage::database;
use attelage::identity::administration;
use attelage::keyfile::Key;
use attelage::server::{self, Setup};
use reqwest::Client;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, TransactionTrait as _};
use serde_json::{Value, json};
use uuid::Uuid;

const ORGANISATIONS: usize = 5_000;
const IN_A_DEPARTMENT: usize = 125;
const COMMUNES: usize = 30;
/// Requests for each row of the table.
const TIMES: usize = 11;
const SERVICES: [(&str, &str); 6] = [
    ("training-daily-tools", "hour"),
    ("training-certified", "hour"),
    ("support-procedures", "hour"),
    ("equipment-refurbishing", "device"),
    ("equipment-distribution", "device"),
    ("access-connection", "person"),
];

/// A small generator (xorshift): the same directory on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 8).unwrap() % sides
    }
}

/// Rows of a table, written some hundreds at a time.
async fn write(tx: &DatabaseTransaction, table: &'static str, columns: &[&'static str], rows: Vec<Vec<Expr>>) {
    for chunk in rows.chunks(400) {
        let mut insert = Query::insert().into_table(table).columns(columns.iter().copied()).to_owned();
        for row in chunk {
            insert.values_panic(row.clone());
        }
        tx.execute(&insert).await.unwrap();
    }
}

fn commune(department: usize, commune: usize) -> String {
    format!("C{department:02}{commune:02}")
}

async fn territories(tx: &DatabaseTransaction, departments: usize) {
    let row = |code: String, kind: &str, parent: Option<String>, population: i64| -> Vec<Expr> {
        vec![
            code.clone().into(),
            code.clone().into(),
            code.into(),
            kind.into(),
            parent.into(),
            population.into(),
            json!({}).into(),
            1.into(),
            Expr::current_timestamp(),
        ]
    };
    let columns =
        ["code", "name", "search_name", "kind", "parent_code", "population", "indicators", "version", "updated_at"];
    let mut rows = vec![row("R".to_owned(), "region", None, 0)];
    rows.extend((0..departments).map(|d| row(format!("D{d:02}"), "departement", Some("R".to_owned()), 0)));
    for d in 0..departments {
        rows.extend((0..COMMUNES).map(|c| {
            let population = 1_000 + i64::try_from(c * c * 100).unwrap();
            row(commune(d, c), "commune", Some(format!("D{d:02}")), population)
        }));
    }
    write(tx, "territory", &columns, rows).await;
}

/// The directory; gives the id of an organisation of the first département.
async fn directory(db: &DatabaseConnection, organisations_wanted: usize) -> Uuid {
    let tx = db.begin().await.unwrap();
    let departments = organisations_wanted.div_ceil(IN_A_DEPARTMENT);
    territories(&tx, departments).await;
    let mut dice = Dice(20_261_122);
    let (mut organisations, mut certificates) = (Vec::new(), Vec::new());
    let (mut capabilities, mut terms, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let now = Expr::current_timestamp;
    let mut asker = None;
    for number in 0..organisations_wanted {
        let id = Uuid::now_v7();
        let home = number % departments;
        let name = format!("maison {number} du {home}");
        let home_territories = json!([commune(home, dice.below(COMMUNES))]);
        organisations.push(vec![
            id.into(),
            1.into(),
            now(),
            now(),
            name.clone().into(),
            name.clone().into(),
            name.into(),
            json!([]).into(),
            json!({}).into(),
            home_territories.into(),
            false.into(),
            "association".into(),
        ]);
        if dice.below(4) == 0 {
            certificates.push(vec![Uuid::now_v7().into(), id.into(), 0.into(), "qualiopi".into(), "declared".into()]);
        }
        for _ in 0..=dice.below(3) {
            let own = Uuid::now_v7();
            let (service, unit) = SERVICES[dice.below(SERVICES.len())];
            let capacity = i64::try_from(50 + dice.below(800)).unwrap();
            capabilities.push(vec![
                own.into(),
                1.into(),
                now(),
                now(),
                id.into(),
                unit.into(),
                capacity.into(),
                0.into(),
                0.into(),
                "declared".into(),
            ]);
            terms.push(vec![own.into(), format!("services/{service}").into()]);
            if dice.below(3) == 0 {
                terms.push(vec![own.into(), "publics/seniors".into()]);
            } else if home == 0 {
                // Needs are for everybody: whoever asks can serve some.
                asker.get_or_insert(id);
            }
            let mut codes: Vec<String> = match dice.below(50) {
                0 => vec!["R".to_owned()],
                1..=8 => vec![format!("D{home:02}")],
                _ => (0..=dice.below(5)).map(|_| commune(home, dice.below(COMMUNES))).collect(),
            };
            codes.sort();
            codes.dedup();
            places.extend(codes.into_iter().map(|code| vec![own.into(), code.into()]));
        }
    }
    let columns = ["id", "version", "created_at", "updated_at"];
    let own = [
        "name",
        "search_name",
        "sort_name",
        "aliases",
        "resource_mix",
        "home_territories",
        "illustrative",
        "legal_family",
    ];
    write(&tx, "organisation", &[&columns[..], &own].concat(), organisations).await;
    write(&tx, "credential", &["id", "organisation_id", "position", "code", "evidence"], certificates).await;
    let own = ["organisation_id", "unit", "capacity_per_year", "fixed_cost_cents", "minimum_quantity", "evidence"];
    write(&tx, "capability", &[&columns[..], &own].concat(), capabilities).await;
    write(&tx, "capability_term", &["capability_id", "term_id"], terms).await;
    write(&tx, "capability_territory", &["capability_id", "territory_code"], places).await;
    tx.commit().await.unwrap();
    asker.unwrap()
}

/// A call for six services in a territory, each spread over its communes.
fn call(funder: &Value, title: &str, territory: &str, quantity: i64) -> Value {
    let lots: Vec<Value> = SERVICES
        .iter()
        .enumerate()
        .map(|(number, (service, unit))| {
            json!({ "code": format!("lot-{number}"), "title": "x", "needs": [{
                "code": format!("need-{number}"), "title": "x", "service": service, "territory": territory, "unit": unit,
                "quantity": quantity, "spread": "population", "mandatory": false, "reference_unit_cost_cents": 4_000,
                "unmet_cost_cents": 8_000
            }] })
        })
        .collect();
    json!({
        "funder": funder, "title": title, "kind": "grant", "starts_on": "2027-01-01", "duration_months": 24, "lots": lots,
        "group_policy": { "maximum_members": 8 }, "money_policy": { "coordination_per_member_cents": 200_000 }
    })
}

/// The service with its directory.
struct Service {
    http: Client,
    base: String,
    secret: String,
}

impl Service {
    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.secret).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Cancels runs, and waits until none of them is computed any more.
    async fn cancel(&self, runs: Vec<Value>) {
        let path = |run: &Value| format!("/v1/runs/{}", run["id"].as_str().unwrap());
        for run in &runs {
            self.http.delete(format!("{}{}", self.base, path(run))).bearer_auth(&self.secret).send().await.unwrap();
        }
        for run in &runs {
            while self.get(&path(run)).await["finished_at"].is_null() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.secret);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }
}

/// Asks several times, and prints a row; `told` says what the answers hold.
async fn row(name: &str, told: impl Fn(&Value) -> String, ask: impl AsyncFn() -> Value) {
    let mut times: Vec<Duration> = Vec::new();
    let mut last = ask().await;
    for _ in 0..TIMES {
        let start = Instant::now();
        last = ask().await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let (median, quickest, slowest) = (times[TIMES / 2], times[0], times[TIMES - 1]);
    println!("| {name} | {median:.2?} ({quickest:.2?}–{slowest:.2?}) | {} |", told(&last));
}

async fn service(organisations: usize) -> (Service, Uuid, tempfile::TempDir) {
    let directory_of_file = tempfile::tempdir().unwrap();
    let file = directory_of_file.path().join("bench.sqlite");
    let db = database::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    database::prepare(&db).await.unwrap();
    let audit = Key::new([11; 32]);
    let log = Log::open(&db, audit.clone()).await.unwrap();
    let secret = administration::issue_key(&log, "bench".to_owned(), 1).await.unwrap().secret;
    let asker = directory(&db, organisations).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    // Beside the folder of this one.
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("attelage");
    assert!(program.exists(), "build the program first: cargo build --release --workspace");
    let runs = attelage::runs::Settings { program, ..attelage::runs::Settings::default() };
    let setup = Setup { runs, ..Setup::new(SealingKey::new([7; 32]), audit) };
    actix_web::rt::spawn(server::start(db, listener, setup).await.unwrap());
    let platform = Service { http: Client::new(), base, secret };
    // A key of the organisation itself: what it keeps to itself counts for it alone.
    let key = json!({ "name": "bench", "role": "owner", "scopes": ["read", "solve"] });
    let issued = platform.post(&format!("/v1/organisations/{asker}/api-keys"), &key).await;
    let own = Service { secret: issued["secret"].as_str().unwrap().to_owned(), ..platform_of(&platform) };
    let funder = platform.post("/v1/organisations", &json!({ "name": "Région" })).await;
    for (title, territory, quantity) in [("département", "D00", 3_000), ("région", "R", 60_000)] {
        let made = platform.post("/v1/calls", &call(&funder["id"], title, territory, quantity)).await;
        platform.post(&format!("/v1/calls/{}/publish", made["id"].as_str().unwrap()), &json!({})).await;
    }
    (own, asker, directory_of_file)
}

fn platform_of(service: &Service) -> Service {
    Service { http: service.http.clone(), base: service.base.clone(), secret: service.secret.clone() }
}

#[actix_web::main]
async fn main() {
    let organisations = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ORGANISATIONS);
    let begun = Instant::now();
    let (service, asker, directory) = service(organisations).await;
    let file = std::fs::metadata(directory.path().join("bench.sqlite")).unwrap().len() >> 20;
    println!("A file of {file} MiB, written in {:.1?}\n", begun.elapsed());
    let calls = service.get("/v1/calls").await;
    // Equal questions are computed once: each has another limit, which none of them needs.
    let turn = Cell::new(0_u32);
    let another = || {
        turn.set(turn.get() + 1);
        16 + turn.get() % 14
    };
    let items = |answer: &Value| format!("{} on the page", answer["items"].as_array().map_or(0, Vec::len));
    println!("| {organisations} organisations | time | answer |\n|---|---|---|");
    for call in calls["items"].as_array().unwrap() {
        let (id, title) = (call["id"].as_str().unwrap(), call["title"].as_str().unwrap());
        let path = format!("/v1/calls/{id}");
        // Reading the market and writing it down: one worker computes, so that the others wait.
        let queued = RefCell::new(Vec::new());
        let queue = async || {
            let body = json!({ "locked_in": [asker], "time_limit_seconds": another() });
            let run = service.post(&format!("{path}/runs"), &body).await;
            queued.borrow_mut().push(run.clone());
            run
        };
        row(&format!("a run, call of a {title}, until it is queued"), |run| run["state"].to_string(), queue).await;
        service.cancel(queued.take()).await;
        if title == "région" {
            // Thousands who can serve thousands of places: it takes as long as it may, whatever the directory costs.
            continue;
        }
        let partners = |answer: &Value| {
            let exact = answer["partners"]
                .as_array()
                .map_or(0, |all| all.iter().filter(|one| one.get("gain").is_some()).count());
            format!(
                "{}, {} partners, {exact} exact",
                answer["status"],
                answer["partners"].as_array().map_or(0, Vec::len)
            )
        };
        for exact in [5, 0] {
            let suggest = async || {
                let body = json!({ "exact": exact, "time_limit_seconds": another() });
                service.post(&format!("{path}/partner-suggestions"), &body).await
            };
            row(&format!("partners for one, call of a {title}, {exact} exact"), partners, suggest).await;
        }
        let check = async || {
            let team = json!({ "team": [asker], "time_limit_seconds": another() });
            service.post(&format!("{path}/team-checks"), &team).await
        };
        row(&format!("check of a team, call of a {title}"), |answer| answer["status"].to_string(), check).await;
    }
    row("calls that suit an organisation", items, async || {
        service.get(&format!("/v1/organisations/{asker}/matching-calls")).await
    })
    .await;
    for query in [
        "service=training&territory=D07&limit=50",
        "service=training-certified&public=seniors&territory=C0712&credential=qualiopi&sort=name&limit=50",
        "service=equipment&territory=R&modality=remote&limit=50",
        "name=maison%2039&sort=name&limit=50",
        "name=nothing%20of%20the%20kind&service=access",
    ] {
        let search = async || service.get(&format!("/v1/organisations?{query}")).await;
        row(&format!("`{query}`"), items, search).await;
    }
}
