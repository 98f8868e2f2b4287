//! The audit log: what it holds, and that nobody changes it unseen.

mod tamper;
mod tour;

use std::collections::BTreeSet;

use attelage::audit::Log;
use attelage::audit::entity::{Column, Entity, Model, head};
use attelage::audit::verify::{Break, Place, verify};
use attelage::edge;
use attelage::identity::entrance;
use attelage::keyfile::Key;
use attelage::server::Setup;
use futures_util::future::join_all;
use reqwest::header::{HeaderMap, HeaderName};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryOrder,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use serde_json::json;

use self::tamper::{Dice, put, tamper};
use self::tour::Tour;

use crate::identity::oidc;
use crate::support::app::{Answer, Client};
use crate::support::issuer::{self, Issuer};
use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, NORTH, SOUTH};
use crate::support::service::{audit_key, restarted, setup, spawn, spawn_with};
use crate::support::world;

/// Somebody who has signed in.
struct Person {
    client: Client,
    id: String,
}

async fn join(client: &Client, name: &str) -> Person {
    let (client, id) = world::person(client, &format!("{name}@example.org")).await;
    Person { client, id }
}

async fn log(db: &DatabaseConnection) -> Vec<Model> {
    Entity::find().order_by_asc(Column::Position).all(db).await.unwrap()
}

async fn check(db: &impl ConnectionTrait) -> Result<Place, Break> {
    verify(db, &audit_key(), None).await.unwrap()
}

/// A transaction that may write from the start: one that has read cannot wait for the service to end a write.
async fn begin(db: &DatabaseConnection) -> DatabaseTransaction {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    db.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() })
        .await
        .unwrap()
}

