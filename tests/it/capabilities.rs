//! What actors can deliver.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, NORTH, SOUTH, created, everything, places};
use crate::support::service::spawn;

const PATH: &str = "/v1/capabilities";
const NOBODY: &str = "019e0000-0000-7000-8000-000000000000";

/// A capability with a value in every member, lists in the order of their codes.
fn complete(organisation: &str) -> Value {
    json!({
        "organisation": organisation, "title": "Ateliers du soir", "services": ["training-daily-tools", "training-security"],
        "publics": ["job-seekers", "seniors"], "territories": [SOUTH, NORTH], "modalities": ["remote", "workshop"],
        "unit": "hour", "capacity_per_year": 400, "unit_cost_cents": 3_200, "fixed_cost_cents": 20_000,
        "minimum_quantity": 10, "evidence": "referenced", "valid_from": "2026-01-01", "valid_to": "2030-12-31"
    })
}

on_both_engines! {
    async fn everything_written_comes_back(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let organisation = sample::organisation(&app, "Soir").await;
        let written = complete(&organisation);
        let answer = app.post(PATH, written.clone()).await.expect(201);
        for (member, value) in written.as_object().unwrap() {
            assert_eq!(&answer[member.as_str()], value, "{member}");
        }
        let read = app.get(answer.header("location")).await.expect(200);
        assert_eq!((&read.body, read.etag()), (&answer.body, "\"1\""));
    }

    async fn the_unknown_stays_unknown(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let organisation = sample::organisation(&app, "Discret").await;
        let body = json!({ "organisation": organisation, "services": ["support-home"], "territories": [NORTH] });
        let answer = app.post(PATH, body).await.expect(201);
        for member in ["unit", "capacity_per_year", "unit_cost_cents", "title", "valid_from"] {
            assert_eq!(answer.body.get(member), None, "{member}");
        }
        assert_eq!((&answer["fixed_cost_cents"], &answer["evidence"]), (&json!(0), &json!("declared")));
    }

    async fn a_capability_is_replaced_and_deleted_but_never_changes_hands(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let organisation = sample::organisation(&app, "Soir").await;
        let other = sample::organisation(&app, "Matin").await;
        let path = format!("{PATH}/{}", created(&app, PATH, complete(&organisation)).await);
        let moved = complete(&other);
        assert_eq!(places(&app.put(&path, "\"1\"", moved).await.problem(422)), ["/organisation"]);
        let replaced = app.put(&path, "\"1\"", sample::hours(&organisation, 10, 1)).await.expect(200);
        assert_eq!((replaced.etag(), &replaced["territories"], &replaced["publics"]), ("\"2\"", &json!([METROPOLE]), &json!([])));
        app.delete(&path, "\"2\"").await.expect(204);
        app.get(&path).await.problem(404);
    }

    async fn a_list_is_narrowed_by_organisation_service_public_and_territory(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let id = created(&app, PATH, complete(&market.school)).await;
        for query in ["public=seniors", "service=training-security", &format!("territory={SOUTH}"), &format!("organisation={}&public=seniors", market.school)] {
            let page = app.get(&format!("{PATH}?{query}")).await.expect(200);
            let ids: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
            assert_eq!(ids, [&json!(id)], "{query}");
        }
        // A code of another vocabulary names nothing here.
        assert_eq!(app.get(&format!("{PATH}?service=seniors")).await.expect(200)["items"], json!([]));
    }

    async fn unknown_codes_are_refused_where_they_stand(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let before = everything(&app).await;
        let body = json!({
            "organisation": market.school, "services": ["training-daily-tools", "yoga"], "publics": ["everyone", "cats"],
            "territories": [NORTH, "99999", NORTH], "modalities": ["dance"]
        });
        let expected = ["/services/1", "/publics/1", "/modalities/0", "/territories/1", "/territories/2"];
        assert_eq!(places(&app.post(PATH, body).await.problem(422)), expected);
        let body = json!({ "organisation": NOBODY, "services": ["training"], "territories": [NORTH] });
        assert_eq!(places(&app.post(PATH, body).await.problem(422)), ["/organisation"]);
        assert_eq!(everything(&app).await, before);
    }
}

#[actix_web::test]
async fn negative_quantities_and_dates_out_of_order_are_refused() {
    let app = spawn(crate::support::database::Engine::Sqlite).await;
    let market = sample::market(&app).await;
    let before = everything(&app).await;
    let mut negative = complete(&market.school);
    for member in ["capacity_per_year", "unit_cost_cents", "fixed_cost_cents", "minimum_quantity"] {
        negative[member] = json!(-1);
    }
    let expected = ["/capacity_per_year", "/fixed_cost_cents", "/minimum_quantity", "/unit_cost_cents"];
    assert_eq!(places(&app.post(PATH, negative).await.problem(422)), expected);

    let mut backwards = complete(&market.school);
    backwards["valid_to"] = json!("2025-12-31");
    backwards["unit"] = Value::Null;
    assert_eq!(places(&app.post(PATH, backwards).await.problem(422)), ["/valid_to", "/unit"]);

    let empty = json!({ "organisation": market.school, "services": [], "territories": [] });
    assert_eq!(places(&app.post(PATH, empty).await.problem(422)), ["/services", "/territories"]);
    assert_eq!(everything(&app).await, before);
}
