//! An identity provider that speaks `OpenID` Connect: it publishes what it is, sends browsers back with codes, takes each code once from
//! whoever shows the verifier, and signs what it says. It believes as little as a real one; a test may tell it to lie.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::dev::ServerHandle;
use actix_web::http::header::{AUTHORIZATION, LOCATION};
use actix_web::web::{self, Data, Form, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer as _;
use reqwest::redirect::Policy;
use rsa::sha2::{Digest as _, Sha256};
use rsa::signature::SignatureEncoding as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::app::http;

pub const CLIENT: &str = "attelage";
pub const SECRET: &str = "known to both: tr0ub4dor & co";
pub const CALLBACK: &str = "http://127.0.0.1:9/v1/oidc/callback";

/// A key to sign with, and its name.
#[derive(Clone)]
pub struct Key {
    id: String,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Rsa(Box<rsa::pkcs1v15::SigningKey<Sha256>>, rsa::RsaPublicKey),
    P256(p256::ecdsa::SigningKey),
}

impl Key {
    /// Signs as RS256. Made once per process: that takes a while.
    pub fn rsa() -> Self {
        static PRIVATE: LazyLock<rsa::RsaPrivateKey> =
            LazyLock::new(|| rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key"));
        let pair = Pair::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(PRIVATE.clone())), PRIVATE.to_public_key());
        Self { id: Uuid::new_v4().to_string(), pair }
    }

    /// Signs as ES256.
    pub fn p256() -> Self {
        let seed = Sha256::digest(Uuid::new_v4().as_bytes());
        let pair = Pair::P256(p256::ecdsa::SigningKey::from_slice(&seed).expect("a key"));
        Self { id: Uuid::new_v4().to_string(), pair }
    }

    /// Another key that goes by the same name.
    pub fn forged(&self) -> Self {
        Self { id: self.id.clone(), ..Self::p256() }
    }

    fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(..) => "RS256",
            Pair::P256(_) => "ES256",
        }
    }

    fn published(&self) -> Value {
        let mut key = json!({ "kid": self.id, "use": "sig", "alg": self.algorithm() });
        let members = match &self.pair {
            Pair::Rsa(_, public) => {
                json!({ "kty": "RSA", "n": encoded(public.n().to_bytes_be()), "e": encoded(public.e().to_bytes_be()) })
            }
            Pair::P256(pair) => {
                let point = pair.verifying_key().to_sec1_point(false);
                let bytes = point.as_bytes();
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(&bytes[1..33]), "y": encoded(&bytes[33..]) })
            }
        };
        key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        key
    }

    fn token(&self, claims: &Value) -> String {
        let header = json!({ "alg": self.algorithm(), "kid": self.id, "typ": "JWT" });
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature = match &self.pair {
            Pair::Rsa(pair, _) => rsa::signature::Signer::sign(pair.as_ref(), signed.as_bytes()).to_vec(),
            Pair::P256(pair) => {
                let signature: p256::ecdsa::Signature = pair.sign(signed.as_bytes());
                signature.to_bytes().to_vec()
            }
        };
        format!("{signed}.{}", encoded(signature))
    }
}

/// What it says, and to whom.
pub struct Script {
    /// The key that it publishes.
    pub published: Key,
    /// The key that it signs with.
    pub signs: Key,
    /// Who is at the browser: claims of the identity token.
    pub person: Value,
    /// Members to put over those of the identity token: lies. Null takes one out.
    pub lies: Value,
    /// What it tells beyond, and whether it signs that; nothing where absent.
    pub more: Option<(Value, bool)>,
    /// Whether people let it send them back.
    pub consents: bool,
    /// Whether it has a bad day: codes are answered with an error of its own.
    pub fails: bool,
    /// How often its metadata were read.
    pub discoveries: usize,
    grants: HashMap<String, Grant>,
}

#[derive(Clone)]
struct Grant {
    nonce: String,
    challenge: String,
    access: String,
    is_used: bool,
}

