//! Files of places of digital mediation, as the national standard (version 1) has them. All places are invented.

use serde_json::{Value, json};

use crate::imports::{faults, import, touched};
use crate::support::on_both_engines;
use crate::support::sample::{noise, places, siren, siret};
use crate::support::service::{App, spawn};

const HEADER: &str = "id,pivot,nom,commune,code_postal,code_insee,adresse,latitude,longitude,typologie,site_web,source,structure_parente,date_maj,services,publics_specifiquement_adresses,modalites_accompagnement";

const TOOLS: &str = "Maîtrise des outils numériques du quotidien";
const PROCEDURES: &str = "Aide aux démarches administratives";

/// A sound place in Villeurbanne or Bron, as one row; empty fields say nothing.
fn place(id: &str, pivot: &str, name: &str, parent: &str, services: &str) -> String {
    let (commune, post_code, code) =
        if id.len().is_multiple_of(2) { ("Villeurbanne", "69100", "69266") } else { ("Bron", "69500", "69029") };
    format!(
        "{id},{pivot},{name},{commune},{post_code},{code},1 rue Neuve,45.76,4.88,ASSO,,Annuaire,{parent},2026-05-01,{services},,Accompagnement individuel\n"
    )
}

async fn lieux(app: &App, rows: &str) -> Value {
    import(app, "lieux", &format!("{HEADER}\n{rows}")).await
}

/// Organisations by name, each with its version.
async fn organisations(app: &App) -> Vec<(String, i64)> {
    let page = app.get("/v1/organisations?limit=100").await.expect(200);
    let mut all: Vec<(String, i64)> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["name"].as_str().unwrap().to_owned(), item["version"].as_i64().unwrap()))
        .collect();
    all.sort();
    all
}

/// Two sites of one entity, a place of an association known by its name, and one that only its own name identifies.
fn four_places() -> String {
    [
        place("p1", &siret(11, 1), "Les Glycines – Bron", "Les Glycines", TOOLS),
        place("p22", &siret(11, 2), "Les Glycines – Villeurbanne", "Les Glycines", TOOLS),
        place("p3", "", "Permanence du mardi", "LES GLYCINES", PROCEDURES),
        place("p44", "", "Le Fil d’Ariane", "", &format!("{TOOLS}|{PROCEDURES}")),
    ]
    .concat()
}

