//! What is kept of bids: nothing that somebody who takes the database can read, and nothing that can be changed unnoticed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Stdio};

use attelage::audit::Log;
use attelage::bids::keys;
use attelage::bids::seal::SealingKey;
use attelage::codes::sha256_hex;
use attelage::server::{self, Setup};
use reqwest::header::HeaderMap;
use sea_orm::{FromQueryResult as _, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::attelage;
use crate::support::app::{Answer, Client};
use crate::support::bidding::{Bidding, alone, bidding, together};
use crate::support::database::TestDatabase;
use crate::support::on_both_engines;
use crate::support::sample::organisation;
use crate::support::service::{audit_key, sealing, setup};

/// Unlike anything else in the database.
const NOTE: &str = "note-8a1f6b2e-unheard-of";
const NUMBERS: [i64; 4] = [123_457_891, 7_919_283_641, 8_812_345_679, 7_919_283_641 + 8_812_345_679];

/// A bid with a mark in its text and in its numbers.
fn marked(world: &Bidding) -> Value {
    let mut bid = together(&world.school, &world.workshop);
    bid["allocations"][0]["amount_cents"] = json!(NUMBERS[1]);
    bid["allocations"][1]["quantity"] = json!(NUMBERS[0]);
    bid["allocations"][1]["amount_cents"] = json!(NUMBERS[2]);
    bid["amount_cents"] = json!(NUMBERS[3]);
    bid["note"] = json!(NOTE);
    bid
}

/// Bytes as text of as many characters, in which texts and numbers are found alike.
fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The forms in which marks could stand somewhere: as text, as text in hexadecimal, and as a number of the database.
fn marks() -> impl Iterator<Item = String> {
    let hex = |text: &str| text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let texts = NUMBERS.map(|number| number.to_string()).into_iter().chain([NOTE.to_owned()]);
    let texts = texts.flat_map(move |text| [hex(&text), text]);
    texts.chain(NUMBERS.into_iter().map(|number| text_of(&number.to_be_bytes()).trim_start_matches('\0').to_owned()))
}

fn holds_a_mark(text: &str) -> bool {
    marks().any(|mark| text.contains(&mark))
}

/// Everything in the database: the bytes of its files, or every row of every table as text.
async fn dump(world: &Bidding) -> String {
    if let TestDatabase::Sqlite(folder) = &world.app.database {
        let files = fs::read_dir(folder.path()).unwrap();
        return files.map(|file| text_of(&fs::read(file.unwrap().path()).unwrap())).collect();
    }
    let texts = async |sql: &str| {
        let statement = Statement::from_string(world.db.get_database_backend(), sql);
        let rows = Value::find_by_statement(statement).all(&world.db).await.unwrap();
        rows.into_iter().map(|row| row["text"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let mut all = String::new();
    for table in texts("SELECT tablename::text AS text FROM pg_tables WHERE schemaname = 'public'").await {
        all += &texts(&format!("SELECT row::text AS text FROM \"{table}\" row")).await.join("\n");
    }
    all
}

/// How many bids have a broken seal, of those that an evaluator reads; none of those shows anything.
async fn broken(world: &Bidding) -> usize {
    let list = world.of("owner").get(&world.bids()).await.expect(200);
    let items = list["items"].as_array().unwrap().iter();
    let broken: Vec<&Value> = items.filter(|bid| bid["seal"] == "broken").collect();
    for bid in &broken {
        assert_eq!(bid.get("sealed"), None);
        let path = format!("/v1/bids/{}", bid["receipt"]["id"].as_str().unwrap());
        assert_eq!(&&world.of("owner").get(&path).await.expect(200).body, bid);
    }
    broken.len()
}

/// `attelage serve` on the database of a world; its log goes to a file.
struct Served {
    process: Child,
    base: String,
}

impl Served {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let log = fs::OpenOptions::new().append(true).create(true).open(folder.join("log")).unwrap();
        let mut command = attelage(folder, &[&["serve", "--port", "0"], arguments].concat());
        let mut process = command.env("ATTELAGE_LOG", "trace").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let base = said.trim().strip_prefix("Attelage listens on ").map(str::to_owned);
        Self { process, base: base.unwrap_or_else(|| panic!("{said}")) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn read(client: &Client, receipt: &Answer) -> Answer {
    client.get(receipt.header("location")).await
}

on_both_engines! {
    async fn the_database_holds_nothing_of_a_bid(engine) {
        let world = bidding(engine).await;
        organisation(&world.app, "unheard-of-but-public").await;
        let once = |key: &str| HeaderMap::from_iter([("idempotency-key".parse().unwrap(), key.parse().unwrap())]);
        let fingerprint = |path: &str, body: &Value| {
            sha256_hex(format!("POST {path}\n{}", sha256_hex(body.to_string().as_bytes())).as_bytes())
        };
        // A request that is not blinded is found by its fingerprint, so that the absence of the other one says something.
        let plain = json!({ "name": "repeated" });
        world.app.post_with("/v1/organisations", once("plain"), plain.clone()).await.expect(201);
        let bid = marked(&world);
        let school = world.of("school's key");
        let first = school.post_with(&world.bids(), once("bid"), bid.clone()).await.expect(201);
        let own = read(school, &first).await.expect(200);
        assert_eq!(own["sealed"]["content"], bid);
        school.post(&world.bids(), bid.clone()).await.expect(201);

        let kept = dump(&world).await;
        let digest = first["digest"].as_str().unwrap();
        assert!(kept.contains("unheard-of-but-public") && kept.contains(digest), "the search finds what is there");
        assert!(kept.contains(&fingerprint("/v1/organisations", &plain)));
        assert!(!kept.contains(&fingerprint(&world.bids(), &bid)), "who guesses the bid could make sure");
        assert!(!kept.contains(own["sealed"]["salt"].as_str().unwrap()));
        assert!(!kept.contains(&sha256_hex(own["sealed"]["content"].to_string().as_bytes())));
        assert!(!holds_a_mark(&kept));
        for client in world.who.iter().filter(|(who, _)| !who.starts_with("school")).map(|(_, client)| client) {
            for path in [world.bids(), first.header("location").to_owned(), format!("/v1/calls/{}", world.call), "/v1/calls".to_owned()] {
                assert!(!holds_a_mark(&client.get(&path).await.body.to_string()), "{path}");
            }
        }
    }

    async fn whatever_is_changed_in_the_database_breaks_the_seal(engine) {
        let world = bidding(engine).await;
        world.bid("school's key", marked(&world)).await.expect(201);
        world.bid("workshop's key", alone(&world.workshop, 10, 90)).await.expect(201);
        world.pass_deadline().await;
        world.open("owner").await.expect(200);
        world.open("evaluator").await.expect(200);
        assert_eq!(broken(&world).await, 0);
        world.sql("CREATE TABLE kept_bid AS SELECT * FROM bid").await;
        world.sql("CREATE TABLE kept_key AS SELECT * FROM call_key").await;
        let of_other = |column: &str| format!("{column} = (SELECT other.{column} FROM kept_bid other WHERE other.id <> bid.id)");
        let moved = ["ciphertext", "nonce", "digest", "received_at"].map(of_other);
        for change in [
            format!("UPDATE bid SET {}", moved[..1].join(", ")),
            format!("UPDATE bid SET {}", moved[..2].join(", ")),
            format!("UPDATE bid SET {}", moved[..3].join(", ")),
            format!("UPDATE bid SET {}", moved.join(", ")),
            format!("UPDATE bid SET {}", moved[2]),
            "UPDATE bid SET ciphertext = nonce".to_owned(),
            "UPDATE bid SET nonce = ciphertext".to_owned(),
            "UPDATE bid SET call_version = call_version + 1".to_owned(),
            "UPDATE bid SET received_at = '2025-01-01T00:00:00+00:00'".to_owned(),
            "UPDATE call_key SET ciphertext = nonce".to_owned(),
            "DELETE FROM call_key".to_owned(),
        ] {
            world.sql(&change).await;
            assert_eq!(broken(&world).await, 2, "{change}");
            for (table, kept) in [("bid", "kept_bid"), ("call_key", "kept_key")] {
                world.sql(&format!("DELETE FROM {table}")).await;
                world.sql(&format!("INSERT INTO {table} SELECT * FROM {kept}")).await;
            }
            assert_eq!(broken(&world).await, 0, "{change}");
        }
    }

    async fn bids_are_read_with_the_new_sealing_key_and_with_no_other(engine) {
        let world = bidding(engine).await;
        let receipt = world.bid("school's key", marked(&world)).await.expect(201);
        let (old, new) = (sealing(), SealingKey::new([8; 32]));
        let log = Log::open(&world.db, audit_key()).await.unwrap();
        assert!(keys::rotate(&log, &new, &SealingKey::new([9; 32])).await.is_err(), "the old key must be the one in use");
        let start = async |key: &SealingKey| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let base = format!("http://{}", listener.local_addr().unwrap());
            server::start(world.db.clone(), listener, Setup { sealing: key.clone(), ..setup() }).await.map(|server| (server, base))
        };
        assert!(start(&new).await.is_err_and(|error| error.to_string().contains("--sealing-key-file")));
        assert_eq!(keys::rotate(&log, &old, &new).await.unwrap(), 1);
        assert_eq!(keys::rotate(&log, &old, &new).await.unwrap(), 0, "it can be repeated");
        // A service that still has the old key neither reads nor takes bids.
        read(world.of("school's key"), &receipt).await.problem(503);
        world.bid("school's key", marked(&world)).await.problem(503);
        assert!(start(&old).await.is_err());
        let (server, base) = start(&new).await.unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let bid = read(&world.of("school's key").at(base), &receipt).await.expect(200);
        drop(handle.stop(false));
        assert_eq!((&bid["seal"], &bid["sealed"]["content"]), (&json!("intact"), &marked(&world)));
    }

    async fn the_service_logs_nothing_of_a_bid_and_its_key_is_replaced_by_a_command(engine) {
        let world = bidding(engine).await;
        let folder = TempDir::new().unwrap();
        for (name, byte) in [("old.key", "07"), ("audit.key", "0b")] {
            let key = folder.path().join(name);
            fs::write(&key, byte.repeat(32)).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let url = world.app.database.url();
        let settings = |sealing| ["--database", &url, "--audit-key-file", "audit.key", "--sealing-key-file", sealing];
        let served = Served::start(folder.path(), &settings("old.key"));
        let school = world.of("school's key").at(served.base.clone());
        let receipt = school.post(&world.bids(), marked(&world)).await.expect(201);
        assert_eq!(read(&school, &receipt).await.expect(200)["sealed"]["content"], marked(&world));
        let mut faulty = marked(&world);
        faulty["amount_cents"] = json!(1);
        school.post(&world.bids(), faulty).await.problem(422);
        drop(served);

        let rotate = [&["keys"][..], &settings("old.key"), &["rotate-sealing", "--new-file", "new.key"]].concat();
        let said = attelage(folder.path(), &rotate).output().unwrap();
        let said = (said.status.success(), String::from_utf8(said.stdout).unwrap());
        assert!(said.0 && said.1.starts_with("1 keys") && said.1.contains("--sealing-key-file new.key"), "{said:?}");
        let served = Served::start(folder.path(), &settings("new.key"));
        let school = school.at(served.base.clone());
        assert_eq!(read(&school, &receipt).await.expect(200)["sealed"]["content"], marked(&world));
        world.sql("UPDATE bid SET call_version = 0").await;
        assert_eq!(read(&school, &receipt).await.expect(200)["seal"], "broken");
        drop(served);

        let log = text_of(&fs::read(folder.path().join("log")).unwrap());
        assert!(log.contains("the seal of a bid is broken"), "the log is the one of the service");
        assert!(!holds_a_mark(&log));
        let secret = fs::read_to_string(folder.path().join("new.key")).unwrap();
        assert!(!log.contains(secret.trim()) && !log.contains(&"07".repeat(32)));
    }
}

#[test]
fn a_sealing_key_that_others_could_read_or_that_has_no_place_stops_the_service() {
    let folder = TempDir::new().unwrap();
    let complains = |arguments: &[&str]| {
        let output = attelage(folder.path(), arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let key = folder.path().join("open.key");
    fs::write(&key, "07".repeat(32)).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let said = complains(&["serve", "--port", "0", "--sealing-key-file", "open.key"]);
    assert!(said.contains("open.key") && said.contains("chmod 600") && !said.contains("0707"), "{said}");
    let said = complains(&["serve", "--port", "0", "--database", "postgres://nobody@localhost/none"]);
    assert!(said.contains("--sealing-key-file") && said.contains("ATTELAGE_SEALING_KEY_FILE"), "{said}");
    // Beside the file of an SQLite database it is made, for its owner alone.
    let output = attelage(folder.path(), &["keys", "rotate-sealing", "--new-file", "new.key"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for made in ["attelage.sqlite.sealing-key", "new.key"] {
        let mode = fs::metadata(folder.path().join(made)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{made}");
    }
}
