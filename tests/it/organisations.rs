//! Actors and funders.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::{self, created, everything, noise, places, siren, siret};
use crate::support::service::{App, spawn};

const PATH: &str = "/v1/organisations";

async fn names(app: &App, query: &str) -> Vec<String> {
    let page = app.get(&format!("{PATH}?{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// An organisation with a value in every member; it refers to `other`.
fn complete(other: &str) -> Value {
    json!({
        "name": "Les Passeurs du Clic", "aliases": ["Passeurs", "LPC"],
        "identifiers": [{ "scheme": "siren", "id": siren(7) }, { "scheme": "siret", "id": siret(7, 1) },
            { "scheme": "rna", "id": "W691000000" }, { "scheme": "vat", "id": "FR32812000007" }],
        "legal_form": "9220", "legal_family": "association", "economic_model": "hybrid",
        "resource_mix": { "subsidies_percent": 60, "contracts_percent": 20, "sales_percent": 10,
            "sponsorship_percent": 5, "in_kind_percent": 5 },
        "size": "micro", "full_time_equivalents": 7.5, "volunteers": 30, "home_territories": [sample::NORTH, sample::SOUTH],
        "credentials": [{ "code": "qualiopi", "number": "Q-1", "valid_from": "2026-01-01", "valid_to": "2028-12-31",
            "evidence": "verified" }],
        "links": [{ "to": other, "kind": "subsidiary", "shares_credentials": true, "shares_capacity": false }],
        "website": "https://passeurs.example", "description": "Ateliers à Nord et Sud.", "contact": "bonjour@passeurs.example",
        "source": "Entretien", "fresh_on": "2026-10-01", "illustrative": true,
        "turnover_cents": 31_000_000, "available_cash_cents": 2_000_000
    })
}

on_both_engines! {
    async fn everything_written_comes_back(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let other = sample::organisation(&app, "Clic et Compagnie").await;
        let written = complete(&other);
        let answer = app.post(PATH, written.clone()).await.expect(201);
        let id = answer["id"].as_str().unwrap();
        assert_eq!((answer.header("location"), answer.etag()), (format!("{PATH}/{id}").as_str(), "\"1\""));
        for (member, value) in written.as_object().unwrap() {
            assert_eq!(&answer[member.as_str()], value, "{member}");
        }
        let read = app.get(&format!("{PATH}/{id}")).await.expect(200);
        assert_eq!((&read.body, read.etag()), (&answer.body, "\"1\""));
        assert_eq!(app.get(&format!("{PATH}?name=passeurs")).await.expect(200)["items"][0], answer.body);
    }

    async fn a_replacement_leaves_nothing_of_the_version_before(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let other = sample::organisation(&app, "Clic et Compagnie").await;
        let first = app.post(PATH, complete(&other)).await.expect(201);
        let path = first.header("location").to_owned();
        let second = app.put(&path, first.etag(), json!({ "name": "Les Passeurs" })).await.expect(200);
        assert_eq!((second.etag(), &second["created_at"]), ("\"2\"", &first["created_at"]));
        for member in ["aliases", "identifiers", "home_territories", "credentials", "links"] {
            assert_eq!(second[member], json!([]), "{member}");
        }
        for member in ["website", "turnover_cents", "legal_form", "legal_family", "fresh_on"] {
            assert_eq!(second.body.get(member), None, "{member}");
        }
        // Its numbers are free again.
        app.post(PATH, json!({ "name": "Autre", "identifiers": [{ "scheme": "siren", "id": siren(7) }] })).await.expect(201);
    }

    async fn the_legal_family_is_read_from_the_legal_form(engine) {
        let app = spawn(engine).await;
        for (form, family) in [("9220", "association"), ("5710", "company"), ("5458", "cooperative"), ("7210", "public_body")] {
            let answer = app.post(PATH, json!({ "name": form, "legal_form": form })).await.expect(201);
            assert_eq!(answer["legal_family"], family, "{form}");
        }
    }

    async fn a_list_is_narrowed_by_name_number_family_and_certificate(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let other = sample::organisation(&app, "Clic et Compagnie").await;
        created(&app, PATH, complete(&other)).await;
        assert_eq!(names(&app, "name=ET%20COMP").await, ["Clic et Compagnie"]);
        assert_eq!(names(&app, "name=lpc").await, ["Les Passeurs du Clic"], "an alias counts");
        assert_eq!(names(&app, "name=clic").await, ["Clic et Compagnie", "Les Passeurs du Clic"]);
        assert_eq!(names(&app, &format!("identifier={}", siret(7, 1))).await, ["Les Passeurs du Clic"]);
        assert_eq!(names(&app, "legal_family=association&credential=qualiopi").await, ["Les Passeurs du Clic"]);
        assert_eq!(names(&app, "legal_family=company").await, [""; 0]);
    }

    async fn a_number_belongs_to_one_organisation(engine) {
        let app = spawn(engine).await;
        let with = |name: &str, numbers: Value| json!({ "name": name, "identifiers": numbers });
        let own = json!([{ "scheme": "siret", "id": siret(1, 1) }]);
        created(&app, PATH, with("Premier", own.clone())).await;
        let second = app.post(PATH, with("Second", json!([{ "scheme": "siret", "id": siret(2, 1) }]))).await.expect(201);
        let before = everything(&app).await;

        assert_eq!(places(&app.post(PATH, with("Tiers", own)).await.problem(422)), ["/identifiers/0/id"]);
        let numbers = json!([{ "scheme": "siret", "id": siret(2, 1) }, { "scheme": "siret", "id": siret(1, 1) }]);
        let problem = app.put(second.header("location"), "\"1\"", with("Second", numbers)).await.problem(422);
        assert_eq!(places(&problem), ["/identifiers/1/id"]);
        let twice = json!([{ "scheme": "siret", "id": siret(3, 1) }, { "scheme": "siret", "id": siret(3, 1) }]);
        assert_eq!(places(&app.post(PATH, with("Tiers", twice)).await.problem(422)), ["/identifiers/1/id"]);
        assert_eq!(everything(&app).await, before);
    }

    async fn a_number_is_written_in_one_way_only(engine) {
        let app = spawn(engine).await;
        let spaced = |number: String| format!("{} {} {}", &number[..3], &number[3..6], &number[6..]);
        for (scheme, id) in [("siren", spaced(siren(1))), ("siret", spaced(siret(1, 1))), ("rna", "w691000000".to_owned())] {
            let body = json!({ "name": "Espaces", "identifiers": [{ "scheme": scheme, "id": id }] });
            assert_eq!(places(&app.post(PATH, body).await.problem(422)), ["/identifiers/0/id"], "{scheme}");
        }
    }

    async fn an_organisation_goes_with_its_capabilities_and_relations(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let body = json!({ "a": market.school, "b": market.workshop, "kind": "referral", "strength_percent": 50 });
        created(&app, "/v1/relations", body).await;
        app.delete(&format!("{PATH}/{}", market.school), "\"1\"").await.expect(204);
        app.get(&format!("{PATH}/{}", market.school)).await.problem(404);
        let capabilities = app.get(&format!("/v1/capabilities?organisation={}", market.school)).await.expect(200);
        assert_eq!(capabilities["items"], json!([]));
        assert_eq!(app.get("/v1/relations").await.expect(200)["items"], json!([]));
    }

    async fn a_funder_with_a_call_and_the_target_of_a_link_are_not_deleted(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let link = json!({ "to": market.school, "kind": "same_group" });
        created(&app, PATH, json!({ "name": "Maison mère", "links": [link] })).await;
        for id in [&market.funder, &market.school] {
            app.delete(&format!("{PATH}/{id}"), "\"1\"").await.problem(409);
            app.get(&format!("{PATH}/{id}")).await.expect(200);
        }
    }

    async fn long_names_fit_in_every_index(engine) {
        let app = spawn(engine).await;
        let aliases: Vec<String> = (0..50).map(|seed| noise(seed, 300)).collect();
        let answer = app.post(PATH, json!({ "name": "Réseau", "aliases": aliases })).await.expect(201);
        assert_eq!(answer["aliases"].as_array().unwrap().len(), 50);
    }
}

#[actix_web::test]
async fn every_fault_of_an_organisation_is_told_at_once() {
    let app = spawn(crate::support::database::Engine::Sqlite).await;
    let nobody = "019e0000-0000-7000-8000-000000000000";
    let body = json!({
        "name": " ", "home_territories": ["nowhere"], "identifiers": [{ "scheme": "siret", "id": "73282932000075" }],
        "credentials": [{ "code": "qualiopi", "valid_from": "2027-01-02", "valid_to": "2027-01-01" }],
        "links": [{ "to": nobody, "kind": "franchise" }, { "to": nobody, "kind": "same_group" }],
        "resource_mix": { "subsidies_percent": 90, "sales_percent": 11 }
    });
    let problem = app.post(PATH, body).await.problem(422);
    let mut found = places(&problem);
    found.sort_unstable();
    found.dedup();
    let expected = [
        "/credentials/0/valid_to",
        "/home_territories/0",
        "/identifiers/0/id",
        "/links/0/to",
        "/links/1/to",
        "/name",
        "/resource_mix",
    ];
    assert_eq!(found, expected);
    assert_eq!(names(&app, "").await, [""; 0]);
}
