//! Somebody who is erased leaves no trace but a number in the log.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};
use serde_json::json;
use tempfile::TempDir;

use crate::support::app::Client;
use crate::support::database::{Engine, TestDatabase};
use crate::support::on_both_engines;
use crate::support::service::{App, spawn};
use crate::support::world::{self, PASSWORD};

/// The parts of a name and an address that nothing else contains.
const NAME: &str = "Wilhelmina Quasimodotti";
const EMAIL: &str = "w.quasimodotti@zweifelhaft.example";
const MESSAGE: &str = "Je suis la trésorière, demandez à Xylophane";
const TRACES: [&str; 7] =
    ["Wilhelmina", "wilhelmina", "Quasimodotti", "quasimodotti", "zweifelhaft", "Xylophane", "w.quasimodotti@"];

async fn rows(db: &DatabaseConnection, sql: &str) -> Vec<QueryResult> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()
}

/// Every column of every row of every table, as text.
async fn dump(db: &DatabaseConnection) -> String {
    let is_sqlite = db.get_database_backend() == DbBackend::Sqlite;
    let tables = if is_sqlite {
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    } else {
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
    };
    let mut text = String::new();
    for table in rows(db, tables).await {
        let table: String = table.try_get_by_index(0).unwrap();
        if !is_sqlite {
            for row in rows(db, &format!("SELECT t::text FROM \"{table}\" t")).await {
                text += &row.try_get_by_index::<String>(0).unwrap();
            }
            continue;
        }
        for column in rows(db, &format!("SELECT name FROM pragma_table_info('{table}')")).await {
            let column: String = column.try_get_by_index(0).unwrap();
            for row in rows(db, &format!("SELECT CAST(\"{column}\" AS TEXT) FROM \"{table}\"")).await {
                text += &row.try_get_by_index::<Option<String>>(0).unwrap_or_default().unwrap_or_default();
                text.push('\n');
            }
        }
    }
    text
}

fn key(key: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), key.parse().unwrap())])
}

/// Makes the account of whom these tests erase, and signs in; gives their client and id.
async fn sign_up(client: &Client) -> (Client, String) {
    let nobody = client.anonymous();
    nobody.post("/v1/people", json!({ "email": EMAIL, "name": NAME, "password": PASSWORD })).await.expect(202);
    let session = nobody.post("/v1/sessions", json!({ "email": EMAIL, "password": PASSWORD })).await.expect(201);
    let client = client.with_cookie(session.header("set-cookie"));
    let id = client.get("/v1/me").await.expect(200)["person"]["id"].as_str().unwrap().to_owned();
    (client, id)
}

async fn join(client: &Client, name: &str) -> Client {
    world::person(client, &format!("{name}@example.org")).await.0
}

/// What somebody leaves behind in the course of a year. Gives their client, their id, and the request that they
/// joined by.
async fn live(app: &App, ada: &Client) -> (Client, String, String) {
    let (erased, id) = sign_up(app).await;
    let own = ada.post("/v1/organisations", json!({ "name": "La Fabrique" })).await.expect(201);
    let path = own.header("location");
    let asked = json!({ "message": MESSAGE });
    let asked = erased.post_with(&format!("{path}/join-requests"), key("ask"), asked).await.expect(201);
    let request = asked.header("location").to_owned();
    let accepted = ada.post_with(&format!("{request}/accept"), key("accept"), json!({})).await.expect(200);
    assert_eq!(accepted["person"]["name"], NAME);
    let members = ada.get(&format!("{path}/members")).await.expect(200);
    assert!(members.body.to_string().contains(EMAIL));
    let asked = ada.post("/v1/organisations", json!({ "name": "Une autre" })).await.expect(201);
    let path = format!("{}/join-requests", asked.header("location"));
    erased.post_with(&path, key("ask-again"), json!({ "message": MESSAGE })).await.expect(201);
    (erased, id, request)
}

on_both_engines! {
    async fn nothing_in_any_table_tells_of_somebody_who_is_erased(engine) {
        let app = spawn(engine).await;
        let ada = join(&app, "ada").await;
        let (erased, id, request) = live(&app, &ada).await;
        let db = app.database.connect().await;
        let before = dump(&db).await;
        for trace in ["Wilhelmina", "quasimodotti", "zweifelhaft", "Xylophane"] {
            assert!(before.contains(trace), "{trace} was never there: the test sees nothing");
        }
        erased.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await.expect(204);
        let after = dump(&db).await;
        for trace in TRACES {
            assert!(!after.contains(trace), "{trace} is still there");
        }
        assert!(after.contains(&id), "the log keeps the number");
        assert!(after.contains("ada@example.org"), "somebody else stays");
        erased.get("/v1/me").await.problem(401);
        // What named them is not told again, and not done again either.
        ada.post_with(&format!("{request}/accept"), key("accept"), json!({})).await.problem(409);
        // The address is free.
        sign_up(&app).await;
    }
}

/// Whether a file holds a text.
fn holds(path: &std::path::Path, text: &str) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[actix_web::test]
async fn neither_the_file_nor_a_new_backup_holds_a_byte_of_them() {
    let app = spawn(Engine::Sqlite).await;
    let ada = join(&app, "ada").await;
    // Among others, so that pages are split and cells are moved.
    for number in 0..30 {
        join(&app, &format!("voisin{number}")).await;
    }
    let (erased, ..) = live(&app, &ada).await;
    for number in 30..40 {
        join(&app, &format!("voisin{number}")).await;
    }
    erased.send_raw(Method::DELETE, "/v1/me", HeaderMap::new(), "").await.expect(204);
    let TestDatabase::Sqlite(folder) = &app.database else { panic!("not SQLite") };
    let backups = TempDir::new().unwrap();
    let backup = backups.path().join("backup.sqlite");
    let db = app.database.connect().await;
    db.execute_unprepared(&format!("VACUUM INTO '{}'", backup.display())).await.unwrap();
    let own = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = own.chain([backup.clone()]).collect();
    assert!(holds(&backup, "voisin7@example.org"), "somebody else stays");
    for file in files {
        for trace in TRACES {
            assert!(!holds(&file, trace), "{} holds {trace}", file.display());
        }
    }
}