on_both_engines! {
    async fn places_become_organisations_and_capabilities_grouped_by_siren_then_name(engine) {
        let app = spawn(engine).await;
        let import = lieux(&app, &four_places()).await;
        assert_eq!(["territories", "organisations", "capabilities", "places"].map(|what| touched(&import, what)[0]), [2, 2, 3, 4]);
        assert_eq!(organisations(&app).await, [("Le Fil d’Ariane".to_owned(), 1), ("Les Glycines".to_owned(), 1)]);

        let page = app.get(&format!("/v1/organisations?identifier={}", siret(11, 2))).await.expect(200);
        let glycines = &page["items"][0];
        let numbers: Vec<&Value> = glycines["identifiers"].as_array().unwrap().iter().map(|own| &own["id"]).collect();
        assert_eq!(numbers, [&json!(siren(11)), &json!(siret(11, 1)), &json!(siret(11, 2))]);
        assert_eq!(glycines["aliases"].as_array().unwrap().len(), 3);
        assert_eq!((&glycines["fresh_on"], &glycines["source"]), (&json!("2026-05-01"), &json!("Annuaire")));
        assert_eq!(app.get("/v1/territories/69266").await.expect(200)["name"], "Villeurbanne");

        let id = glycines["id"].as_str().unwrap();
        let page = app.get(&format!("/v1/capabilities?organisation={id}&service=training-daily-tools")).await.expect(200);
        let capability = &page["items"][0];
        assert_eq!((&capability["evidence"], &capability["modalities"]), (&json!("referenced"), &json!(["individual"])));
        assert_eq!(capability["territories"], json!(["69029", "69266"]));
        for unknown in ["unit", "capacity_per_year", "unit_cost_cents"] {
            assert_eq!(capability.get(unknown), None, "a file of places does not know the {unknown}");
        }
        let noted = faults(&app, &import).await;
        assert!(noted.contains(&"4 structure_parente joined_by_name kept".to_owned()), "{noted:?}");
    }

    async fn twice_the_same_file_changes_nothing(engine) {
        let app = spawn(engine).await;
        lieux(&app, &four_places()).await;
        let lists = ["organisations", "capabilities", "territories"];
        let mut before = Vec::new();
        for list in lists {
            before.push(app.get(&format!("/v1/{list}?limit=100")).await.expect(200).body);
        }
        let again = lieux(&app, &four_places()).await;
        for (what, count) in [("organisations", 2), ("capabilities", 3), ("places", 4)] {
            assert_eq!(touched(&again, what), [0, 0, count], "{what}");
        }
        assert_eq!(touched(&again, "territories")[..2], [0, 0]);
        for (list, before) in lists.iter().zip(before) {
            assert_eq!(app.get(&format!("/v1/{list}?limit=100")).await.expect(200).body, before, "{list}");
        }
    }

    async fn what_people_have_written_is_not_overwritten(engine) {
        let app = spawn(engine).await;
        lieux(&app, &four_places()).await;
        let page = app.get(&format!("/v1/organisations?identifier={}", siren(11))).await.expect(200);
        let path = format!("/v1/organisations/{}", page["items"][0]["id"].as_str().unwrap());
        let edited = json!({
            "name": "Association Les Glycines", "website": "https://glycines.example", "volunteers": 12, "fresh_on": "2026-09-01",
            "identifiers": page["items"][0]["identifiers"], "aliases": page["items"][0]["aliases"],
            "home_territories": ["69029", "69266"], "turnover_cents": 5
        });
        app.put(&path, "\"1\"", edited).await.expect(200);
        let page = app.get("/v1/capabilities?service=training-daily-tools&territory=69266").await.expect(200);
        let offer = page["items"].as_array().unwrap().iter().find(|item| path.ends_with(item["organisation"].as_str().unwrap())).unwrap();
        let offer_path = format!("/v1/capabilities/{}", offer["id"].as_str().unwrap());
        let body = json!({
            "organisation": offer["organisation"], "services": offer["services"], "modalities": offer["modalities"],
            "territories": offer["territories"], "unit": "hour", "capacity_per_year": 500, "unit_cost_cents": 3000
        });
        let offer = app.put(&offer_path, "\"1\"", body).await.expect(200).body;

        let again = lieux(&app, &four_places()).await;
        let organisation = app.get(&path).await.expect(200);
        assert_eq!((&organisation["name"], &organisation["volunteers"]), (&json!("Association Les Glycines"), &json!(12)));
        assert_eq!((&organisation["website"], &organisation["fresh_on"]), (&json!("https://glycines.example"), &json!("2026-09-01")));
        // The name that the file gives becomes one more alias, once.
        assert_eq!((&organisation["version"], touched(&again, "organisations")), (&json!(3), [0, 1, 1]));
        assert!(organisation["aliases"].as_array().unwrap().contains(&json!("Les Glycines")));
        assert_eq!(app.get(&offer_path).await.expect(200).body, offer);
        assert_eq!(touched(&lieux(&app, &four_places()).await, "organisations"), [0, 0, 2]);
    }

    async fn a_file_recognises_who_is_registered_already(engine) {
        let app = spawn(engine).await;
        let own = json!([{ "scheme": "siren", "id": siren(11) }]);
        let by_number = app.post("/v1/organisations", json!({ "name": "Glycines", "identifiers": own })).await.expect(201);
        let by_name = app.post("/v1/organisations", json!({ "name": "LE FIL D'ARIANE" })).await.expect(201);
        let import = lieux(&app, &four_places()).await;
        assert_eq!(touched(&import, "organisations"), [0, 2, 0]);
        let page = app.get("/v1/capabilities").await.expect(200);
        for offer in page["items"].as_array().unwrap() {
            assert!([&by_number["id"], &by_name["id"]].contains(&&offer["organisation"]));
        }
    }

    async fn a_newer_file_adds_and_takes_nothing_away(engine) {
        let app = spawn(engine).await;
        lieux(&app, &place("p1", &siret(11, 1), "Les Glycines", "", TOOLS)).await;
        let newer = [place("p22", &siret(11, 2), "Les Glycines", "", TOOLS), place("p3", &siret(12, 1), "Autre", "", PROCEDURES)].concat();
        let import = lieux(&app, &newer).await;
        assert_eq!((touched(&import, "organisations"), touched(&import, "capabilities")), ([1, 1, 0], [1, 1, 0]));
        let page = app.get("/v1/capabilities?service=training-daily-tools").await.expect(200);
        assert_eq!(page["items"][0]["territories"], json!(["69029", "69266"]));
    }

    async fn every_bad_row_is_reported_and_stops_no_other(engine) {
        let app = spawn(engine).await;
        let wrong_siret = siret(13, 1).chars().rev().collect::<String>();
        let rows = [
            place("p1", &siret(11, 1), "Bonne", "", TOOLS),
            place("", &siret(12, 1), "Sans id", "", TOOLS),
            place("p3", &siret(12, 1), "", "", TOOLS),
            place("p4", &wrong_siret, "Mauvais numéro", "", TOOLS),
            place("p5", "00000000000000", "Bouche-trou", "", TOOLS),
            place("p6", &siren(12), "Numéro d’entité", "", TOOLS),
            place("p7", &siret(14, 1), "Yoga", "", "Yoga"),
            place("p1", &siret(15, 1), "Même id", "", TOOLS),
            "p8,trop peu\n".to_owned(),
            place("p9", &siret(16, 1), "Bonne aussi", "", TOOLS),
        ];
        let import = lieux(&app, &rows.concat()).await;
        let reported = faults(&app, &import).await;
        for expected in [
            "3 id missing_value row_skipped", "4 nom missing_value row_skipped", "5 pivot invalid_identifier value_ignored",
            "6 pivot placeholder_identifier value_ignored", "7 pivot siren_for_siret kept", "8 services unknown_value value_ignored",
            "9 id duplicate row_skipped", "10  wrong_field_count row_skipped",
        ] {
            assert!(reported.contains(&expected.to_owned()), "{expected} is not in {reported:#?}");
        }
        assert_eq!((&import["summary"]["rows"], &import["summary"]["rows_skipped"]), (&json!(10), &json!(4)));
        assert_eq!(touched(&import, "places"), [6, 0, 0]);
        assert_eq!(touched(&lieux(&app, &rows.concat()).await, "places"), [0, 0, 6]);
    }

    async fn another_table_and_the_older_standard_are_refused(engine) {
        let app = spawn(engine).await;
        let old = "id,structure,nom,commune,code_postal,adresse,services,publics_accueillis,conditions_access,date_maj\n";
        for (header, reason) in [
            ("code,name,kind,parent\n", "lacks: id, pivot, nom"),
            (old, "version 0.1.1"),
            (&HEADER.replace("pivot,", ""), "lacks: pivot"),
        ] {
            let problem = app.post_text("/v1/imports?kind=lieux", "text/csv", header).await.problem(422);
            assert_eq!(places(&problem), [""]);
            assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(reason), "{reason}: {problem:#}");
        }
        assert_eq!(app.get("/v1/imports").await.expect(200)["items"], json!([]));
    }

    async fn long_cells_are_kept_within_what_the_service_promises(engine) {
        let app = spawn(engine).await;
        let long = |seed| noise(seed, 6_000);
        let commune = format!("p5,,Lieu,{},69100,69266,rue,,,,https://x.example/{},{},{},2026-05-01,{TOOLS},,\n", long(1), long(2), long(3), long(4));
        for rows in [
            place(&long(5), &siret(21, 1), "Long id", "", TOOLS),
            place("p2", "", &long(6), "", TOOLS),
            place("p3", "", "Lieu", &long(7), TOOLS),
            commune,
        ] {
            lieux(&app, &rows).await;
            for list in ["organisations", "capabilities", "territories", "imports"] {
                app.get(&format!("/v1/{list}?limit=100")).await.expect(200);
            }
            let page = app.get("/v1/organisations?limit=100").await.expect(200);
            for item in page["items"].as_array().unwrap() {
                assert_can_be_written_back(&app, item).await;
            }
        }
    }

    async fn six_hundred_places_go_through_at_once(engine) {
        let app = spawn(engine).await;
        let rows: String = (0..600_u32).map(|i| place(&format!("p{i}"), &siret(100 + i / 3, i % 3), &format!("Lieu {i}"), &format!("Réseau {}", i / 3), TOOLS)).collect();
        let import = lieux(&app, &rows).await;
        assert_eq!((touched(&import, "organisations"), touched(&import, "places")), ([200, 0, 0], [600, 0, 0]));
        assert_eq!((&import["summary"]["rows"], &import["summary"]["faults"]), (&json!(600), &json!({})));
        let again = lieux(&app, &rows).await;
        assert_eq!((touched(&again, "organisations"), touched(&again, "places")), ([0, 0, 200], [0, 0, 600]));
    }

    async fn a_term_that_was_deleted_does_not_stop_a_file(engine) {
        let app = spawn(engine).await;
        app.delete("/v1/vocabularies/services/terms/support-procedures", "\"1\"").await.expect(204);
        let import = lieux(&app, &four_places()).await;
        assert_eq!(touched(&import, "places"), [4, 0, 0]);
        assert_eq!(app.get("/v1/capabilities?service=training-daily-tools").await.expect(200)["items"].as_array().map(Vec::len), Some(2));
    }
}

/// What an import has written, a client can read, change and write back.
async fn assert_can_be_written_back(app: &App, item: &Value) {
    let mut body = item.clone();
    let members = body.as_object_mut().unwrap();
    for added in ["id", "version", "created_at", "updated_at"] {
        members.shift_remove(added);
    }
    let path = format!("/v1/organisations/{}", item["id"].as_str().unwrap());
    app.put(&path, &format!("\"{}\"", item["version"]), body).await.expect(200);
}
