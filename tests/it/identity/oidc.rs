//! Signing in with an identity provider that speaks the real protocol.

use attelage::identity::entrance::Settings;
use attelage::identity::oidc;
use attelage::server::Setup;
use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use serde_json::json;

use crate::support::app::{Answer, Client};
use crate::support::database::Engine;
use crate::support::issuer::{CALLBACK, CLIENT, Issuer, Key, SECRET};
use crate::support::on_both_engines;
use crate::support::people::{PASSWORD, execute, person, scalar, sign_in};
use crate::support::service::{App, setup, spawn, spawn_with};

/// What an installation and a provider have agreed.
pub fn agreed(issuer: &str) -> oidc::Settings {
    oidc::Settings::new(issuer, CLIENT, SECRET, CALLBACK, "email profile").expect("settings that can be used")
}

/// A service whose people may come from `issuer`.
pub async fn trusting(engine: Engine, issuer: &Issuer) -> App {
    spawn_with(
        engine,
        Setup { entrance: Settings { oidc: Some(agreed(issuer.base())), ..Settings::default() }, ..setup() },
    )
    .await
}

/// The cookie of this name that an answer sets, `name=value`.
pub fn cookie<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let cookies = answer.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.filter_map(|cookie| cookie.split(';').next());
    pairs.find(|pair| pair.split_once('=').is_some_and(|(found, value)| found == name && !value.is_empty()))
}

/// Leaves for the provider and is sent back: path and query of the callback, and the cookie that waits for it.
pub async fn travelled(client: &Client, issuer: &Issuer) -> (String, String) {
    let left = client.anonymous().get("/v1/oidc/authorize").await.expect(302);
    let back = issuer.visit(left.header("location")).await;
    (back, cookie(&left, "__Host-attelage-oidc").expect("what is remembered").to_owned())
}

/// Comes back from the provider.
pub async fn returned(client: &Client, back: &str, cookie: &str) -> Answer {
    let headers = [(COOKIE, cookie.parse().unwrap())];
    client.anonymous().get_with(back, HeaderMap::from_iter(headers)).await
}

/// Goes the whole way.
pub async fn came(client: &Client, issuer: &Issuer) -> Answer {
    let (back, cookie) = travelled(client, issuer).await;
    returned(client, &back, &cookie).await
}

/// The client of a session that an answer has opened.
pub fn inside(client: &Client, answer: &Answer) -> Client {
    client.with_cookie(cookie(answer, "__Host-attelage").expect("a session"))
}

