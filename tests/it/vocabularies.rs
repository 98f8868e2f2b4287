//! Services, publics and modalities.

use serde_json::json;

use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, places};
use crate::support::service::spawn;

const SERVICES: &str = "/v1/vocabularies/services/terms";

on_both_engines! {
    async fn the_product_ships_its_terms_with_their_crosswalks(engine) {
        let app = spawn(engine).await;
        for (vocabulary, count) in [("services", 21), ("publics", 20), ("modalities", 6)] {
            let page = app.get(&format!("/v1/vocabularies/{vocabulary}/terms?limit=100")).await.expect(200);
            assert_eq!(page["items"].as_array().unwrap().len(), count, "{vocabulary}");
        }
        let term = app.get(&format!("{SERVICES}/equipment-distribution")).await.expect(200);
        assert_eq!(term["parent"], "equipment");
        assert_eq!(term["label_fr"], "Matériel à prix solidaire");
        assert_eq!(term["crosswalks"]["data_inclusion"], json!(["numerique--acquerir-un-equipement"]));
        assert_eq!(term["crosswalks"]["cpv"], json!(["30200000-1", "30213100-6"]));
    }

    async fn a_term_is_created_read_replaced_and_deleted(engine) {
        let app = spawn(engine).await;
        let path = format!("{SERVICES}/training-repair");
        let body = json!({ "parent": "training", "label_en": "Repair", "label_fr": "Réparation" });
        let term = app.put_new(&path, body.clone()).await.expect(201);
        assert_eq!((term.etag(), &term["version"], &term["code"]), ("\"1\"", &json!(1), &json!("training-repair")));
        assert_eq!(term["crosswalks"], json!({ "mediation_numerique": [], "data_inclusion": [], "cpv": [] }));

        let mut other = body;
        other["label_en"] = json!("Repair café");
        let replaced = app.put(&path, term.etag(), other).await.expect(200);
        assert_eq!((replaced.etag(), &replaced["label_en"]), ("\"2\"", &json!("Repair café")));
        assert_eq!(app.get(&path).await.expect(200).body, replaced.body);

        app.delete(&path, replaced.etag()).await.expect(204);
        app.get(&path).await.problem(404);
        app.delete(&path, replaced.etag()).await.problem(404);
    }

    async fn the_same_code_in_two_vocabularies_names_two_terms(engine) {
        let app = spawn(engine).await;
        let body = json!({ "label_en": "Other", "label_fr": "Autre" });
        for vocabulary in ["services", "publics", "modalities"] {
            app.put_new(&format!("/v1/vocabularies/{vocabulary}/terms/other"), body.clone()).await.expect(201);
        }
    }

    async fn a_term_stays_out_of_its_own_branch(engine) {
        let app = spawn(engine).await;
        let root = app.get(&format!("{SERVICES}/training")).await.expect(200);
        for parent in ["training", "training-certified"] {
            let body = json!({ "parent": parent, "label_en": "Training", "label_fr": "Formation" });
            let problem = app.put(&format!("{SERVICES}/training"), root.etag(), body).await.problem(422);
            assert_eq!(places(&problem), ["/parent"], "{parent}");
        }
        let body = json!({ "parent": "no-such-term", "label_en": "New", "label_fr": "Nouveau" });
        assert_eq!(places(&app.put_new(&format!("{SERVICES}/new"), body).await.problem(422)), ["/parent"]);
        app.get(&format!("{SERVICES}/new")).await.problem(404);
        assert_eq!(app.get(&format!("{SERVICES}/training")).await.expect(200).body, root.body);
    }

    async fn a_term_that_something_refers_to_is_not_deleted(engine) {
        let app = spawn(engine).await;
        sample::market(&app).await;
        for code in ["training", "training-daily-tools"] {
            app.delete(&format!("{SERVICES}/{code}"), "\"1\"").await.problem(409);
            app.get(&format!("{SERVICES}/{code}")).await.expect(200);
        }
    }

    async fn a_rule_of_a_call_keeps_the_terms_and_territories_it_names(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        app.put_new("/v1/territories/elsewhere", json!({ "name": "Ailleurs", "kind": "commune" })).await.expect(201);
        let mut call = sample::call(&market.funder);
        call["eligibility"] = json!([
            { "code": "certified", "criterion": "credential", "credential": "qualiopi", "scope": "performer",
              "services": ["support-home"] },
            { "code": "local", "criterion": "home_territory", "territory": "elsewhere", "scope": "any_member" },
        ]);
        sample::created(&app, "/v1/calls", call).await;
        app.delete(&format!("{SERVICES}/support-home"), "\"1\"").await.problem(409);
        app.delete("/v1/territories/elsewhere", "\"1\"").await.problem(409);
    }

    async fn a_home_territory_is_not_deleted_under_its_organisation(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let body = json!({ "name": "Les Voisins", "home_territories": [sample::SOUTH] });
        sample::created(&app, "/v1/organisations", body).await;
        app.delete(&format!("/v1/territories/{}", sample::SOUTH), "\"1\"").await.problem(409);
        app.delete(&format!("/v1/territories/{METROPOLE}"), "\"1\"").await.problem(409);
        app.delete(&format!("/v1/territories/{}", sample::NORTH), "\"1\"").await.expect(204);
    }
}

#[actix_web::test]
async fn a_bad_code_and_an_unknown_vocabulary_are_refused() {
    let app = spawn(crate::support::database::Engine::Sqlite).await;
    let body = json!({ "label_en": "New", "label_fr": "Nouveau" });
    for code in ["a%20b", "%C3%A9", &"a".repeat(65)] {
        let problem = app.put_new(&format!("{SERVICES}/{code}"), body.clone()).await.problem(422);
        assert_eq!(places(&problem), ["code"], "{code}");
    }
    assert_eq!(places(&app.get("/v1/vocabularies/colours/terms").await.problem(400)), ["path"]);
}
