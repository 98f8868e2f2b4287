//! Requests that are wrong in every way we could think of, over all operations of the document: none breaks the service, and each answer
//! is one that the document allows.
//!
//! A thousand as a rule; ten thousand with `ATTELAGE_TEST_FULL=1`. A seed decides, so that a request that fails once fails again.

use std::collections::BTreeMap;

use attelage::access::credential::{Kind, Secret};
use attelage::openapi;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::mutations::Dice;
use crate::support::app::Client;
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample;
use crate::support::service::spawn;
use crate::support::size;

/// An operation of the document, with a body that it accepts.
struct Operation {
    method: Method,
    path: String,
    media_type: String,
    example: Option<Value>,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
            let body = content.and_then(|content| content.iter().next());
            operations.push(Operation {
                method: Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap(),
                path: path.clone(),
                media_type: body.map_or("application/json", |(media_type, _)| media_type).to_owned(),
                example: body.map(|(_, body)| body["example"].clone()),
            });
        }
    }
    operations
}

const IDS: [&str; 16] = [
    "019e0000-0000-7000-8000-000000000000",
    "00000000-0000-0000-0000-000000000000",
    "42",
    "-1",
    "none",
    "%00",
    "%FF%FE",
    "%20",
    "..%2f..%2fetc%2fpasswd",
    "%F0%9F%90%8E",
    "services",
    "'%20OR%201=1%20--",
    "%7B019e0000-0000-7000-8000-000000000000%7D",
    "019E0000000070008000000000000000",
    "99999999999999999999999999999999999999",
    "a;b=c",
];

const QUERIES: [&str; 16] = [
    "limit=0",
    "limit=-1",
    "limit=18446744073709551616",
    "limit=1e3",
    "limit=1&limit=2",
    "cursor=AAAA",
    "cursor=%00",
    "cursor=",
    "name=%FF",
    "name=%25%5F",
    "=",
    "&&&",
    "colour=blue",
    "kind=none",
    "%F0%28%8C%28=1",
    "identifier[]=1",
];

const HEADERS: [(&str, &[u8]); 22] = [
    ("if-match", b"*"),
    ("if-match", b"\"99999999999999999999\""),
    ("if-match", b"W/\"1\""),
    ("if-match", b"\"1\""),
    ("if-match", b"\xff"),
    ("idempotency-key", b""),
    ("idempotency-key", b"\xc3\xa9"),
    ("idempotency-key", &[b'k'; 300]),
    ("prefer", b"wait=99999999999999999999"),
    ("prefer", b"wait=-1, wait=x"),
    ("prefer", b"\xff\xff"),
    ("accept", b"application/xml"),
    ("accept-language", b"\xff"),
    ("content-type", b"text/html"),
    ("content-type", b"application/json; charset=\xff"),
    ("content-encoding", b"gzip"),
    ("content-encoding", b"br, gzip"),
    ("origin", b"null"),
    ("cookie", b"__Host-attelage=x; __Host-attelage=y; ="),
    ("cookie", b"\xff\xfe"),
    ("x-http-method-override", b"DELETE"),
    ("x-request-id", b"<script>"),
];

/// Chooses; the same seed, the same requests.
struct Corpus {
    dice: Dice,
    credentials: Vec<HeaderValue>,
}

