//! After the opening: bids side by side, as documents, changes that are asked for, and decisions of people.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::app::Answer;
use crate::support::bidding::{Bidding, alone, bidding, ids, together};
use crate::support::on_both_engines;
use crate::support::sample::places;
use crate::support::service::restarted;

/// The world with two bids, the school's with the workshop and the workshop's alone, both opened. Gives their ids.
async fn opened(world: &Bidding) -> (String, String) {
    let one = world.bid("school's key", together(&world.school, &world.workshop)).await.expect(201);
    let other = world.bid("workshop's key", alone(&world.workshop, 100, 900_000)).await.expect(201);
    world.pass_deadline().await;
    world.open("owner").await.expect(200);
    world.open("evaluator").await.expect(200);
    (one["id"].as_str().unwrap().to_owned(), other["id"].as_str().unwrap().to_owned())
}

fn of_call(world: &Bidding, what: &str) -> String {
    format!("/v1/calls/{}/{what}", world.call)
}

/// A decision: the lot of training to the school, that of equipment to the workshop.
fn decision(school: &str, workshop: &str, tell_at: &str) -> Value {
    let on = |bid: &str, chosen: bool, reasons: &str| json!({ "bid": bid, "chosen": chosen, "reasons": reasons });
    json!({
        "tell_at": tell_at,
        "lots": [
            { "lot": "training", "outcome": "awarded", "reasons": "Une seule offre, complète",
                "bids": [on(school, true, "Motif-école-formation")] },
            { "lot": "equipment", "outcome": "awarded", "reasons": "Deux offres",
                "bids": [on(school, false, "Motif-école-équipement"), on(workshop, true, "Motif-atelier")] },
        ],
    })
}

async fn decide(world: &Bidding, who: &str, decision: Value) -> Answer {
    world.of(who).post(&of_call(world, "decisions"), decision).await
}

const LONG_AGO: &str = "2020-01-01T00:00:00Z";
const FAR_OFF: &str = "2190-01-01T00:00:00Z";

/// Everybody, with the status that `ask` gets.
async fn statuses(world: &Bidding, path: &str) -> Vec<(&'static str, u16)> {
    let mut found = Vec::new();
    for (who, client) in &world.who {
        found.push((*who, client.get(path).await.status));
    }
    found
}

fn evaluators_get(expected: u16) -> Vec<(&'static str, u16)> {
    [
        ("administrator", 404),
        ("administrator's key", 403),
        ("evaluator", expected),
        ("funder's editor", 404),
        ("funder's key", 403),
        ("funder's viewer", 404),
        ("nobody", 401),
        ("other owner", expected),
        ("owner", expected),
        ("school's key", 403),
        ("school's viewer", 404),
        ("stranger", 404),
        ("workshop's key", 403),
        ("workshop's owner", 404),
    ]
    .to_vec()
}