on_both_engines! {
    async fn every_operation_that_changes_or_shows_what_is_sealed_leaves_an_entry(engine) {
        let issuer = Issuer::start(issuer::Key::p256());
        let entrance = entrance::Settings { oidc: Some(oidc::agreed(issuer.base())), ..Default::default() };
        let edge = edge::Settings { security_contact: Some("mailto:security@example.org".to_owned()), ..Default::default() };
        let app = spawn_with(engine, Setup { entrance, edge, ..setup() }).await;
        sample::territories(&app).await;
        let db = app.database.connect().await;
        let missing = Tour::new(&app, &db).everywhere(&issuer).await;
        assert!(missing.is_empty(), "the tour does not visit {missing:?}");
        let end = check(&db).await.unwrap();
        assert_eq!(end.position, i64::try_from(log(&db).await.len()).unwrap());
    }

    async fn a_thousand_tampered_copies_are_all_detected(engine) {
        let app = spawn(engine).await;
        sample::market(&app).await;
        let db = app.database.connect().await;
        let entries = log(&db).await;
        let end = check(&db).await.unwrap();
        let mut dice = Dice(20_261_122);
        for number in 0..1000 {
            let copy = begin(&db).await;
            let done = tamper(&copy, &entries, &mut dice).await;
            let found = check(&copy).await;
            assert!(found.is_err(), "copy {number} passes after: {done}");
            copy.rollback().await.unwrap();
        }
        assert_eq!(check(&db).await, Ok(end.clone()));
        assert!(verify(&db, &Key::new([1; 32]), None).await.unwrap().is_err(), "under another key nothing holds");

        // Whoever puts an old copy of the whole back is found by whoever remembers a later head.
        let organisation = sample::organisation(&app, "Après").await;
        let later = check(&db).await.unwrap();
        assert!(later.position > end.position && verify(&db, &audit_key(), Some(&end)).await.unwrap().is_ok(), "{organisation}");
        let lost = Place { position: later.position, hash: end.hash.clone() };
        assert_eq!(verify(&db, &audit_key(), Some(&lost)).await.unwrap(), Err(Break::Another(lost)));
    }

    async fn the_first_place_that_is_wrong_is_named(engine) {
        let app = spawn(engine).await;
        sample::market(&app).await;
        let db = app.database.connect().await;
        let entries = log(&db).await;
        let third = entries[2].clone();
        let tx = begin(&db).await;
        put(&tx, Model { subject: "call:else".to_owned(), ..third.clone() }).await;
        assert_eq!(check(&tx).await, Err(Break::Changed(3)));
        Entity::delete_by_id(3).exec(&tx).await.unwrap();
        assert_eq!(check(&tx).await, Err(Break::Missing(3)));
        tx.rollback().await.unwrap();
        let tx = begin(&db).await;
        Entity::insert(Model { position: 0, ..third }.into_active_model()).exec_without_returning(&tx).await.unwrap();
        assert_eq!(check(&tx).await, Err(Break::Inserted(0)));
        tx.rollback().await.unwrap();
        let last = entries.last().unwrap().position;
        let tx = begin(&db).await;
        Entity::delete_by_id(last).exec(&tx).await.unwrap();
        assert_eq!(check(&tx).await, Err(Break::CutOff(last)));
        head::Entity::delete_many().exec(&tx).await.unwrap();
        assert_eq!(check(&tx).await, Err(Break::Headless));
        tx.rollback().await.unwrap();
    }

    async fn writers_and_readers_at_once_leave_one_chain(engine) {
        let app = spawn(engine).await;
        let again = restarted(&app).await;
        let db = app.database.connect().await;
        let before = log(&db).await.len();
        let own = sample::organisation(&app, "Lue").await;
        let body = json!({ "name": "Lue", "turnover_cents": 5 });
        let own = format!("/v1/organisations/{own}");
        app.put(&own, "\"1\"", body).await.expect(200);
        let clients = [&*app, &again.client];
        let work = (0..40).map(|number| {
            let (client, own) = (clients[number % 2], &own);
            async move {
                if number % 4 < 2 {
                    sample::organisation(client, &format!("Organisation {number}")).await;
                } else {
                    client.get(own).await.expect(200);
                }
            }
        });
        join_all(work).await;
        let entries = log(&db).await;
        assert_eq!(entries.len(), before + 2 + 40);
        assert_eq!(check(&db).await.unwrap().position, i64::try_from(entries.len()).unwrap());
        let readings = entries.iter().filter(|entry| entry.action == "get_organisation");
        let readings: BTreeSet<&str> = readings.map(|entry| entry.request_id.as_str()).collect();
        assert_eq!(readings.len(), 20, "each reader is named");
    }

    async fn what_cannot_be_logged_is_neither_done_nor_shown(engine) {
        let app = spawn(engine).await;
        let own = format!("/v1/organisations/{}", sample::organisation(&app, "Muette").await);
        app.put(&own, "\"1\"", json!({ "name": "Muette", "turnover_cents": 123_456 })).await.expect(200);
        let db = app.database.connect().await;
        let kept = head::Entity::find().one(&db).await.unwrap().unwrap();
        head::Entity::delete_many().exec(&db).await.unwrap();
        app.put(&own, "\"2\"", json!({ "name": "Changée" })).await.problem(500);
        app.post("/v1/organisations", json!({ "name": "Nouvelle" })).await.problem(500);
        assert!(!app.get(&own).await.problem(500).to_string().contains("123456"));
        assert_eq!(app.anonymous().get(&own).await.expect(200)["name"], "Muette", "what is public is not logged");
        head::Entity::insert(kept.into_active_model()).exec_without_returning(&db).await.unwrap();
        assert_eq!(app.get(&own).await.expect(200)["turnover_cents"], 123_456);
        let names = app.get("/v1/organisations").await.expect(200);
        assert_eq!(names["items"].as_array().unwrap().len(), 1);
        check(&db).await.unwrap();
    }

    async fn an_organisation_reads_its_own_log_and_nobody_elses(engine) {
        let app = spawn(engine).await;
        let (ada, bob) = (join(&app, "ada").await, join(&app, "bob").await);
        let own = ada.client.post("/v1/organisations", json!({ "name": "La mienne", "turnover_cents": 1 })).await.expect(201);
        let path = own.header("location").to_owned();
        let other = bob.client.post("/v1/organisations", json!({ "name": "La sienne" })).await.expect(201);
        ada.client.get(&path).await.expect(200);
        let reserved = json!({ "against": other["id"] });
        ada.client.post(&format!("{path}/reservations"), reserved).await.expect(201);
        let page = ada.client.get(&format!("{path}/audit?limit=2")).await.expect(200);
        let actions = |page: &Answer| -> Vec<String> {
            page["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(actions(&page), ["create_organisation", "get_organisation"]);
        let next = format!("{path}/audit?limit=2&cursor={}", page["next"].as_str().unwrap());
        assert_eq!(actions(&ada.client.get(&next).await.expect(200)), ["create_reservation", "list_audit_entries"]);
        assert_eq!(page["items"][0]["caller"], format!("person:{}", ada.id));
        bob.client.get(&format!("{path}/audit")).await.problem(404);
        let theirs = bob.client.get(&format!("{}/audit", other.header("location"))).await.expect(200);
        assert_eq!(actions(&theirs), ["create_organisation"], "nobody learns of a reservation against them");
    }
}

/// A market with a mark of its own in every text and every number that two organisations may write.
async fn marked(client: &Client, mark: &str, number: i64) -> (String, Vec<String>, Vec<String>) {
    let organisation = json!({
        "name": format!("{mark}-name"), "contact": format!("{mark}-contact"), "description": format!("{mark}-description"),
        "turnover_cents": number + 1, "available_cash_cents": number + 2,
    });
    let own = client.post("/v1/organisations", organisation).await.expect(201);
    let id = own["id"].as_str().unwrap().to_owned();
    let path = own.header("location").to_owned();
    let mut offer = sample::devices(&id, number + 4, number + 5);
    offer["title"] = json!(format!("{mark}-offer"));
    offer["fixed_cost_cents"] = json!(number + 6);
    client.post("/v1/capabilities", offer).await.expect(201);
    let mut call = sample::call(&id);
    call["title"] = json!(format!("{mark}-call"));
    call["description"] = json!(format!("{mark}-draft"));
    let call = client.post("/v1/calls", call).await.expect(201);
    let key = json!({ "name": format!("{mark}-key"), "scopes": ["read"] });
    let secret = client.post(&format!("{path}/api-keys"), key).await.expect(201)["secret"].as_str().unwrap().to_owned();
    let invited = client.post(&format!("{path}/invitations"), json!({ "role": "viewer" })).await.expect(201);
    let patient = HeaderMap::from_iter([(HeaderName::from_static("prefer"), "wait=30".parse().unwrap())]);
    let runs = format!("{}/runs", call.header("location"));
    let run = client.post_with(&runs, patient, json!({})).await.expect(200)["fingerprint"].as_str().unwrap().to_owned();
    let mut marks: Vec<String> = ["name", "contact", "description", "offer", "call", "draft", "key", "reserved"]
        .map(|part| format!("{mark}-{part}"))
        .into();
    marks.extend([1, 2, 4, 5, 6].map(|step| (number + step).to_string()));
    marks.push(run);
    (id, marks, vec![secret, invited["secret"].as_str().unwrap().to_owned()])
}

on_both_engines! {
    async fn an_export_holds_everything_of_its_own_and_nothing_sealed_of_others(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let (ada, bob) = (join(&app, "ada").await, join(&app, "bob").await);
        let (own, marks, secrets) = marked(&ada.client, "own", 12_345_670).await;
        let (other, theirs, _) = marked(&bob.client, "other", 87_654_320).await;
        for (client, owner, mark, against) in [(&ada.client, &own, "own", &other), (&bob.client, &other, "other", &own)] {
            let note = json!({ "against": against, "note": format!("{mark}-reserved") });
            client.post(&format!("/v1/organisations/{owner}/reservations"), note).await.expect(201);
        }
        let relation = json!({ "a": own, "b": other, "kind": "network", "strength_percent": 41 });
        let relation = ada.client.post("/v1/relations", relation).await.expect(201);
        let path = format!("/v1/organisations/{own}/export");
        let export = ada.client.get(&path).await.expect(200);
        let text = export.body.to_string();
        for mark in marks.iter().map(String::as_str).chain([relation["id"].as_str().unwrap(), "ada@example.org"]) {
            assert!(text.contains(mark), "{mark} is not in the export: {:#}", export.body);
        }
        for mark in theirs.iter().chain(&secrets).map(String::as_str).chain(["bob@example.org"]) {
            assert!(!text.contains(mark), "{mark} is in the export");
        }
        assert_eq!((export["runs"].as_array().map(Vec::len), &export["runs"][0]["run"]["state"]), (Some(1), &json!("succeeded")));
        assert_eq!(export["audit"].as_array().unwrap().last().unwrap()["action"], "export_organisation");
        bob.client.get(&path).await.problem(404);

        // Neither does the log: it holds ids alone.
        let db = app.database.connect().await;
        let log = serde_json::to_string(&log(&db).await.iter().map(|entry| format!("{entry:?}")).collect::<Vec<_>>()).unwrap();
        for mark in marks.iter().chain(&theirs).chain(&secrets).map(String::as_str).chain(["ada@", "bob@"]) {
            assert!(!log.contains(mark), "{mark} is in the audit log");
        }
    }

    async fn an_export_of_more_than_a_page_is_whole(engine) {
        let app = spawn(engine).await;
        sample::territories(&app).await;
        let own = sample::organisation(&app, "Grande").await;
        for number in 0..103 {
            app.post("/v1/capabilities", sample::hours(&own, number + 1, 1)).await.expect(201);
        }
        let export = app.get(&format!("/v1/organisations/{own}/export")).await.expect(200);
        let ids: BTreeSet<&str> =
            export["capabilities"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!((ids.len(), export["audit"].as_array().unwrap().len()), (103, 105));
        assert!([METROPOLE, NORTH, SOUTH].iter().any(|code| export.body.to_string().contains(code)));
    }
}

#[actix_web::test]
async fn a_service_does_not_start_with_the_key_of_another_log() {
    let app = spawn(crate::support::database::Engine::Sqlite).await;
    let db = app.database.connect().await;
    let refused = Log::open(&db, Key::new([1; 32])).await.err().unwrap().to_string();
    assert!(refused.contains("--audit-key-file"), "{refused}");
    assert!(Log::open(&db, audit_key()).await.is_ok());
}
