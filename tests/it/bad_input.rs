//! Bodies that no well-behaved client sends: each is refused with its reason and its place, and nothing is written.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use serde_json::{Value, json};

use crate::support::app::Answer;
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample::{self, everything, places};
use crate::support::service::{App, spawn};

const PATH: &str = "/v1/organisations";

fn json_type() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

async fn post(app: &App, body: impl Into<Vec<u8>>) -> Answer {
    app.send_raw(Method::POST, PATH, json_type(), body).await
}

on_both_engines! {
    async fn what_is_not_json_is_refused_on_every_path_that_takes_json(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let before = everything(&app).await;
        let mut headers = json_type();
        headers.insert(IF_MATCH, HeaderValue::from_static("\"1\""));
        for (method, path) in [
            (Method::POST, PATH.to_owned()), (Method::POST, "/v1/capabilities".to_owned()), (Method::POST, "/v1/relations".to_owned()),
            (Method::POST, "/v1/calls".to_owned()), (Method::POST, format!("/v1/calls/{}/runs", market.call)),
            (Method::PUT, format!("/v1/organisations/{}", market.school)), (Method::PUT, format!("/v1/calls/{}", market.call)),
            (Method::PUT, format!("/v1/capabilities/{}", market.generalist_offers[0])), (Method::PUT, "/v1/territories/X".to_owned()),
            (Method::PUT, "/v1/vocabularies/services/terms/x".to_owned()),
        ] {
            for body in [&b""[..], b"{", b"{\"name\":\"x\"}}", b"name=x", b"{'name':'x'}", b"\xef\xbb\xbf{}", b"{\"name\":\"\xe9\"}", b"{\"name\":\"\\ud800\"}"] {
                let answer = app.send_raw(method.clone(), &path, headers.clone(), body).await;
                assert_eq!(places(&answer.problem(400)), [""], "{path} {}", String::from_utf8_lossy(body));
            }
            for body in ["null", "[]", "3", "\"x\""] {
                let answer = app.send_raw(method.clone(), &path, headers.clone(), body).await;
                assert_eq!(places(&answer.problem(422)), [""], "{path} {body}");
            }
        }
        assert_eq!(everything(&app).await, before);
    }

    async fn nul_in_a_body_is_refused_where_it_stands(engine) {
        let app = spawn(engine).await;
        let body = json!({ "name": "a\0b", "aliases": ["fine", "\0"], "description": "\0" });
        assert_eq!(places(&app.post(PATH, body).await.problem(422)), ["/name", "/aliases/1", "/description"]);
        assert_eq!(places(&post(&app, r#"{"name":"x","a\u0000":1}"#).await.problem(422)), ["/a\0"]);
        let body = json!({ "name": "X", "kind": "commune", "indicators": { "a\0": 1 } });
        assert_eq!(places(&app.put_new("/v1/territories/X", body).await.problem(422)), ["/indicators/a\0"]);
        assert_eq!(app.get(PATH).await.expect(200)["items"], json!([]));
    }
}

#[actix_web::test]
async fn members_that_do_not_exist_or_stand_twice_are_refused_where_they_stand() {
    let app = spawn(Engine::Sqlite).await;
    let body = json!({ "name": "x", "nom": "y", "resource_mix": { "luck_percent": 3 }, "credentials": [{ "code": "q", "a/b~c": 1 }] });
    let expected = ["/credentials/0/a~1b~0c", "/nom", "/resource_mix/luck_percent"];
    assert_eq!(places(&app.post(PATH, body).await.problem(422)), expected);
    let twice = r#"{"name":"x","name":"y","resource_mix":{"sales_percent":1,"sales_percent":1}}"#;
    assert_eq!(places(&post(&app, twice).await.problem(422)), ["/name", "/resource_mix/sales_percent"]);
    // What the service adds is not for clients to write.
    let body = json!({ "name": "x", "id": "019e0000-0000-7000-8000-000000000000", "version": 9, "created_at": "2026-01-01T00:00:00Z" });
    assert_eq!(places(&app.post(PATH, body).await.problem(422)), ["/created_at", "/id", "/version"]);
    assert_eq!(app.get(PATH).await.expect(200)["items"], json!([]));
}

#[actix_web::test]
async fn wrong_types_and_unknown_codes_are_all_told_at_once() {
    let app = spawn(Engine::Sqlite).await;
    let body = json!({
        "name": 3, "aliases": "one", "identifiers": [{ "scheme": "passport", "id": 12 }], "legal_family": "tribe",
        "volunteers": 1.5, "fresh_on": "yesterday", "illustrative": "yes", "turnover_cents": "1000",
        "links": [{ "to": "me", "kind": "friend" }], "home_territories": [1]
    });
    let expected = [
        "/aliases",
        "/fresh_on",
        "/home_territories/0",
        "/identifiers/0/id",
        "/identifiers/0/scheme",
        "/illustrative",
        "/legal_family",
        "/links/0/kind",
        "/links/0/to",
        "/name",
        "/turnover_cents",
        "/volunteers",
    ];
    assert_eq!(places(&app.post(PATH, body).await.problem(422)), expected);
    let huge = r#"{"name":"x","turnover_cents":99999999999999999999,"full_time_equivalents":1e300}"#;
    assert_eq!(places(&post(&app, huge).await.problem(422)), ["/turnover_cents", "/full_time_equivalents"]);
    let large = r#"{"name":"x","turnover_cents":9000000000000000000,"volunteers":-1,"full_time_equivalents":1e15}"#;
    let expected = ["/full_time_equivalents", "/turnover_cents", "/volunteers"];
    assert_eq!(places(&post(&app, large).await.problem(422)), expected);
    assert_eq!(places(&post(&app, r#"{"name":"x","full_time_equivalents":1e400}"#).await.problem(400)), [""]);
    assert_eq!(app.get(PATH).await.expect(200)["items"], json!([]));
}

#[actix_web::test]
async fn a_whole_number_may_be_written_with_a_point() {
    let app = spawn(Engine::Sqlite).await;
    let answer = post(&app, r#"{"name":"x","volunteers":518.0,"turnover_cents":1e3}"#).await.expect(201);
    assert_eq!((&answer["volunteers"], &answer["turnover_cents"]), (&json!(518), &json!(1000)));
}

#[actix_web::test]
async fn nesting_below_32_is_refused() {
    let app = spawn(Engine::Sqlite).await;
    let nested = |depth: usize| format!("{}0{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(places(&post(&app, nested(33)).await.problem(400)), [""]);
    assert_eq!(places(&post(&app, nested(100_000)).await.problem(400)), [""]);
    assert_eq!(places(&post(&app, nested(32)).await.problem(422)), [""]);
}

#[actix_web::test]
async fn a_body_of_another_type_or_compressed_is_refused() {
    let app = spawn(Engine::Sqlite).await;
    for media_type in
        ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data; boundary=x"]
    {
        let answer = app.post_text(PATH, media_type, r#"{"name":"x"}"#).await.problem(415);
        assert!(answer["detail"].as_str().unwrap().contains("application/json"), "{media_type}");
    }
    app.send_raw(Method::POST, PATH, HeaderMap::new(), r#"{"name":"x"}"#).await.problem(415);
    app.post_text("/v1/imports?kind=territories", "application/json", "{}").await.problem(415);
    for (path, media_type) in [(PATH, "application/json"), ("/v1/imports?kind=territories", "text/csv")] {
        for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip"] {
            let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type.parse().unwrap())]);
            headers.insert(CONTENT_ENCODING, coding.parse().unwrap());
            app.send_raw(Method::POST, path, headers, b"\x1f\x8b\x08".as_slice()).await.problem(415);
        }
    }
    assert_eq!(app.get(PATH).await.expect(200)["items"], json!([]));
    app.post_text(PATH, "Application/JSON; charset=utf-8", r#"{"name":"x"}"#).await.expect(201);
}

/// Sends the head and the beginning of a body, and reads the answer without sending the rest.
fn begin(base: &str, credential: &str, request: &str, length: &str, beginning: &[u8]) -> (String, Value) {
    let media_type = if request.contains("imports") { "text/csv" } else { "application/json" };
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credential}\r\nContent-Type: {media_type}\r\n{length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), beginning].concat()).unwrap();
    let mut answer = Vec::new();
    let mut reader = BufReader::new(stream);
    while !answer.ends_with(b"\r\n\r\n") {
        assert_ne!(reader.read_until(b'\n', &mut answer).unwrap(), 0, "no answer");
    }
    let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

#[actix_web::test]
async fn ten_megabytes_are_refused_before_they_have_arrived() {
    let app = spawn(Engine::Sqlite).await;
    let spaces = vec![b' '; (1 << 20) + 1];
    let mut chunk = format!("{:x}\r\n", spaces.len()).into_bytes();
    chunk.extend_from_slice(&spaces);
    chunk.extend_from_slice(b"\r\n");
    for (request, length, beginning) in [
        // The length that is announced is enough to know.
        ("POST /v1/organisations", "Content-Length: 10485760", &b"{"[..]),
        ("PUT /v1/territories/X", "Content-Length: 10485760", b"{"),
        ("POST /v1/imports?kind=lieux", "Content-Length: 104857600", b"id"),
        // Without one, the first byte too many is.
        ("POST /v1/organisations", "Transfer-Encoding: chunked", &chunk),
    ] {
        let (base, credential) = (app.base().to_owned(), app.credential().to_owned());
        let beginning = beginning.to_vec();
        let answered = tokio::task::spawn_blocking(move || begin(&base, &credential, request, length, &beginning));
        let (answer, problem) = answered.await.unwrap();
        assert!(answer.starts_with("http/1.1 413 "), "{request}: {answer}");
        assert!(answer.contains("content-type: application/problem+json"), "{answer}");
        assert_eq!((&problem["status"], &problem["type"]), (&json!(413), &json!("/problems/too-large")));
    }
    assert_eq!(app.get(PATH).await.expect(200)["items"], json!([]));
}

#[actix_web::test]
async fn a_body_just_within_the_limit_is_read() {
    let app = spawn(Engine::Sqlite).await;
    let padded = |length: usize| format!("{{\"name\":\"x\"{}}}", " ".repeat(length - 12));
    post(&app, padded(1 << 20)).await.expect(201);
    post(&app, padded((1 << 20) + 1)).await.problem(413);
}