on_both_engines! {
    async fn bids_stand_side_by_side_for_evaluators_after_the_opening_and_for_nobody_else(engine) {
        let world = bidding(engine).await;
        let path = of_call(&world, "comparison");
        let mut before = evaluators_get(409);
        // Whoever has no bid that stands does not compete yet.
        before.sort_unstable();
        let mut seen = statuses(&world, &path).await;
        seen.sort_unstable();
        assert_eq!(seen, before);
        let (one, other) = opened(&world).await;
        let mut seen = statuses(&world, &path).await;
        seen.sort_unstable();
        let mut after = evaluators_get(200);
        after.sort_unstable();
        assert_eq!(seen, after);

        let table = world.of("evaluator").get(&path).await.expect(200);
        let codes: Vec<&Value> = table["lots"].as_array().unwrap().iter().map(|lot| &lot["code"]).collect();
        assert_eq!(codes, ["equipment", "training"]);
        let of_lot = |lot: usize| table["lots"][lot]["bids"].as_array().unwrap().iter().map(|own| own["bid"].as_str().unwrap()).collect::<Vec<_>>();
        assert_eq!((of_lot(0), of_lot(1)), (vec![one.as_str(), other.as_str()], vec![one.as_str()]));
        let training = &table["lots"][1]["bids"][0];
        assert_eq!((&training["amount_cents"], &training["coverage_percent"], &training["resilience_percent"]), (&json!(3_600_000), &json!(100.0), &json!(0.0)));
        assert_eq!(training["worst_loss"], json!(world.school));
        let members = &table["bids"][0]["members"];
        assert_eq!((&members[0]["name"], &members[0]["only_supplier_of"]), (&json!("École Pas à Pas"), &json!(["lessons"])));

        let csv = world.of("evaluator").get(&format!("{path}?format=csv")).await.expect(200);
        assert!(csv.header("content-type").starts_with("text/csv"));
        let rows: Vec<&str> = csv.body.as_str().unwrap().lines().collect();
        assert_eq!(rows.len(), 4);
        assert!(rows[1].starts_with(&format!("equipment,Matériel,{one},{}", world.school)), "{}", rows[1]);
        let accept = HeaderMap::from_iter([("accept".parse().unwrap(), "text/csv".parse().unwrap())]);
        assert_eq!(world.of("evaluator").get_with(&path, accept).await.expect(200).body, csv.body);
        world.of("evaluator").get(&format!("{path}?format=pdf")).await.problem(400);
    }

    async fn a_bid_is_read_as_a_document_by_those_who_read_the_bid(engine) {
        let world = bidding(engine).await;
        let bid = world.bid("school's key", together(&world.school, &world.workshop)).await.expect(201);
        let path = format!("{}/answer", bid.header("location"));
        let own = world.of("school's viewer").get(&path).await.expect(200);
        assert_eq!((&own["amount_cents"], &own["coverage_percent"], &own["digest"]), (&json!(5_100_000), &own["coverage_percent"], &bid["digest"]));
        assert_eq!((&own["members"][0]["name"], &own["members"][0]["role"]), (&json!("École Pas à Pas"), &json!("group-lead")));
        let years = own["years"].as_array().unwrap();
        let sum: i64 = years.iter().map(|year| year["amount_cents"].as_i64().unwrap()).sum();
        assert_eq!(sum, 5_100_000, "the years add up");
        for (format, media_type, begins) in [
            ("pdf", "application/pdf", "%PDF-1.7"),
            ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "PK"),
        ] {
            let named = world.of("school's viewer").get(&format!("{path}?format={format}")).await.expect(200);
            assert_eq!(named.header("content-type"), media_type);
            assert!(named.body.as_str().unwrap().starts_with(begins), "{format}");
            assert!(named.header("content-disposition").ends_with(&format!(".{format}\"")), "{format}");
            let accept = HeaderMap::from_iter([("accept".parse().unwrap(), media_type.parse().unwrap())]);
            let again = world.of("school's viewer").get_with(&path, accept).await.expect(200);
            assert_eq!(again.body, named.body, "equal answers, equal bytes");
        }
        for (who, status) in [("workshop's key", 404), ("owner", 404), ("nobody", 401), ("administrator", 404)] {
            world.of(who).get(&path).await.problem(status);
        }
        world.pass_deadline().await;
        world.open("owner").await.expect(200);
        world.open("evaluator").await.expect(200);
        let mut opened = world.of("evaluator").get(&path).await.expect(200).body;
        // All that is different is what the test did to the call.
        opened["call"]["answers_due_at"] = own["call"]["answers_due_at"].clone();
        assert_eq!(opened, own.body);
        world.of("workshop's key").get(&path).await.problem(404);
    }

    async fn a_decision_is_recorded_with_its_reasons_and_told_when_its_moment_comes(engine) {
        let world = bidding(engine).await;
        let (one, other) = opened(&world).await;
        let secret = decide(&world, "owner", decision(&one, &other, FAR_OFF)).await.expect(201);
        assert_eq!((&secret["number"], secret.body.get("told_at"), &secret["decided_by"]), (&json!(1), None, &json!(world.people["owner"])));
        let outcome = format!("/v1/bids/{one}/decision");
        let nothing = json!({ "bid": one, "lots": [] });
        assert_eq!(world.of("school's key").get(&outcome).await.expect(200).body, nothing, "not yet");
        let events = |who: &'static str| {
            let client = world.of(who).clone();
            async move {
                let events = client.get("/v1/events?limit=100").await.expect(200);
                events["items"].as_array().unwrap().iter().filter(|event| event["type"] == "decision.recorded").count()
            }
        };
        assert_eq!((events("school's key").await, events("workshop's key").await), (0, 0));

        // Its moment comes, and a service looks.
        world.sql("UPDATE decision SET tell_at = '2020-01-01T00:00:00+00:00'").await;
        world.sql("UPDATE recurring_task SET next_at = '2020-01-01T00:00:00+00:00' WHERE name = 'tell_decisions'").await;
        let _service = restarted(&world.app).await;
        let told = loop {
            let told = world.of("school's key").get(&outcome).await.expect(200);
            if told.body.get("decision").is_some() {
                break told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(told["decision"], secret["id"]);
        let lots = |lot: usize| (&told["lots"][lot]["lot"], &told["lots"][lot]["chosen"], &told["lots"][lot]["reasons"]);
        assert_eq!(lots(0), (&json!("training"), &json!(true), &json!("Motif-école-formation")));
        assert_eq!(lots(1), (&json!("equipment"), &json!(false), &json!("Motif-école-équipement")));
        assert_eq!(told["lots"][1]["chosen_organisations"], json!([world.workshop]));
        assert!(!told.body.to_string().contains("Motif-atelier"), "reasons on other bids are not theirs");
        assert_eq!((events("school's key").await, events("workshop's key").await), (1, 1));
        world.of("workshop's key").get(&outcome).await.problem(404);

        // The next decision replaces it, at once; both are kept.
        let mut next = decision(&one, &other, LONG_AGO);
        next["replaces"] = secret["id"].clone();
        next["lots"][1] = json!({ "lot": "equipment", "outcome": "no_award", "reasons": "Sans suite", "bids": [
            { "bid": one, "chosen": false, "reasons": "Sans suite" }, { "bid": other, "chosen": false, "reasons": "Sans suite" } ] });
        let second = decide(&world, "evaluator", next).await.expect(201);
        assert!(second["told_at"].is_string() && second["number"] == 2);
        let told = world.of("school's key").get(&outcome).await.expect(200);
        assert_eq!((&told["decision"], &told["lots"][1]["outcome"]), (&second["id"], &json!("no_award")));
        let list = world.of("other owner").get(&of_call(&world, "decisions")).await.expect(200);
        let numbers: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|own| &own["number"]).collect();
        assert_eq!(numbers, [1, 2]);
    }

    async fn a_decision_is_of_people_after_the_opening_and_decides_on_every_bid(engine) {
        let world = bidding(engine).await;
        decide(&world, "owner", decision(&world.school, &world.workshop, LONG_AGO)).await.problem(409);
        let (one, other) = opened(&world).await;
        let good = decision(&one, &other, FAR_OFF);
        for (who, status) in [
            ("funder's editor", 404), ("stranger", 404), ("administrator", 404), ("workshop's owner", 404), ("funder's key", 403),
            ("administrator's key", 403), ("nobody", 401),
        ] {
            decide(&world, who, good.clone()).await.problem(status);
        }
        let faulty = |change: &dyn Fn(&mut Value)| {
            let mut decision = good.clone();
            change(&mut decision);
            decision
        };
        let cases: Vec<(Value, &[&str])> = vec![
            (faulty(&|new| new["lots"][0]["lot"] = json!("cloud")), &["/lots/0/lot", "/lots/0/bids/0/bid"]),
            (faulty(&|new| new["lots"][1]["lot"] = json!("training")), &["/lots/1/lot", "/lots/1/bids/1/bid"]),
            (faulty(&|new| new["lots"][1]["bids"][1] = new["lots"][1]["bids"][0].clone()), &["/lots/1/bids/1/bid", "/lots/1/bids", "/lots/1/outcome"]),
            (faulty(&|new| _ = new["lots"][1]["bids"].as_array_mut().unwrap().pop()), &["/lots/1/bids", "/lots/1/outcome"]),
            (faulty(&|new| new["lots"][0]["outcome"] = json!("no_award")), &["/lots/0/outcome"]),
            (faulty(&|new| new["lots"][0]["reasons"] = json!("")), &["/lots/0/reasons"]),
            (faulty(&|new| new["replaces"] = json!(world.call)), &["/replaces"]),
        ];
        for (decision, expected) in cases {
            let problem = decide(&world, "owner", decision.clone()).await.problem(422);
            assert_eq!(places(&problem), expected, "{decision:#} {problem:#}");
        }
        let first = decide(&world, "owner", good.clone()).await.expect(201);
        assert_eq!(places(&decide(&world, "other owner", good.clone()).await.problem(422)), ["/replaces"], "another has decided");
        let lists = statuses(&world, &of_call(&world, "decisions")).await;
        let mut expected = evaluators_get(200);
        expected.sort_unstable();
        let mut seen = lists;
        seen.sort_unstable();
        assert_eq!(seen, expected);
        assert_eq!(first["lots"], good["lots"]);
    }

    async fn changes_are_asked_for_where_the_procedure_allows_and_answered_by_a_new_bid(engine) {
        let world = bidding(engine).await;
        world.sql(r#"UPDATE call SET group_policy = '{"negotiated":true}'"#).await;
        let sent = world.bid("school's key", together(&world.school, &world.workshop)).await.expect(201);
        let one = sent["id"].as_str().unwrap().to_owned();
        let requests = format!("/v1/bids/{one}/change-requests");
        let revisions = format!("/v1/bids/{one}/revisions");
        let ask = json!({ "due_at": FAR_OFF, "text": "Davantage d'heures au nord" });
        world.of("owner").post(&requests, ask.clone()).await.problem(409);
        world.of("school's key").post(&revisions, together(&world.school, &world.workshop)).await.problem(409);
        world.pass_deadline().await;
        world.open("owner").await.expect(200);
        world.open("evaluator").await.expect(200);
        for (who, status) in [("stranger", 404), ("funder's editor", 404), ("school's viewer", 404), ("school's key", 403), ("nobody", 401)] {
            world.of(who).post(&requests, ask.clone()).await.problem(status);
        }
        let past = json!({ "due_at": LONG_AGO, "text": "x" });
        assert_eq!(places(&world.of("owner").post(&requests, past).await.problem(422)), ["/due_at"]);
        let asked = world.of("evaluator").post(&requests, ask.clone()).await.expect(201);
        world.of("owner").post(&requests, ask.clone()).await.problem(409);
        let list = world.of("school's viewer").get(&requests).await.expect(200);
        assert_eq!(list["items"], json!([asked.body]));
        world.of("workshop's key").get(&requests).await.problem(404);
        decide(&world, "owner", json!({ "tell_at": FAR_OFF, "lots": [{ "lot": "training", "outcome": "awarded", "reasons": "x", "bids": [{ "bid": one, "chosen": true, "reasons": "x" }] }] })).await.problem(409);

        let mut better = together(&world.school, &world.workshop);
        better["note"] = json!("Avec le nord");
        for (who, status) in [("workshop's key", 404), ("school's viewer", 403), ("owner", 404), ("nobody", 401)] {
            world.of(who).post(&revisions, better.clone()).await.problem(status);
        }
        let mut stranger = better.clone();
        stranger["organisation"] = json!(world.workshop);
        assert_eq!(places(&world.of("school's key").post(&revisions, stranger).await.problem(422)), ["/organisation"]);
        let revised = world.of("school's key").post(&revisions, better.clone()).await.expect(201);
        let standing = world.of("evaluator").get(&world.bids()).await.expect(200);
        assert_eq!(ids(&standing), [revised["id"].as_str().unwrap()]);
        assert_eq!(standing["items"][0]["sealed"]["content"]["note"], "Avec le nord");
        let answered = world.of("evaluator").get(&format!("{}/change-requests", revised.header("location"))).await.expect(200);
        assert_eq!(answered["items"][0]["answered_by"], revised["id"]);
        world.of("school's key").post(&revisions, better.clone()).await.problem(409);

        // Time runs out, and a decision ends it.
        let again = format!("{}/change-requests", revised.header("location"));
        world.of("evaluator").post(&again, ask.clone()).await.expect(201);
        world.sql("UPDATE change_request SET due_at = '2020-01-01T00:00:00+00:00' WHERE answered_by IS NULL").await;
        let late = format!("{}/revisions", revised.header("location"));
        world.of("school's key").post(&late, better.clone()).await.problem(409);
        world.of("evaluator").post(&again, ask.clone()).await.expect(201);
        world.sql("UPDATE change_request SET due_at = '2020-01-01T00:00:00+00:00' WHERE answered_by IS NULL").await;
        let on = |chosen: bool| json!({ "bid": revised["id"], "chosen": chosen, "reasons": "x" });
        let lot = |lot: &str| json!({ "lot": lot, "outcome": "awarded", "reasons": "x", "bids": [on(true)] });
        decide(&world, "owner", json!({ "tell_at": FAR_OFF, "lots": [lot("training"), lot("equipment")] })).await.expect(201);
        world.of("evaluator").post(&again, ask).await.problem(409);
    }

    async fn a_call_without_negotiation_changes_nothing_after_the_opening(engine) {
        let world = bidding(engine).await;
        let (one, _) = opened(&world).await;
        let ask = json!({ "due_at": FAR_OFF, "text": "x" });
        let refused = world.of("owner").post(&format!("/v1/bids/{one}/change-requests"), ask).await.problem(409);
        assert!(refused["detail"].as_str().unwrap().contains("negotiation"), "{refused}");
    }
}
