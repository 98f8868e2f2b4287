//! The tree of places.

use serde_json::json;

use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, NORTH, SOUTH, everything, places};
use crate::support::service::{App, spawn};

async fn codes(app: &App, query: &str) -> Vec<String> {
    let page = app.get(&format!("/v1/territories?{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect()
}

on_both_engines! {
    async fn a_territory_is_created_read_replaced_and_deleted(engine) {
        let app = spawn(engine).await;
        let body = json!({
            "name": "Saint-Fons", "kind": "commune", "population": 19_000, "latitude": 45.7, "longitude": 4.85,
            "indicators": { "fragility": 0.62, "residents-qpv": 7000 }
        });
        let territory = app.put_new("/v1/territories/69199", body).await.expect(201);
        assert_eq!((territory.etag(), &territory["code"]), ("\"1\"", &json!("69199")));
        assert_eq!(territory["indicators"]["fragility"], json!(0.62));
        let read = app.get("/v1/territories/69199").await.expect(200);
        assert_eq!((&read.body, read.etag()), (&territory.body, "\"1\""));

        let replaced = app.put("/v1/territories/69199", "\"1\"", json!({ "name": "Saint-Fons", "kind": "commune" })).await;
        let replaced = replaced.expect(200);
        assert_eq!((replaced.etag(), replaced.body.get("population")), ("\"2\"", None));
        app.delete("/v1/territories/69199", "\"2\"").await.expect(204);
        app.get("/v1/territories/69199").await.problem(404);
    }

    async fn a_list_is_narrowed_by_parent_kind_and_name(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        app.put_new("/v1/territories/69123", json!({ "name": "L’Étang-d’Âne", "kind": "commune" })).await.expect(201);
        assert_eq!(codes(&app, &format!("parent={METROPOLE}")).await, [SOUTH, NORTH]);
        assert_eq!(codes(&app, "kind=metropole").await, [METROPOLE]);
        assert_eq!(codes(&app, "name=l%27etang%20d%20ANE").await, ["69123"]);
        assert_eq!(codes(&app, "name=etang").await, [""; 0]);
        let wildcard = app.get("/v1/territories?name=%25").await.problem(400);
        assert_eq!(wildcard["errors"][0]["parameter"], "name", "a wildcard of the database is punctuation here");
    }

    async fn codes_sort_alike_on_both_engines(engine) {
        let app = spawn(engine).await;
        for code in ["a", "B", "10", "9", "a-b", "ab", "A", "_", "a.c", "a:c"] {
            app.put_new(&format!("/v1/territories/{code}"), json!({ "name": "x", "kind": "district" })).await.expect(201);
        }
        assert_eq!(codes(&app, "limit=100").await, ["10", "9", "A", "B", "_", "a", "a-b", "a.c", "a:c", "ab"]);
    }

    async fn cyclic_territories_are_refused_and_nothing_changes(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        app.put_new("/v1/territories/D1", json!({ "name": "Quartier", "kind": "district", "parent": NORTH })).await.expect(201);
        let before = everything(&app).await;
        for parent in [METROPOLE, NORTH, "D1"] {
            let body = json!({ "name": "Métropole", "kind": "metropole", "parent": parent });
            let problem = app.put(&format!("/v1/territories/{METROPOLE}"), "\"1\"", body).await.problem(422);
            assert_eq!(places(&problem), ["/parent"], "{parent}");
        }
        let own_parent = json!({ "name": "Seul", "kind": "district", "parent": "D2" });
        assert_eq!(places(&app.put_new("/v1/territories/D2", own_parent).await.problem(422)), ["/parent"]);
        assert_eq!(everything(&app).await, before);
    }

    async fn two_moves_that_would_close_a_cycle_together_are_not_both_made(engine) {
        let app = spawn(engine).await;
        let put = async |code: &str, version: usize, parent: &str| {
            let body = json!({ "name": code, "kind": "district", "parent": parent });
            app.put(&format!("/v1/territories/{code}"), &format!("\"{version}\""), body).await.status
        };
        for round in 0..8 {
            let (a, b) = (format!("A{round}"), format!("B{round}"));
            for code in [&a, &b] {
                let root = json!({ "name": code, "kind": "district" });
                app.put_new(&format!("/v1/territories/{code}"), root).await.expect(201);
            }
            let mut statuses = <[u16; 2]>::from(tokio::join!(put(&a, 1, &b), put(&b, 1, &a)));
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 422], "round {round}");
        }
    }

    async fn a_territory_that_something_refers_to_is_not_deleted(engine) {
        let app = spawn(engine).await;
        sample::market(&app).await;
        app.delete(&format!("/v1/territories/{METROPOLE}"), "\"1\"").await.problem(409);
        app.get(&format!("/v1/territories/{METROPOLE}")).await.expect(200);
    }
}

#[actix_web::test]
async fn every_fault_of_a_territory_is_told_at_once() {
    let app = spawn(crate::support::database::Engine::Sqlite).await;
    let body = json!({ "name": "", "kind": "village", "population": -1, "latitude": 91, "shape": [] });
    let problem = app.put_new("/v1/territories/X", body).await.problem(422);
    assert_eq!(places(&problem), ["/kind", "/latitude", "/name", "/population", "/shape"]);
    let body = json!({ "name": "X", "kind": "commune", "parent": "nowhere", "longitude": 4.8 });
    let problem = app.put_new("/v1/territories/a%20b", body).await.problem(422);
    assert_eq!(places(&problem), ["code", "/latitude", "/parent"]);
    app.get("/v1/territories/X").await.problem(404);
}
