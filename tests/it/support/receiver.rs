//! A receiver of webhooks on a port of its own: it keeps what it is sent, and answers as a test says.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::sha2::{Digest as _, Sha256};
use serde_json::Value;

/// What it was sent.
#[derive(Clone, Debug)]
pub struct Received {
    /// Where on the receiver.
    pub path: String,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// Byte for byte.
    pub body: Vec<u8>,
    /// What it answered.
    pub status: u16,
}

impl Received {
    /// The event.
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether one of its signatures is that of a secret, `whsec_…`.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let message = [format!("{}.{}.", self.id, self.timestamp).into_bytes(), self.body.clone()].concat();
        let own = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &message)));
        self.signature.split(' ').any(|signature| signature == own)
    }
}

/// HMAC-SHA256 as RFC 2104 writes it, for keys that are no longer than a block: apart from the code under test.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

/// How it answers: by what it is sent, and how often it was sent that before.
pub type Behaviour = Box<dyn Fn(&Value, usize) -> u16 + Send + Sync>;

struct State {
    received: Mutex<Vec<Received>>,
    behaviour: Mutex<Behaviour>,
}

/// A receiver, until it is dropped.
pub struct Receiver {
    base: String,
    state: Arc<State>,
    handle: ServerHandle,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Receiver {
    /// Starts it; it takes everything.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State { received: Mutex::default(), behaviour: Mutex::new(Box::new(|_, _| 204)) });
        let data = Data::from(Arc::clone(&state));
        let app = move || App::new().app_data(data.clone()).default_service(web::to(receive));
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).expect("it listens").run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { base, state, handle }
    }

    /// Has it answer in another way from now on.
    pub fn behaves(&self, behaviour: impl Fn(&Value, usize) -> u16 + Send + Sync + 'static) {
        *self.state.behaviour.lock().unwrap() = Box::new(behaviour);
    }

    /// An address on it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What it was sent until now.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// What it has accepted.
    pub fn accepted(&self) -> Vec<Received> {
        self.received().into_iter().filter(|one| one.status < 300).collect()
    }

    /// Waits until it was sent what `enough` asks for; fails as [`eventually`].
    pub async fn until(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        eventually(async || enough(&self.state.received.lock().unwrap()).then_some(())).await;
        self.received()
    }
}

/// What `look` finds as soon as it finds something; fails after five minutes, which a busy machine may need.
pub async fn eventually<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(5);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it does not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn receive(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        value.unwrap_or_default()
    };
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut received = state.received.lock().unwrap();
    let before = received.iter().filter(|one| one.id == header("webhook-id") && one.path == request.path()).count();
    let status = state.behaviour.lock().unwrap()(&event, before);
    received.push(Received {
        path: request.path().to_owned(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: body.to_vec(),
        status,
    });
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    response.insert_header((LOCATION, "/elsewhere")).body("what the receiver says")
}
