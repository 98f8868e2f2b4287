//! Searching the directory: by words, by what organisations offer, by certificate and family, in two orders.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, NORTH, SOUTH, created, places};
use crate::support::service::{App, spawn};

async fn names(app: &App, query: &str) -> Vec<String> {
    let page = app.anonymous().get(&format!("/v1/organisations?{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn organisation(app: &App, name: &str, more: Value) -> String {
    let mut body = json!({ "name": name });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    created(app, "/v1/organisations", body).await
}

async fn offer(app: &App, organisation: &str, services: &[&str], territories: &[&str], more: Value) {
    let mut body = json!({ "organisation": organisation, "services": services, "territories": territories });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    created(app, "/v1/capabilities", body).await;
}

/// Four organisations that differ in one thing each.
async fn town(app: &App) {
    sample::territories(app).await;
    let beyond = json!({ "name": "Ailleurs", "kind": "commune" });
    app.put_new("/v1/territories/99001", beyond).await.expect(201);
    let ecole = organisation(
        app,
        "École du Nord",
        json!({ "aliases": ["EdN"], "legal_form": "9220",
        "credentials": [{ "code": "qualiopi", "valid_from": "2020-01-01", "valid_to": "2099-12-31" }] }),
    )
    .await;
    offer(
        app,
        &ecole,
        &["training-daily-tools"],
        &[NORTH],
        json!({ "publics": ["seniors"], "modalities": ["workshop"] }),
    )
    .await;
    let atelier = organisation(
        app,
        "Atelier",
        json!({ "legal_form": "5710",
        "credentials": [{ "code": "qualiopi", "valid_to": "2020-12-31" }] }),
    )
    .await;
    offer(app, &atelier, &["equipment-refurbishing"], &[METROPOLE], json!({})).await;
    let loin = organisation(app, "Zèbre au loin", json!({})).await;
    offer(
        app,
        &loin,
        &["training-security"],
        &["99001"],
        json!({ "publics": ["visual-impairment"], "modalities": ["remote"] }),
    )
    .await;
    let ancienne = organisation(app, "Ancienne", json!({})).await;
    offer(app, &ancienne, &["training"], &[METROPOLE], json!({ "valid_from": "2019-01-01", "valid_to": "2020-12-31" }))
        .await;
}

on_both_engines! {
    async fn a_service_stands_for_the_finer_ones(engine) {
        let app = spawn(engine).await;
        town(&app).await;
        assert_eq!(names(&app, "service=training").await, ["École du Nord", "Zèbre au loin"], "and not what has ended");
        assert_eq!(names(&app, "service=training-daily-tools").await, ["École du Nord"]);
        assert_eq!(names(&app, "service=equipment").await, ["Atelier"]);
        for nothing in ["service=coordination", "service=none", "service=seniors"] {
            assert_eq!(names(&app, nothing).await, [""; 0], "{nothing}");
        }
    }

    async fn a_territory_is_served_from_within_and_from_above(engine) {
        let app = spawn(engine).await;
        town(&app).await;
        assert_eq!(names(&app, &format!("territory={NORTH}")).await, ["École du Nord", "Atelier"]);
        assert_eq!(names(&app, &format!("territory={SOUTH}")).await, ["Atelier"]);
        assert_eq!(names(&app, &format!("territory={METROPOLE}")).await, ["École du Nord", "Atelier"]);
        assert_eq!(names(&app, "territory=99001").await, ["Zèbre au loin"]);
        assert_eq!(names(&app, "territory=99002").await, [""; 0]);
    }

    async fn a_public_is_served_in_part_whole_or_with_others(engine) {
        let app = spawn(engine).await;
        town(&app).await;
        assert_eq!(names(&app, "public=seniors").await, ["École du Nord", "Atelier"], "who names nobody serves all");
        assert_eq!(names(&app, "public=disabled").await, ["Atelier", "Zèbre au loin"], "a part of it");
        assert_eq!(names(&app, "public=everyone").await, ["École du Nord", "Atelier", "Zèbre au loin"]);
        assert_eq!(names(&app, "public=nobody").await, [""; 0]);
        assert_eq!(names(&app, "modality=remote").await, ["Atelier", "Zèbre au loin"]);
        assert_eq!(names(&app, "modality=telepathy").await, [""; 0]);
    }

    async fn filters_add_up_on_one_capability(engine) {
        let app = spawn(engine).await;
        town(&app).await;
        assert_eq!(names(&app, &format!("service=training&public=seniors&territory={NORTH}&modality=workshop")).await, ["École du Nord"]);
        assert_eq!(names(&app, &format!("service=training&public=seniors&territory={SOUTH}")).await, [""; 0]);
        // Two capabilities do not make one.
        let both = organisation(&app, "Les deux", json!({})).await;
        offer(&app, &both, &["support-home"], &[NORTH], json!({})).await;
        offer(&app, &both, &["coordination"], &[SOUTH], json!({})).await;
        assert_eq!(names(&app, &format!("service=support&territory={NORTH}")).await, ["Les deux"]);
        assert_eq!(names(&app, &format!("service=support&territory={SOUTH}")).await, [""; 0]);
    }

    async fn words_are_found_in_any_order_and_a_certificate_while_it_lasts(engine) {
        let app = spawn(engine).await;
        town(&app).await;
        for query in ["name=NORD%20ecole", "name=edn", "name=%C3%A9c%20nor"] {
            assert_eq!(names(&app, query).await, ["École du Nord"], "{query}");
        }
        assert_eq!(names(&app, "name=ecole%20sud").await, [""; 0]);
        assert_eq!(names(&app, "credential=qualiopi").await, ["École du Nord"], "the other has expired");
        assert_eq!(names(&app, "legal_family=company&service=equipment").await, ["Atelier"]);
        assert_eq!(names(&app, "legal_family=association&service=equipment").await, [""; 0]);
    }

    async fn a_list_by_name_goes_on_where_it_stopped(engine) {
        let app = spawn(engine).await;
        town(&app).await;
        // The same name twice: their ids tell them apart.
        organisation(&app, "ATELIER", json!({})).await;
        let sorted = ["Ancienne", "Atelier", "ATELIER", "École du Nord", "Zèbre au loin"];
        assert_eq!(names(&app, "sort=name").await, sorted);
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/v1/organisations?sort=name&limit=1{cursor}")).await.expect(200);
            found.push(page["items"][0]["name"].as_str().unwrap().to_owned());
            let Some(next) = page.body.get("next").and_then(Value::as_str) else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, sorted);
        let first = app.get("/v1/organisations?sort=name&limit=1").await.expect(200);
        let other = format!("/v1/organisations?limit=1&cursor={}", first["next"].as_str().unwrap());
        assert_eq!(places(&app.get(&other).await.problem(400)), ["cursor"], "another order is another list");
        // A new name is a new place.
        let atelier = app.get("/v1/organisations?name=atelier&legal_family=company").await.expect(200);
        let path = format!("/v1/organisations/{}", atelier["items"][0]["id"].as_str().unwrap());
        app.put(&path, "\"1\"", json!({ "name": "Zz" })).await.expect(200);
        assert_eq!(names(&app, "sort=name").await.last().unwrap(), "Zz");
    }

    async fn what_one_may_not_read_one_cannot_search_or_sort_by(engine) {
        let app = spawn(engine).await;
        for query in ["turnover_cents=1", "volunteers=3", "unit_cost_cents=1", "sort=turnover_cents", "capacity_per_year=1"] {
            assert_eq!(places(&app.get(&format!("/v1/organisations?{query}")).await.problem(400)), ["query"], "{query}");
        }
    }
}
