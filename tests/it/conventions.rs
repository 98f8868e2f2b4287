//! What holds on every path: problems, ids, pages, headers, methods.

use std::collections::BTreeSet;

use attelage::openapi;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample::{self, created, places};
use crate::support::service::{App, spawn};

const NOBODY: &str = "019e0000-0000-7000-8000-000000000000";

/// Every path of the document with something in the place of its parameters, and its methods.
fn operations() -> Vec<(String, BTreeSet<String>)> {
    let document: Value = serde_json::from_str(&openapi::document().to_json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let filled = |path: &str| {
        path.replace("{id}", NOBODY)
            .replace("{vocabulary}", "services")
            .replace("{code}", "none")
            .replace("{kind}", "none")
            .replace("{person}", NOBODY)
            .replace("{invitation}", NOBODY)
            .replace("{reservation}", NOBODY)
            .replace("{delivery}", NOBODY)
            .replace("{token}", "none")
            .replace("{organisation}", NOBODY)
    };
    paths.iter().map(|(path, item)| (filled(path), item.as_object().unwrap().keys().cloned().collect())).collect()
}

async fn send(app: &App, method: &str, path: &str) -> crate::support::app::Answer {
    app.send_raw(Method::from_bytes(method.as_bytes()).unwrap(), path, HeaderMap::new(), "").await
}

#[actix_web::test]
async fn what_is_not_there_is_a_404_and_always_the_same() {
    let app = spawn(Engine::Sqlite).await;
    for path in [
        "/",
        "/v1",
        "/v2/calls",
        "/v1/",
        "/v1/calls/",
        "//v1/calls",
        "/v1/organisation",
        "/healthz/x",
        "/problems/none",
    ] {
        app.get(path).await.problem(404);
    }
    for (path, methods) in operations().iter().filter(|(path, _)| path.contains(NOBODY) || path.ends_with("none")) {
        if methods.contains("get") {
            let mut problem = app.get(path).await.problem(404);
            problem["request_id"] = json!("");
            let expected =
                json!({ "type": "/problems/not-found", "title": "Nothing is here", "status": 404, "request_id": "" });
            assert_eq!(problem, expected, "{path}");
        }
    }
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_have_is_a_405_that_lists_those_it_has() {
    let app = spawn(Engine::Sqlite).await;
    for (path, methods) in operations() {
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"] {
            if !methods.contains(&method.to_ascii_lowercase()) {
                let answer = send(&app, method, &path).await.expect(405);
                let allowed: BTreeSet<String> =
                    answer.header("allow").split(", ").map(str::to_ascii_lowercase).collect();
                assert_eq!(allowed, methods, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn an_id_that_is_none_and_a_query_that_says_too_much_are_a_400() {
    let app = spawn(Engine::Sqlite).await;
    for path in ["/v1/organisations/42", "/v1/calls/none", "/v1/runs/%20", "/v1/imports/1/faults"] {
        assert_eq!(places(&app.get(path).await.problem(400)), ["path"], "{path}");
    }
    for list in
        ["organisations", "capabilities", "relations", "calls", "territories", "imports", "vocabularies/services/terms"]
    {
        for query in ["colour=blue", "limit=many", "limit=-1", "limit=1&limit=2"] {
            assert_eq!(
                places(&app.get(&format!("/v1/{list}?{query}")).await.problem(400)),
                ["query"],
                "{list}?{query}"
            );
        }
        for query in ["limit=0", "limit=101"] {
            assert_eq!(
                places(&app.get(&format!("/v1/{list}?{query}")).await.problem(400)),
                ["limit"],
                "{list}?{query}"
            );
        }
        for cursor in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%FF"] {
            let problem = app.get(&format!("/v1/{list}?cursor={cursor}")).await.problem(400);
            assert_eq!(places(&problem), ["cursor"], "{list}?cursor={cursor}");
        }
    }
}

#[actix_web::test]
async fn nul_in_a_path_or_a_query_is_refused() {
    let app = spawn(Engine::Sqlite).await;
    for (path, place) in [
        ("/v1/territories/a%00b", "path"),
        ("/v1/organisations?name=%00", "query"),
        ("/v1/organisations?%00=1", "query"),
    ] {
        let answer = app.get(path).await;
        let id = answer.header("x-request-id").to_owned();
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let problem = answer.problem(400);
        assert_eq!((places(&problem), &problem["request_id"]), (vec![place], &json!(id)), "{path}");
    }
}

#[actix_web::test]
async fn bytes_of_a_path_that_are_no_text_find_nothing() {
    let app = spawn(Engine::Sqlite).await;
    for path in ["/v1/territories/%FF%FE", "/v1/territories?name=%FF", "/v1/organisations?identifier=%C3%28"] {
        let status = app.get(path).await.status;
        assert!([200, 400, 404].contains(&status), "{path} → {status}");
    }
}

#[actix_web::test]
async fn every_answer_has_a_request_id_of_its_own_and_the_headers_of_a_careful_service() {
    let app = spawn(Engine::Sqlite).await;
    let mut seen = BTreeSet::new();
    for (method, path) in [
        ("GET", "/healthz"),
        ("GET", "/v1/calls"),
        ("GET", "/nowhere"),
        ("GET", "/v1/calls/none"),
        ("PATCH", "/v1/calls"),
        ("POST", "/v1/calls"),
        ("GET", "/v1/calls?colour=blue"),
        ("GET", "/problems/invalid"),
    ] {
        let answer = send(&app, method, path).await;
        for (header, value) in
            [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")]
        {
            assert_eq!(answer.header(header), value, "{method} {path}");
        }
        let id = answer.header("x-request-id").to_owned();
        if answer.status >= 400 {
            assert_eq!(answer["request_id"], json!(id), "{method} {path}");
        }
        assert!(seen.insert(id), "{method} {path} repeats a request id");
    }
}

#[actix_web::test]
async fn the_type_of_every_problem_opens_a_page_in_both_languages() {
    let app = spawn(Engine::Sqlite).await;
    for kind in attelage::problem::Kind::ALL {
        let entry = kind.entry();
        let english = app.get(&format!("/problems/{}", entry.slug)).await.expect(200);
        let accept = HeaderMap::from_iter([(HeaderName::from_static("accept-language"), "fr-FR, en".parse().unwrap())]);
        let french = app.get_with(&format!("/problems/{}", entry.slug), accept).await.expect(200);
        assert!(english.header("content-security-policy").starts_with("default-src 'none'"));
        let starts = |answer: &crate::support::app::Answer, lang: &str, title: &str| {
            let page = answer.body.as_str().unwrap();
            page.starts_with(&format!("<!doctype html><html lang=\"{lang}\">"))
                && page.contains(&format!("<title>{title}</title>"))
        };
        assert!(starts(&english, "en", entry.title) && starts(&french, "fr", entry.title_fr), "{}", entry.slug);
    }
}

#[actix_web::test]
async fn the_reference_page_needs_nothing_from_outside() {
    let app = spawn(Engine::Sqlite).await;
    let http = crate::support::app::http(reqwest::redirect::Policy::default());
    let page = http.get(format!("{}/docs", app.base())).send().await.unwrap();
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/docs/"));
    let html = page.text().await.unwrap();
    let is_file = |text: &&str| matches!(text.rsplit_once('.'), Some((_, "js" | "css")));
    let sources: Vec<&str> = html.split(['"', '\'']).filter(is_file).collect();
    assert!(!sources.is_empty() && !html.contains("https://") && !html.contains("http://"), "{html}");
    for source in sources {
        let file = http.get(format!("{}/docs/{}", app.base(), source.trim_start_matches("./"))).send().await.unwrap();
        assert_eq!(file.status().as_u16(), 200, "{source}");
    }
    let served = app.get("/openapi.json").await.expect(200).body;
    assert_eq!((&served["openapi"], &served["info"]["version"]), (&json!("3.1.0"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(
        app.get("/healthz").await.expect(200).body,
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })
    );
}

/// The pages of a list, by their cursors; each time, the `Link` header says the same.
async fn pages(app: &App, list: &str, query: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut path = format!("{list}?{query}limit=2");
    loop {
        let page = app.get(&path).await.expect(200);
        pages.push(page["items"].as_array().unwrap().clone());
        let Some(next) = page.body.get("next").and_then(Value::as_str) else {
            assert!(page.headers.get("link").is_none());
            return pages;
        };
        path = format!("{list}?{query}limit=2&cursor={next}");
        assert_eq!(page.header("link"), format!("<{path}>; rel=\"next\""));
    }
}

/// Five territories, each with one fault.
const NAMELESS: &str = "code,name,kind,parent\nT1,,commune,\nT2,,commune,\nT3,,commune,\nT4,,commune,\nT5,,commune,\n";

on_both_engines! {
    async fn pages_follow_each_other_without_gap_or_repetition(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        created(&app, "/v1/organisations", json!({ "name": "Une de plus" })).await;
        for other in [&market.workshop, &market.generalist, &market.funder] {
            let body = json!({ "a": market.school, "b": other, "kind": "network", "strength_percent": 1 });
            created(&app, "/v1/relations", body).await;
            created(&app, "/v1/calls", sample::call(&market.funder)).await;
        }
        for _ in 0..3 {
            app.post_text("/v1/imports?kind=territories", "text/csv", NAMELESS).await.expect(201);
        }
        let import = app.get("/v1/imports?limit=1").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
        for (list, query, count) in [
            ("/v1/organisations", "", 5_usize), ("/v1/capabilities", "service=training-daily-tools&", 2), ("/v1/relations", "", 3),
            ("/v1/calls", "kind=grant&", 4), ("/v1/territories", "", 3), ("/v1/vocabularies/modalities/terms", "", 6),
            ("/v1/imports", "", 3), (&format!("/v1/imports/{import}/faults"), "", 5),
        ] {
            let pages = pages(&app, list, query).await;
            let items: Vec<Value> = pages.concat();
            assert_eq!((items.len(), pages.len()), (count, count.div_ceil(2)), "{list}");
            let whole = app.get(&format!("{list}?{query}limit=100")).await.expect(200);
            assert_eq!(whole["items"], Value::Array(items), "{list}");
        }
    }

    async fn a_cursor_serves_only_the_list_and_filters_it_came_from(engine) {
        let app = spawn(engine).await;
        sample::market(&app).await;
        let first = app.get("/v1/organisations?limit=1").await.expect(200);
        let cursor = first["next"].as_str().unwrap();
        app.get(&format!("/v1/organisations?limit=3&cursor={cursor}")).await.expect(200);
        for other in [format!("/v1/organisations?name=a&cursor={cursor}"), format!("/v1/capabilities?cursor={cursor}")] {
            assert_eq!(places(&app.get(&other).await.problem(400)), ["cursor"], "{other}");
        }
        let elsewhere = spawn(engine).await;
        let problem = elsewhere.get(&format!("/v1/organisations?cursor={cursor}")).await.problem(400);
        assert_eq!(places(&problem), ["cursor"], "another installation has another key");
    }
}
