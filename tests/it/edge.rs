//! What surrounds every answer: headers for browsers, other sites, and whom to tell of a vulnerability.

use attelage::edge::Settings;
use attelage::server::Setup;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};

use crate::support::database::Engine;
use crate::support::service::{App, setup, spawn, spawn_with};

const SHOP: &str = "https://shop.example";

async fn open_to(origin: &str) -> App {
    let edge = Settings { cors_origins: vec![origin.to_owned()], ..Settings::default() };
    spawn_with(Engine::Sqlite, Setup { edge, ..setup() }).await
}

/// What a browser asks before a page of `origin` may replace something.
async fn preflight(app: &App, origin: &str) -> Response {
    reqwest::Client::new()
        .request(Method::OPTIONS, format!("{}/v1/organisations/019e0000-0000-7000-8000-000000000000", app.base()))
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization,content-type,if-match")
        .send()
        .await
        .unwrap()
}

fn from(origin: &str) -> HeaderMap {
    HeaderMap::from_iter([(reqwest::header::ORIGIN, origin.parse().unwrap())])
}

fn allowed(headers: &HeaderMap) -> Option<&str> {
    headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

#[actix_web::test]
async fn pages_of_other_sites_may_not_call_unless_it_is_said() {
    let app = spawn(Engine::Sqlite).await;
    let refused = preflight(&app, SHOP).await;
    assert_eq!((refused.status().as_u16(), allowed(refused.headers())), (405, None));
    assert_eq!(allowed(&app.get_with("/v1/calls", from(SHOP)).await.expect(200).headers), None);
}

#[actix_web::test]
async fn a_site_that_is_listed_may_call_with_a_key_and_read_what_a_client_acts_on() {
    let app = open_to(SHOP).await;
    let granted = preflight(&app, SHOP).await;
    assert_eq!((granted.status().as_u16(), allowed(granted.headers())), (200, Some(SHOP)));
    let list = |name: &str| granted.headers()[name].to_str().unwrap().to_ascii_lowercase();
    let methods = list("access-control-allow-methods");
    assert!(["get", "post", "put", "delete"].iter().all(|method| methods.contains(method)), "{methods}");
    let headers = list("access-control-allow-headers");
    let sent = ["authorization", "content-type", "idempotency-key", "if-match", "prefer"];
    assert!(sent.iter().all(|name| headers.contains(name)), "{headers}");
    assert!(!granted.headers().contains_key("access-control-allow-credentials"), "cookies stay at home");

    let read = app.get_with("/v1/calls", from(SHOP)).await.expect(200);
    assert_eq!(allowed(&read.headers), Some(SHOP));
    let exposed = read.header("access-control-expose-headers").to_ascii_lowercase();
    assert!(["etag", "link", "location", "retry-after", "ratelimit"].iter().all(|name| exposed.contains(name)));
    assert!(read.header("vary").to_ascii_lowercase().contains("origin"));
    // A page learns why it was refused, too.
    let refused = app.get_with("/v1/calls/none", from(SHOP)).await;
    assert_eq!(allowed(&refused.headers), Some(SHOP));
    refused.problem(400);
}

#[actix_web::test]
async fn a_site_that_is_not_listed_is_told_so_in_a_problem() {
    let app = open_to(SHOP).await;
    let refused = preflight(&app, "https://other.example").await;
    assert_eq!((refused.status().as_u16(), allowed(refused.headers())), (403, None));
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert!(refused.headers().contains_key("x-request-id"));
    let problem: serde_json::Value = serde_json::from_slice(&refused.bytes().await.unwrap()).unwrap();
    assert_eq!(problem["type"], "/problems/forbidden");
    assert_eq!(allowed(&app.get_with("/v1/calls", from("https://other.example")).await.expect(200).headers), None);
}

#[actix_web::test]
async fn every_site_may_call_where_that_is_said() {
    let app = open_to("*").await;
    assert_eq!(allowed(preflight(&app, SHOP).await.headers()), Some("*"));
    let read = app.get_with("/v1/calls", from(SHOP)).await.expect(200);
    assert_eq!(allowed(&read.headers), Some("*"));
    assert!(!read.headers.contains_key("access-control-allow-credentials"));
}

#[actix_web::test]
async fn browsers_are_told_to_load_nothing_frame_nothing_and_keep_nothing() {
    let app = spawn(Engine::Sqlite).await;
    let http = reqwest::Client::new();
    for path in ["/healthz", "/v1/calls", "/nowhere", "/problems/invalid", "/docs/", "/docs/swagger-ui-bundle.js"] {
        let answer = http.get(format!("{}{path}", app.base())).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
            assert!(policy.split("; ").any(|own| own == rule), "{path}: {policy}");
        }
        assert_eq!(policy.contains("script-src 'self'"), path.starts_with("/docs/"), "{path}: {policy}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(header(name), value, "{path}");
        }
        assert!(header("permissions-policy").contains("geolocation=()"), "{path}");
        assert!(!answer.headers().contains_key("strict-transport-security"), "{path}");
    }
}

/// The policy forbids inline scripts: the page must not need any.
#[actix_web::test]
async fn the_reference_page_has_no_script_in_its_text() {
    let app = spawn(Engine::Sqlite).await;
    let page = reqwest::get(format!("{}/docs/", app.base())).await.unwrap().text().await.unwrap();
    let scripts: Vec<&str> = page.split("<script").skip(1).collect();
    assert!(scripts.len() >= 2, "{page}");
    for script in scripts {
        let (attributes, rest) = script.split_once('>').unwrap();
        assert!(attributes.contains("src=\"./") && rest.trim_start().starts_with("</script>"), "{script}");
    }
    assert!(!page.contains("<style") && !page.contains(" onload"), "{page}");
}

#[actix_web::test]
async fn a_service_that_is_found_under_https_says_so_for_a_year() {
    let edge = Settings { public_url: Some("https://attelage.example".to_owned()), ..Settings::default() };
    let app = spawn_with(Engine::Sqlite, Setup { edge, ..setup() }).await;
    let answer = app.get("/v1/calls").await.expect(200);
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
}

#[actix_web::test]
async fn whom_to_tell_of_a_vulnerability_is_said_where_somebody_is_to_be_told() {
    let path = "/.well-known/security.txt";
    spawn(Engine::Sqlite).await.get(path).await.problem(404);
    let edge = Settings {
        public_url: Some("https://attelage.example".to_owned()),
        security_contact: Some("mailto:security@attelage.example".to_owned()),
        ..Settings::default()
    };
    let app = spawn_with(Engine::Sqlite, Setup { edge, ..setup() }).await;
    let answer = app.anonymous().get(path).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let text = answer.body.as_str().unwrap();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    assert_eq!(field("Contact: "), "mailto:security@attelage.example");
    assert_eq!(field("Canonical: "), "https://attelage.example/.well-known/security.txt");
    assert_eq!(field("Preferred-Languages: "), "fr, en");
    let expires: DateTime<Utc> = field("Expires: ").parse().unwrap();
    assert!((TimeDelta::days(178)..TimeDelta::days(365)).contains(&(expires - Utc::now())), "{expires}");
}