/// A provider on a port of its own, until it is dropped.
pub struct Issuer {
    base: String,
    script: Arc<Mutex<Script>>,
    handle: ServerHandle,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Issuer {
    /// Starts it, with somebody whose address it has verified.
    pub fn start(key: Key) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::new(Mutex::new(Script {
            published: key.clone(),
            signs: key,
            person: json!({ "sub": "248289761001", "email": "Camille@Example.org", "email_verified": true, "name": "Camille" }),
            lies: json!({}),
            more: None,
            consents: true,
            fails: false,
            discoveries: 0,
            grants: HashMap::new(),
        }));
        let state = Data::new(State { base: base.clone(), script: Arc::clone(&script) });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/.well-known/openid-configuration", web::get().to(configuration))
                .route("/keys", web::get().to(keys))
                .route("/authorize", web::get().to(authorize))
                .route("/token", web::post().to(token))
                .route("/userinfo", web::get().to(userinfo))
        });
        let server = server.workers(1).listen(listener).expect("a listener").run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { base, script, handle }
    }

    /// Its URL, which is its name.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What it says, to be changed.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Forgets which codes were used: what a real one must not do.
    pub fn allow_codes_again(&self) {
        self.script().grants.values_mut().for_each(|grant| grant.is_used = false);
    }

    /// Takes another key, and forgets the one before.
    pub fn rotate(&self, key: Key) {
        let mut script = self.script();
        script.published = key.clone();
        script.signs = key;
    }

    /// Does what a browser does with a `location` of the service: goes there, and is sent back. Gives path and query of the callback.
    pub async fn visit(&self, location: &str) -> String {
        assert!(location.starts_with(&format!("{}/authorize?", self.base)), "elsewhere: {location}");
        let answer = http(Policy::none()).get(location).send().await.unwrap();
        let status = answer.status().as_u16();
        let back = answer.headers().get(LOCATION.as_str()).map(|place| place.to_str().unwrap().to_owned());
        let Some(back) = back else { panic!("{status}: {}", answer.text().await.unwrap_or_default()) };
        back.strip_prefix("http://127.0.0.1:9").expect("the callback").to_owned()
    }
}

struct State {
    base: String,
    script: Arc<Mutex<Script>>,
}

async fn configuration(state: Data<State>) -> HttpResponse {
    let base = &state.base;
    let mut script = state.script.lock().unwrap();
    script.discoveries += 1;
    HttpResponse::Ok().json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        // The last one would let whoever knows the client's secret sign tokens.
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "keys": [state.script.lock().unwrap().published.published()] }))
}

async fn authorize(state: Data<State>, query: Query<HashMap<String, String>>) -> HttpResponse {
    let expected = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", CALLBACK),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in expected {
        if query.get(name).map(String::as_str) != Some(value) {
            return HttpResponse::BadRequest().body(format!("{name} must be {value}"));
        }
    }
    let (Some(nonce), Some(sent), Some(challenge)) =
        (query.get("nonce"), query.get("state"), query.get("code_challenge"))
    else {
        return HttpResponse::BadRequest().body("nonce, state and code_challenge are missing");
    };
    if !query.get("scope").is_some_and(|scope| scope.split(' ').any(|scope| scope == "openid")) {
        return HttpResponse::BadRequest().body("not OpenID Connect");
    }
    let mut script = state.script.lock().unwrap();
    let answer = if script.consents {
        let code = Uuid::new_v4().to_string();
        let access = Uuid::new_v4().to_string();
        let grant = Grant { nonce: nonce.clone(), challenge: challenge.clone(), access, is_used: false };
        script.grants.insert(code.clone(), grant);
        format!("code={code}")
    } else {
        "error=access_denied".to_owned()
    };
    let issuer = state.base.replace(':', "%3A").replace('/', "%2F");
    HttpResponse::Found().insert_header((LOCATION, format!("{CALLBACK}?{answer}&state={sent}&iss={issuer}"))).finish()
}

async fn token(state: Data<State>, request: HttpRequest, form: Form<HashMap<String, String>>) -> HttpResponse {
    // RFC 6749: both are form-encoded before they are joined.
    let basic =
        STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace(':', "%3A").replace('&', "%26").replace(' ', "+")));
    if request.headers().get(AUTHORIZATION).is_none_or(|sent| sent.to_str().ok() != Some(&format!("Basic {basic}"))) {
        return HttpResponse::Unauthorized().json(json!({ "error": "invalid_client" }));
    }
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let mut script = state.script.lock().unwrap();
    if script.fails {
        return HttpResponse::InternalServerError().body("<h1>Oops</h1>");
    }
    let shown = encoded(Sha256::digest(field("code_verifier")));
    let grant = script.grants.get_mut(field("code")).filter(|grant| !grant.is_used && grant.challenge == shown);
    let is_right = field("grant_type") == "authorization_code" && field("redirect_uri") == CALLBACK;
    let Some(grant) = grant.filter(|_| is_right) else {
        return HttpResponse::BadRequest().json(json!({ "error": "invalid_grant" }));
    };
    grant.is_used = true;
    let Grant { nonce, access, .. } = grant.clone();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": state.base, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce,
        "at_hash": encoded(&Sha256::digest(&access)[..16]),
    });
    for (name, value) in script.person.as_object().into_iter().chain(script.lies.as_object()).flatten() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let token = script.signs.token(&claims);
    HttpResponse::Ok()
        .json(json!({ "access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": token }))
}

async fn userinfo(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let script = state.script.lock().unwrap();
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = script.grants.values().any(|grant| sent == format!("Bearer {}", grant.access));
    match &script.more {
        _ if !is_known => HttpResponse::Unauthorized().finish(),
        None => HttpResponse::NotFound().finish(),
        Some((more, false)) => HttpResponse::Ok().json(more),
        Some((more, true)) => {
            let mut more = more.clone();
            more["iss"] = json!(state.base);
            more["aud"] = json!(CLIENT);
            HttpResponse::Ok().content_type("application/jwt").body(script.signs.token(&more))
        }
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
