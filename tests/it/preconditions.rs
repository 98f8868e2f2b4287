//! `ETag` and `If-Match`: nobody overwrites what they have not seen.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, IF_MATCH};
use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::{self, NORTH, created, everything, places};
use crate::support::service::{App, spawn};

/// A resource of each kind, with a body that replaces it.
async fn resources(app: &App) -> Vec<(String, Value)> {
    let market = sample::market(app).await;
    let relation = json!({ "a": market.school, "b": market.workshop, "kind": "network", "strength_percent": 5 });
    let relation_id = created(app, "/v1/relations", relation.clone()).await;
    vec![
        (format!("/v1/organisations/{}", market.school), json!({ "name": "École" })),
        (format!("/v1/capabilities/{}", market.generalist_offers[0]), sample::devices(&market.generalist, 1, 1)),
        (format!("/v1/relations/{relation_id}"), relation),
        (format!("/v1/calls/{}", market.call), sample::call(&market.funder)),
        (format!("/v1/territories/{NORTH}"), json!({ "name": "Nord", "kind": "commune" })),
        ("/v1/vocabularies/publics/terms/seniors".to_owned(), json!({ "label_en": "Elders", "label_fr": "Aînés" })),
    ]
}

on_both_engines! {
    async fn a_write_without_the_version_or_with_an_old_one_changes_nothing(engine) {
        let app = spawn(engine).await;
        for (path, body) in resources(&app).await {
            let before = everything(&app).await;
            app.put_new(&path, body.clone()).await.problem(428);
            app.send_raw(Method::DELETE, &path, HeaderMap::new(), "").await.problem(428);
            app.put(&path, "\"7\"", body.clone()).await.problem(412);
            app.delete(&path, "\"7\"").await.problem(412);
            assert_eq!(everything(&app).await, before, "{path}");

            assert_eq!(app.put(&path, "\"1\"", body.clone()).await.expect(200).etag(), "\"2\"", "{path}");
            app.put(&path, "\"1\"", body.clone()).await.problem(412);
            app.delete(&path, "\"1\"").await.problem(412);
            assert_eq!(app.get(&path).await.expect(200).etag(), "\"2\"");
        }
    }

    async fn an_entity_tag_is_one_of_ours_or_a_400(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let path = format!("/v1/organisations/{}", market.school);
        for etag in ["1", "*", "W/\"1\"", "\"1\", \"2\"", "\"one\"", "\"\"", "\"99999999999999999999\""] {
            let problem = app.put(&path, etag, json!({ "name": "École" })).await.problem(400);
            assert_eq!(places(&problem), ["If-Match"], "{etag}");
            assert_eq!(places(&app.delete(&path, etag).await.problem(400)), ["If-Match"], "{etag}");
        }
        // Bytes that are no text.
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse().unwrap())]);
        headers.insert(IF_MATCH, reqwest::header::HeaderValue::from_bytes(b"\"\xff\"").unwrap());
        let problem = app.send_raw(Method::PUT, &path, headers, r#"{"name":"x"}"#).await.problem(400);
        assert_eq!(places(&problem), ["If-Match"]);
    }

    async fn a_version_of_nothing_is_a_404(engine) {
        let app = spawn(engine).await;
        for (path, body) in resources(&app).await {
            let absent = match path.rsplit_once('/').unwrap() {
                (list, id) if id.len() == 36 => format!("{list}/019e0000-0000-7000-8000-000000000000"),
                (list, _) => format!("{list}/none"),
            };
            app.put(&absent, "\"1\"", body).await.problem(404);
            app.delete(&absent, "\"1\"").await.problem(404);
        }
    }
}