impl Corpus {
    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.dice.below(of.len())]
    }

    fn path(&mut self, template: &str) -> String {
        let parts = template.split('/').map(|part| match part {
            "{vocabulary}" if self.dice.below(2) == 0 => "services".to_owned(),
            part if part.starts_with('{') => (*self.one(&IDS)).to_owned(),
            part => part.to_owned(),
        });
        let path = parts.collect::<Vec<_>>().join("/");
        match self.dice.below(12) {
            0 => format!("{path}/"),
            1 => path.replacen('/', "//", 1),
            2 => format!("{path}/{}", "x".repeat(2_000)),
            _ => path,
        }
    }

    fn query(&mut self) -> String {
        let parts: Vec<&str> = (0..self.dice.below(3)).map(|_| *self.one(&QUERIES)).collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    fn body(&mut self, example: &Value) -> Vec<u8> {
        let mut damaged = example.clone();
        for _ in 0..=self.dice.below(3) {
            self.dice.damage(&mut damaged);
        }
        let text = damaged.to_string().into_bytes();
        let cut = self.dice.below(text.len() + 1);
        match self.dice.below(16) {
            0 => text[..cut].to_vec(),
            1 => [&text[..cut], b"\xff\xfe", &text[cut..]].concat(),
            2 => [&text[..cut], b"\0", &text[cut..]].concat(),
            3 => [b"\xef\xbb\xbf".as_slice(), &text].concat(),
            4 => [text.as_slice(), b"}"].concat(),
            5 => "[".repeat(200_000).into_bytes(),
            6 => br#"{"a":1,"a":2}"#.to_vec(),
            7 => format!("{{\"name\":{}}}", "9".repeat(400)).into_bytes(),
            8 => br#"{"name":"\ud800","x":"\u0000"}"#.to_vec(),
            9 => b"name=x&kind=y".to_vec(),
            10 => (0..cut).map(|_| u8::try_from(self.dice.below(256)).unwrap()).collect(),
            _ => text,
        }
    }

    fn headers(&mut self, operation: &Operation) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if operation.example.is_some() {
            headers.insert(CONTENT_TYPE, operation.media_type.parse().unwrap());
        }
        for _ in 0..self.dice.below(3) {
            let (name, value) = *self.one(&HEADERS);
            headers.insert(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        if self.dice.below(4) == 0 {
            let credential = self.dice.below(self.credentials.len());
            headers.insert(AUTHORIZATION, self.credentials[credential].clone());
        }
        headers
    }

    fn method(&mut self, own: &Method) -> Method {
        let others = ["PATCH", "TRACE", "OPTIONS", "BREW", "HEAD", "PUT", "DELETE", "POST"];
        match self.dice.below(10) {
            0 => Method::from_bytes(self.one(&others).as_bytes()).unwrap(),
            _ => own.clone(),
        }
    }
}

fn credentials() -> Vec<HeaderValue> {
    let invented = Secret::generate(Kind::ApiKey).unwrap();
    let session = Secret::generate(Kind::Session).unwrap();
    let texts = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "bearer attelage_key_",
        "Basic YTpi",
        "Bearer attelage_key_zz",
        &format!("Bearer {}", invented.reveal()),
        &format!("Bearer {}", session.reveal()),
        &format!("Bearer {}", "a".repeat(5_000)),
    ];
    let mut credentials: Vec<HeaderValue> = texts.iter().map(|text| text.parse().unwrap()).collect();
    credentials.push(HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap());
    credentials
}

/// Whether a path has the parts of a template, none of them empty.
fn fits(template: &str, path: &str) -> bool {
    let parts = path.trim_start_matches('/').split('/');
    template.split('/').count() == path.split('/').count() && parts.into_iter().all(|part| !part.is_empty())
}

/// Sends `count` requests, operations taking turns; how many got which status.
async fn throw(client: &Client, count: usize, seed: u64) -> BTreeMap<u16, usize> {
    let operations = operations();
    let mut corpus = Corpus { dice: Dice(seed), credentials: credentials() };
    let mut statuses = BTreeMap::new();
    for operation in operations.iter().cycle().take(count) {
        let (path, query) = (corpus.path(&operation.path), corpus.query());
        let headers = corpus.headers(operation);
        let method = corpus.method(&operation.method);
        // NUL is refused first, wherever it stands; the document says so of its own operations only.
        let is_one_of_ours = method == operation.method && fits(&operation.path, &path);
        let target = if is_one_of_ours { path + &query } else { (path + &query).replace("%00", "0") };
        let example = operation.example.clone().unwrap_or_else(|| json!({ "name": "x" }));
        let body =
            if operation.example.is_some() || corpus.dice.below(6) == 0 { corpus.body(&example) } else { Vec::new() };
        // Checked against the document; of what is not in it, only a 404 or a 405 is allowed.
        let answer = client.send_raw(method, &target, headers, body).await;
        assert!(answer.status < 500, "{answer:?}");
        *statuses.entry(answer.status).or_default() += 1;
        if answer.status >= 400 {
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
    statuses
}

on_both_engines! {
    async fn what_is_malformed_is_refused_with_a_problem_and_never_breaks_the_service(engine) {
        let app = spawn(engine).await;
        sample::market(&app).await;
        // Both engines, and two who ask: half each of ten thousand in all.
        let count = size(250, 2_500);
        let seed = if engine == Engine::Sqlite { 0x9E37_79B9_7F4A_7C15 } else { 0x2545_F491_4F6C_DD1D };
        let mut statuses = throw(&app, count, seed).await;
        for (status, number) in throw(&app.anonymous(), count, seed.rotate_left(17)).await {
            *statuses.entry(status).or_default() += number;
        }
        let refused: usize = statuses.range(400..).map(|(_, number)| number).sum();
        assert!(refused * 10 > count * 2 * 7, "the corpus is too kind: {statuses:?}");
        app.get("/v1/organisations").await.expect(200);
    }
}
