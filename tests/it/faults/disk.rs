//! The disk is full: writes are refused in so many words, reading goes on, and all is as before once there is room.
//!
//! There are two ways for a file to take no more: the disk says so, which SQLite's own bound on pages looks like to the service, and the
//! system forbids files to grow, which needs no rights to bring about and can be taken back under a running service.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use attelage::database::sqlite;
use futures_util::future::join_all;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectOptions, Database};
use serde_json::json;

use super::{Served, Service, command};
use crate::support::app::{Answer, Client};
use crate::support::database::Engine;
use crate::support::people;
use crate::support::service::{PREPARED, restarted_through, setup, spawn};

/// Room that is left for the files of the database.
const ROOM: u64 = 96 * 1024;

/// A write was refused because of the disk.
fn refused(answer: Answer) {
    assert_eq!(answer.header("retry-after"), "5");
    let problem = answer.problem(503);
    assert!(problem["detail"].as_str().unwrap().contains("disk"), "{problem:#}");
}

async fn write(client: &Client, number: usize) -> Answer {
    client.post("/v1/organisations", json!({ "name": format!("Écrit {number}") })).await
}

/// `attelage serve`, which is told by an error, not by a signal, that a file may not grow.
async fn start(service: &Service) -> Served {
    let plain = command(&service.url, service.folder.path(), &["serve", "--port", "0"]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    shell.current_dir(service.folder.path()).stdin(Stdio::null()).env_clear();
    shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    service.run(shell).await
}

/// Lets no file of a process grow beyond so many bytes.
fn bound(served: &Served, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(served.pid()).unwrap()).unwrap();
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[actix_web::test]
async fn a_disk_that_is_full_stops_writing_and_nothing_else() {
    let database = PREPARED.database(Engine::Sqlite).await;
    let service = Service::on(database.url());
    let served = start(&service).await;
    let client = served.client(&service.key().await);
    let mut written = 0;
    while written < 20 {
        write(&client, written).await.expect(201);
        written += 1;
    }
    let file = sqlite::file(&database.url()).unwrap();
    let log = PathBuf::from(format!("{}-wal", file.display()));
    bound(&served, Some(fs::metadata(&log).unwrap().len() + ROOM));
    let last = loop {
        let answer = write(&client, written).await;
        if answer.status != 201 {
            break answer;
        }
        written += 1;
        assert!(written < 5_000, "it is never full");
    };
    refused(last);
    // Every connection meets it, more than once.
    for _ in 0..3 {
        for answer in join_all((0..16).map(|_| write(&client, 9_999))).await {
            refused(answer);
        }
    }
    let nobody = client.anonymous();
    for path in ["/v1/organisations", "/v1/calls", "/healthz"] {
        nobody.get(path).await.expect(200);
    }

    bound(&served, None);
    let since = Instant::now();
    while write(&client, written).await.status != 201 {
        assert!(since.elapsed() < Duration::from_secs(5), "there is room again");
    }
    let again = since.elapsed();
    written += 1;
    for answer in join_all((0..32).map(|number| write(&client, written + number))).await {
        answer.expect(201);
    }
    written += 32;

    let db = database.connect().await;
    let count: i64 = people::read(&db, "SELECT COUNT(*) FROM organisation WHERE name LIKE 'Écrit %'").await;
    assert_eq!(usize::try_from(count).unwrap(), written, "what was acknowledged is there, and what was refused is not");
    assert_eq!(people::read::<String>(&db, "PRAGMA integrity_check").await, "ok");
    service.verify();
    service.said();
    eprintln!("disk full: {written} writes acknowledged and there; written again {again:?} after there was room");
}

#[actix_web::test]
async fn a_database_that_may_have_no_page_more_says_so() {
    let app = spawn(Engine::Sqlite).await;
    let mut options = ConnectOptions::new(app.database.url());
    // SQLite takes the pages that there are, where they are more than it is told.
    let tight = |options: SqliteConnectOptions| options.foreign_keys(true).pragma("max_page_count", "1");
    options.sqlx_logging(false).max_connections(4).map_sqlx_sqlite_opts(tight);
    let service = restarted_through(Database::connect(options).await.unwrap(), &app, setup()).await;
    let full = &service.client;
    let mut number = 0;
    let last = loop {
        let answer = write(full, number).await;
        if answer.status != 201 {
            break answer;
        }
        number += 1;
        assert!(number < 5_000, "it is never full");
    };
    refused(last);
    full.anonymous().get("/v1/organisations").await.expect(200);
    write(&app, number).await.expect(201);
}