on_both_engines! {
    async fn whoever_the_provider_vouches_for_gets_an_account_and_finds_it_again(engine) {
        let issuer = Issuer::start(Key::rsa());
        let app = trusting(engine, &issuer).await;
        let first = came(&app, &issuer).await.expect(200);
        assert_eq!(first["current"], json!(true));
        let me = inside(&app, &first).get("/v1/me").await.expect(200);
        assert_eq!(me["person"]["email"], json!("camille@example.org"));
        assert_eq!((&me["person"]["name"], &me["administrator"]), (&json!("Camille"), &json!(false)));
        // The provider knows the person by the subject, whatever else changes.
        issuer.script().person = json!({ "sub": "248289761001", "email": "elsewhere@example.org", "email_verified": false });
        let second = came(&app, &issuer).await.expect(200);
        assert_eq!(inside(&app, &second).get("/v1/me").await.expect(200)["person"], me["person"]);
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM person").await, 1);
        let nothing_to_guess = json!({ "email": "camille@example.org", "password": "" });
        app.anonymous().post("/v1/sessions", nothing_to_guess).await.problem(401);
    }

    async fn the_browser_is_sent_off_with_a_challenge_and_a_sealed_cookie(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        let left = app.anonymous().get("/v1/oidc/authorize").await.expect(302);
        let location = left.header("location").to_owned();
        assert!(location.contains("code_challenge_method=S256") && location.contains("scope=openid+email+profile"), "{location}");
        let set = left.header("set-cookie").to_owned();
        let mut attributes: Vec<&str> = set.split("; ").skip(1).collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Lax", "Secure"]);
        let state = location.split("state=").nth(1).unwrap().split('&').next().unwrap();
        assert!(!set.contains(state), "sealed: {set}");
        let again = app.anonymous().get("/v1/oidc/authorize").await.expect(302);
        assert_ne!(again.header("location"), location);
        assert_eq!(issuer.script().discoveries, 1, "what is published is read once");
        let (back, cookie) = travelled(&app, &issuer).await;
        let answer = returned(&app, &back, &cookie).await.expect(200);
        let cookies: Vec<&str> = answer.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect();
        assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-attelage=attelage_session_") && cookie.contains("SameSite=Strict")));
        assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-attelage-oidc=;") && cookie.contains("Max-Age=0")));
    }

    async fn a_provider_that_takes_another_key_is_understood_at_once(engine) {
        let issuer = Issuer::start(Key::rsa());
        let app = trusting(engine, &issuer).await;
        came(&app, &issuer).await.expect(200);
        issuer.rotate(Key::p256());
        came(&app, &issuer).await.expect(200);
        came(&app, &issuer).await.expect(200);
        assert_eq!(issuer.script().discoveries, 2, "read again once");
    }

    async fn what_the_token_does_not_tell_is_asked_for_and_may_be_signed(engine) {
        for signed in [false, true] {
            let issuer = Issuer::start(Key::rsa());
            let app = trusting(engine, &issuer).await;
            issuer.script().person = json!({ "sub": "1" });
            let more = json!({ "sub": "1", "given_name": "Camille", "usual_name": "Martin", "email": "c@example.org", "email_verified": true });
            issuer.script().more = Some((more, signed));
            let answer = came(&app, &issuer).await.expect(200);
            let me = inside(&app, &answer).get("/v1/me").await.expect(200);
            assert_eq!((&me["person"]["name"], &me["person"]["email"]), (&json!("Camille Martin"), &json!("c@example.org")));
        }
    }

    async fn an_address_that_is_taken_is_not_taken_over_but_linked_by_its_owner(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        let camille = person(&app, "camille@example.org").await;
        let problem = came(&app, &issuer).await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("/v1/me/oidc-link"), "{problem}");
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM person WHERE oidc_subject IS NOT NULL").await, 0);

        let departure = camille.post("/v1/me/oidc-link", json!({})).await.expect(200);
        let back = issuer.visit(departure["location"].as_str().unwrap()).await;
        let waiting = cookie(&departure, "__Host-attelage-oidc").unwrap().to_owned();
        let linked = returned(&app, &back, &waiting).await.expect(200);
        assert!(cookie(&linked, "__Host-attelage").is_none(), "the session is the one that there was");
        let by_provider = inside(&app, &came(&app, &issuer).await.expect(200));
        let by_password = sign_in(&app, "camille@example.org", PASSWORD).await;
        let who = by_password.get("/v1/me").await.expect(200)["person"].clone();
        assert_eq!(by_provider.get("/v1/me").await.expect(200)["person"], who);
    }

    async fn an_account_is_linked_once_and_only_while_its_owner_is_signed_in(engine) {
        let issuer = Issuer::start(Key::p256());
        let app = trusting(engine, &issuer).await;
        app.anonymous().post("/v1/me/oidc-link", json!({})).await.problem(401);
        app.post("/v1/me/oidc-link", json!({})).await.problem(403);
        let link = async |client: &Client| {
            let departure = client.post("/v1/me/oidc-link", json!({})).await.expect(200);
            let back = issuer.visit(departure["location"].as_str().unwrap()).await;
            (back, cookie(&departure, "__Host-attelage-oidc").unwrap().to_owned())
        };
        let (camille, dominique) = (person(&app, "c@example.org").await, person(&app, "d@example.org").await);
        for status in [200, 200] {
            let (back, waiting) = link(&camille).await;
            returned(&app, &back, &waiting).await.expect(status);
        }
        let (back, waiting) = link(&dominique).await;
        returned(&app, &back, &waiting).await.problem(409);
        issuer.script().person = json!({ "sub": "another" });
        let (back, waiting) = link(&camille).await;
        returned(&app, &back, &waiting).await.problem(409);
        let (back, waiting) = link(&dominique).await;
        execute(&app, "DELETE FROM session", []).await;
        returned(&app, &back, &waiting).await.problem(401);
    }

    async fn without_a_provider_there_is_no_such_way(engine) {
        let app = spawn(engine).await;
        app.get("/v1/oidc/authorize").await.problem(404);
        app.get("/v1/oidc/callback?code=x&state=y").await.problem(404);
        person(&app, "c@example.org").await.post("/v1/me/oidc-link", json!({})).await.problem(404);
    }
}
