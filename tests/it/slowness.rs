//! Clients that take their time: each is cut, however many there are.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::database::Engine;
use crate::support::service::{App, spawn};
use crate::support::size;

/// A JSON body has ten seconds to arrive; a connection that is cut has some more to be closed on a busy machine.
const DEADLINE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(25);

/// Sends the beginning of a request, then `drip` every second; what comes back until the service closes, and when it came.
async fn stall(base: &str, beginning: &[u8], drip: &[u8]) -> (String, Duration) {
    let start = Instant::now();
    let stream = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(beginning).await.unwrap();
    let drips = async {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if drip.is_empty() || writer.write_all(drip).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    let reading = async {
        let mut chunk = [0; 4_096];
        // A reset after the answer is a way to close, too.
        while let Ok(read @ 1..) = reader.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..read]);
            if answer.ends_with(b"}") {
                break;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = drips => {}
        () = tokio::time::sleep(PATIENCE) => panic!("still open after {PATIENCE:?}"),
    }
    (String::from_utf8(answer).unwrap(), start.elapsed())
}

fn head(app: &App, length: usize) -> String {
    format!(
        "POST /v1/organisations HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n",
        app.credential()
    )
}

#[actix_web::test]
async fn bodies_that_stall_or_drip_are_all_cut_by_the_deadline_and_others_are_served_meanwhile() {
    let app = spawn(Engine::Sqlite).await;
    let beginning = format!("{}{{\"name\":", head(&app, 100)).into_bytes();
    let stalled = join_all(
        (0..size(40, 200)).map(|number| stall(app.base(), &beginning, if number % 2 == 0 { b"" } else { b" " })),
    );
    let others = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let start = Instant::now();
            app.get("/v1/calls").await.expect(200);
            assert!(start.elapsed() < Duration::from_secs(5));
        }
    };
    let (answers, ()) = tokio::join!(stalled, others);
    for (answer, time) in answers {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer after {time:?}"));
        assert!(head.starts_with("HTTP/1.1 408 ") && head.contains("application/problem+json"), "{answer}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&problem["type"], &problem["status"]), (&"/problems/timeout".into(), &408.into()));
        assert!(time + Duration::from_millis(50) >= DEADLINE, "{time:?} is too early");
    }
    let left = app.get("/v1/organisations").await.expect(200);
    assert_eq!(left["items"].as_array().map(Vec::len), Some(0));
}

#[actix_web::test]
async fn heads_that_stall_or_drip_are_cut_too() {
    let app = spawn(Engine::Sqlite).await;
    let beginning = b"GET /v1/calls HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    let stalled =
        (0..size(20, 200)).map(|number| stall(app.base(), beginning, if number % 2 == 0 { b"" } else { b"x" }));
    for (answer, time) in join_all(stalled).await {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(time < PATIENCE);
    }
    app.get("/v1/calls").await.expect(200);
}

#[actix_web::test]
async fn bodies_share_their_memory_and_who_finds_none_is_told_to_come_back() {
    let app = spawn(Engine::Sqlite).await;
    let (mebibyte, most) = (vec![b'x'; 1 << 20], 32 << 20);
    let head =
        head(&app, most).replace("organisations", "imports?kind=territories").replace("application/json", "text/csv");
    let mut unfinished = Vec::new();
    // The largest imports, all but a byte of each: together they are all that bodies may take.
    for _ in 0..4 {
        let mut stream = TcpStream::connect(app.base().trim_start_matches("http://")).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 1..32 {
            stream.write_all(&mebibyte).await.unwrap();
        }
        stream.write_all(&mebibyte[1..]).await.unwrap();
        unfinished.push(stream);
    }
    let asked = |name: &str| app.post("/v1/organisations", json!({ "name": name }));
    let begun = Instant::now();
    let refused = loop {
        let answer = asked("While others send").await;
        if answer.status != 201 {
            break answer;
        }
        assert!(begun.elapsed() < DEADLINE, "they have all there is");
    };
    assert_eq!(refused.header("retry-after"), "1");
    refused.problem(503);
    app.get("/v1/calls").await.expect(200);
    drop(unfinished);
    while asked("When they are gone").await.status != 201 {
        assert!(begun.elapsed() < PATIENCE, "what they had is given back");
    }
}
