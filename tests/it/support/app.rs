//! A running service on a database of its own, and a client that believes nothing it has not checked.

use std::net::TcpListener;
use std::ops::{Deref, Index};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, ETAG, HeaderMap, HeaderName, IF_MATCH};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::contract::{Document, Exchange, PROBLEM};
use super::database::{Engine, Template, TestDatabase};

/// A running service with its client. The service is told to end before its database goes: fields drop in this order.
pub struct TestApp<S> {
    client: Client,
    /// Keeps the service running until it is dropped.
    _service: S,
    pub database: TestDatabase,
}

impl<S> TestApp<S> {
    /// Copies a database from `template` and lets `serve` start the service on it, given the database's URL and a
    /// loopback listener on a free port.
    pub async fn start(
        engine: Engine,
        template: &Template,
        document: Arc<Document>,
        serve: impl AsyncFnOnce(String, TcpListener) -> (S, Option<String>),
    ) -> Self {
        let database = template.database(engine).await;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (service, key) = serve(database.url(), listener).await;
        Self { client: Client::new(base, document, key), _service: service, database }
    }
}

impl<S> Deref for TestApp<S> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Speaks to one service. Panics with the violations when a response is not what the document says.
#[derive(Clone)]
pub struct Client {
    base: String,
    document: Arc<Document>,
    http: reqwest::Client,
    credential: Option<(HeaderName, String)>,
    /// Microseconds that it and its copies have waited for answers.
    waited: Arc<AtomicU64>,
}

/// A client that believes everything, and goes where `redirects` says.
pub fn http(redirects: Policy) -> reqwest::Client {
    // No test speaks TLS, but a client is not made without it. Only fails where the process has one already.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().redirect(redirects).build().expect("a client")
}

impl Client {
    /// A client of the service at `base` (`http://host:port`), with a key or as nobody.
    pub fn new(base: String, document: Arc<Document>, key: Option<String>) -> Self {
        let credential = key.map(|key| (AUTHORIZATION, format!("Bearer {key}")));
        // A redirect is an answer.
        Self { base, document, http: http(Policy::none()), credential, waited: Arc::default() }
    }

    /// What it sends to say who asks; empty for nobody.
    pub fn credential(&self) -> &str {
        self.credential.as_ref().map_or("", |(_, value)| value)
    }

    /// The same client of the service at another address.
    pub fn at(&self, base: String) -> Self {
        Self { base, ..self.clone() }
    }

    /// The same client as nobody.
    pub fn anonymous(&self) -> Self {
        Self { credential: None, ..self.clone() }
    }

    /// The same client with a key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { credential: Some((AUTHORIZATION, format!("Bearer {key}"))), ..self.clone() }
    }

    /// The same client in the session of a person who has signed in: `cookie` as `Set-Cookie` gave it.
    pub fn with_cookie(&self, cookie: &str) -> Self {
        let pair = cookie.split(';').next().unwrap_or_default().to_owned();
        Self { credential: Some((COOKIE, pair)), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.answer(self.request(Method::POST, path).json(&body)).await
    }

    /// Creates something at a path that the caller chooses.
    pub async fn put_new(&self, path: &str, body: Value) -> Answer {
        self.answer(self.request(Method::PUT, path).json(&body)).await
    }

    /// Replaces what `etag` is the version of.
    pub async fn put(&self, path: &str, etag: &str, body: Value) -> Answer {
        self.answer(self.request(Method::PUT, path).header(IF_MATCH, etag).json(&body)).await
    }

    /// Deletes what `etag` is the version of.
    pub async fn delete(&self, path: &str, etag: &str) -> Answer {
        self.answer(self.request(Method::DELETE, path).header(IF_MATCH, etag)).await
    }

    /// Sends exactly these bytes: what a well-behaved client would not.
    pub async fn send_raw(&self, method: Method, path: &str, headers: HeaderMap, body: impl Into<Vec<u8>>) -> Answer {
        self.answer(self.request(method, path).headers(headers).body(body.into())).await
    }

    /// Reads with headers of the caller's.
    pub async fn get_with(&self, path: &str, headers: HeaderMap) -> Answer {
        self.answer(self.request(Method::GET, path).headers(headers)).await
    }

    /// Posts with headers of the caller's.
    pub async fn post_with(&self, path: &str, headers: HeaderMap, body: Value) -> Answer {
        self.answer(self.request(Method::POST, path).headers(headers).json(&body)).await
    }

    /// Sends a body of this type.
    pub async fn post_text(&self, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type.parse().expect("a media type"))]);
        self.send_raw(Method::POST, path, headers, body).await
    }

    /// How long this client, its copies and whoever they became have waited for the service, answers added up.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.waited.load(Ordering::Relaxed))
    }

    /// Where the service listens, `http://host:port`, for what is not in the document.
    pub fn base(&self) -> &str {
        &self.base
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.credential {
            Some((name, value)) => request.header(name, value),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Answer {
        let request = request.build().expect("a request that can be sent");
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let start = Instant::now();
        let response = self.http.execute(request).await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"));
        let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited.fetch_add(waited, Ordering::Relaxed);
        let exchange = Exchange { method: &method, path: &path, status, headers: &headers, body: &bytes };
        let body = self.document.check(&exchange).unwrap_or_else(|violations| panic!("{violations}"));
        Answer { request: format!("{method} {path}"), status, headers, body }
    }
}

/// A response that the document allows.
#[derive(Debug)]
pub struct Answer {
    request: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// JSON as it is, other text as a string, nothing as null.
    pub body: Value,
}

impl Answer {
    /// Goes on if the status is `status`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {:#}", self.request, self.body);
        self
    }

    /// The problem in the answer, if the status is `status` and it has every member that our problems have: `type`, a
    /// URL or a path; `title`; `status`, the same as outside; `request_id`; and each of `errors`, if any, a `detail` and
    /// its place: a `pointer` into the body, or the name of a `parameter`.
    #[track_caller]
    pub fn problem(self, status: u16) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem.header(CONTENT_TYPE.as_str()), PROBLEM);
        let (request, problem) = (problem.request, problem.body);
        assert_eq!(problem["status"], json!(status), "{request} says one status and sends another: {problem:#}");
        for member in ["type", "title", "request_id"] {
            assert!(is_said(&problem[member]), "{request}: the problem has no {member}: {problem:#}");
        }
        assert!(problem.get("detail").is_none_or(is_said), "{request}: an empty detail: {problem:#}");
        for error in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let is_pointer = |text: &str| text.is_empty() || text.starts_with('/');
            let has_place = error["pointer"].as_str().is_some_and(is_pointer) != is_said(&error["parameter"]);
            assert!(has_place && is_said(&error["detail"]), "{request}: an error points nowhere: {problem:#}");
        }
        problem
    }

    /// The problem in the answer, whichever it is, if the fault is the client's.
    #[track_caller]
    pub fn problem_of_client(self) -> Value {
        assert!((400..500).contains(&self.status), "{} answered {} {:#}", self.request, self.status, self.body);
        let status = self.status;
        self.problem(status)
    }

    /// The value of a header that must be there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("{} sent no header {name}", self.request));
        value.to_str().expect("visible ASCII")
    }

    /// The version to send back to `put` and `delete`.
    #[track_caller]
    pub fn etag(&self) -> &str {
        self.header(ETAG.as_str())
    }
}

/// `answer["name"]` is a member of the body.
impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, member: &str) -> &Value {
        &self.body[member]
    }
}

fn is_said(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.trim().is_empty())
}

mod tests;
