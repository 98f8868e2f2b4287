//! Bids from their receipt to their opening: who may do what, who sees what, and until when.

use std::collections::BTreeMap;

use attelage::access::Role;
use attelage::codes::sha256_hex;
use reqwest::header::HeaderMap;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::bidding::{Bidding, alone, bidding, ids, together};
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample::places;
use crate::support::service::restarted;

const NOWHERE: &str = "019e0000-0000-7000-8000-000000000000";

/// A problem without what differs from one request to the next.
fn anonymous(mut problem: Value) -> Value {
    problem.as_object_mut().unwrap().remove("request_id").unwrap();
    problem
}

/// What the receipt's digest is made of, worked out by the words of the document alone.
pub fn digest_of(sealed: &Value) -> String {
    fn canonical(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let sorted: BTreeMap<_, _> = members.iter().collect();
                let members = sorted.into_iter().map(|(name, value)| format!("{}:{}", json!(name), canonical(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
            plain => plain.to_string(),
        }
    }
    sha256_hex(canonical(sealed).as_bytes())
}

/// Who sees how many bids in the list, and whether they read the school's.
async fn seen(world: &Bidding, bid: &str) -> Vec<(&'static str, Option<usize>, u16)> {
    let mut seen = Vec::new();
    for (who, client) in &world.who {
        let list = client.get(&world.bids()).await;
        let count = (list.status == 200).then(|| ids(&list).len());
        let one = client.get(&format!("/v1/bids/{bid}")).await;
        if one.status == 404 {
            let nowhere = client.get(&format!("/v1/bids/{NOWHERE}")).await.problem(404);
            assert_eq!(anonymous(one.body.clone()), anonymous(nowhere), "{who}");
        }
        seen.push((*who, count, one.status));
    }
    seen
}

on_both_engines! {
    async fn a_bid_lives_from_its_receipt_to_its_opening(engine) {
        let world = bidding(engine).await;
        let sent = together(&world.school, &world.workshop);
        let receipt = world.bid("school's key", sent.clone()).await.expect(201);
        assert_eq!((&receipt["state"], &receipt["call_version"], &receipt["organisation"]), (&json!("received"), &json!(2), &json!(world.school)));
        let path = receipt.header("location").to_owned();
        let own = world.of("school's viewer").get(&path).await.expect(200);
        assert_eq!((&own["receipt"], &own["seal"], &own["sealed"]["content"]), (&receipt.body, &json!("intact"), &sent));
        assert_eq!(receipt["digest"], digest_of(&own["sealed"]));
        // Another bid says something else, with a salt of its own, and is withdrawn.
        let other = world.bid("workshop's key", alone(&world.workshop, 10, 90)).await.expect(201);
        let theirs = other.header("location").to_owned();
        assert_ne!(world.of("workshop's key").get(&theirs).await["sealed"]["salt"], own["sealed"]["salt"]);
        world.of("school's key").delete(&theirs, "\"1\"").await.problem(404);
        world.of("workshop's key").delete(&theirs, "\"1\"").await.expect(204);
        world.of("workshop's key").delete(&theirs, "\"1\"").await.problem(409);

        world.pass_deadline().await;
        let asked = world.open("owner").await.expect(200);
        assert_eq!((&asked["asked_by"], asked.body.get("opened_at")), (&json!(world.people["owner"]), None));
        let opened = world.open("evaluator").await.expect(200);
        assert_eq!((&opened["asked_by"], &opened["opened_by"]), (&json!(world.people["owner"]), &json!(world.people["evaluator"])));
        let list = world.of("evaluator").get(&world.bids()).await.expect(200);
        assert_eq!(list["items"], json!([own.body]), "the one that stands, as its bidder reads it");
        assert_eq!(world.of("other owner").get(&path).await.expect(200).body, own.body);
        // Opened is opened.
        assert_eq!(world.open("other owner").await.expect(200).body, opened.body);
    }

    async fn a_later_bid_replaces_the_earlier_which_is_kept(engine) {
        let world = bidding(engine).await;
        let first = world.bid("workshop's key", alone(&world.workshop, 10, 90)).await.expect(201);
        let second = world.bid("workshop's key", alone(&world.workshop, 10, 80)).await.expect(201);
        let list = world.of("workshop's key").get(&world.bids()).await.expect(200);
        let states: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|bid| &bid["receipt"]["state"]).collect();
        assert_eq!((ids(&list), states), (vec![first["id"].as_str().unwrap().to_owned(), second["id"].as_str().unwrap().to_owned()], vec![&json!("superseded"), &json!("received")]));
        assert_eq!(list["items"][0]["receipt"]["ended_at"], second["received_at"]);
        assert_eq!(list["items"][0]["sealed"]["content"]["amount_cents"], 90);
        world.of("workshop's key").delete(first.header("location"), "\"1\"").await.problem(409);
        // Evaluators read only what stands.
        world.pass_deadline().await;
        world.open("owner").await.expect(200);
        world.open("other owner").await.expect(200);
        assert_eq!(ids(&world.of("owner").get(&world.bids()).await), [second["id"].as_str().unwrap()]);
        world.of("owner").get(first.header("location")).await.problem(404);
    }

    async fn one_of_bids_that_meet_stands(engine) {
        let world = bidding(engine).await;
        let send = async |cents| world.bid("workshop's key", alone(&world.workshop, 10, cents)).await.status;
        let statuses = futures_util::future::join_all((0..6).map(send)).await;
        assert_eq!(statuses, [201; 6]);
        let list = world.of("workshop's key").get(&world.bids()).await.expect(200);
        let stand = list["items"].as_array().unwrap().iter().filter(|bid| bid["receipt"]["state"] == "received");
        assert_eq!((ids(&list).len(), stand.count()), (6, 1));
    }

    async fn the_same_key_gives_the_same_receipt(engine) {
        let world = bidding(engine).await;
        let send = async |cents| {
            let key = HeaderMap::from_iter([("idempotency-key".parse().unwrap(), "one".parse().unwrap())]);
            world.of("workshop's key").post_with(&world.bids(), key, alone(&world.workshop, 10, cents)).await
        };
        let first = send(90).await.expect(201);
        assert_eq!(send(90).await.expect(201).body, first.body);
        assert_eq!(places(&send(80).await.problem(422)), ["Idempotency-Key"]);
        assert_eq!(ids(&world.of("workshop's key").get(&world.bids()).await).len(), 1);
    }

    async fn after_the_deadline_no_bid_comes_or_goes(engine) {
        let world = bidding(engine).await;
        let bid = world.bid("workshop's key", alone(&world.workshop, 10, 90)).await.expect(201);
        world.pass_deadline().await;
        world.bid("workshop's key", alone(&world.workshop, 10, 80)).await.problem(409);
        world.of("workshop's key").delete(bid.header("location"), "\"1\"").await.problem(409);
        // Not even where the deadline moves once the bids are open.
        world.open("owner").await.expect(200);
        world.open("evaluator").await.expect(200);
        world.sql("UPDATE call SET answers_due_at = '2189-06-30T12:00:00+00:00'").await;
        world.bid("workshop's key", alone(&world.workshop, 10, 80)).await.problem(409);
        let list = world.of("workshop's key").get(&world.bids()).await.expect(200);
        assert_eq!((ids(&list).len(), &list["items"][0]["receipt"]["state"]), (1, &json!("received")));
    }

    async fn only_a_published_call_with_a_deadline_takes_bids(engine) {
        let world = bidding(engine).await;
        for (change, status) in [
            ("UPDATE call SET answers_due_at = NULL", 409),
            ("UPDATE call SET answers_due_at = '2189-06-30T12:00:00+00:00', status = 'closed'", 409),
            // A draft is its funder's alone.
            ("UPDATE call SET status = 'draft'", 404),
        ] {
            world.sql(change).await;
            world.bid("school's key", alone(&world.school, 10, 90)).await.problem(status);
        }
        world.of("school's key").get(&world.bids()).await.problem(404);
        world.bid("funder's key", alone(&world.school, 10, 90)).await.problem(409);
        world.open("owner").await.problem(409);
    }

    async fn each_sees_what_is_theirs_at_each_stage(engine) {
        let world = bidding(engine).await;
        world.bid("school's key", alone(&world.school, 10, 70)).await.expect(201);
        let bid = world.bid("school's key", together(&world.school, &world.workshop)).await.expect(201);
        world.bid("workshop's key", alone(&world.workshop, 10, 90)).await.expect(201);
        let bid = bid["id"].as_str().unwrap();
        let sealed = [
            ("administrator", Some(0), 404),
            ("administrator's key", Some(0), 404),
            ("evaluator", Some(0), 404),
            ("funder's editor", Some(0), 404),
            ("funder's key", Some(0), 404),
            ("funder's viewer", Some(0), 404),
            ("nobody", None, 401),
            ("other owner", Some(0), 404),
            ("owner", Some(0), 404),
            ("school's key", Some(2), 200),
            ("school's viewer", Some(2), 200),
            ("stranger", Some(0), 404),
            ("workshop's key", Some(1), 404),
            ("workshop's owner", Some(1), 404),
        ];
        assert_eq!(seen(&world, bid).await, sealed);
        world.pass_deadline().await;
        assert_eq!(seen(&world, bid).await, sealed);
        world.open("evaluator").await.expect(200);
        assert_eq!(seen(&world, bid).await, sealed, "one person opens nothing");
        world.open("owner").await.expect(200);
        let opened = sealed.map(|(who, count, status)| match who {
            "evaluator" | "owner" | "other owner" => (who, Some(2), 200),
            _ => (who, count, status),
        });
        assert_eq!(seen(&world, bid).await, opened);
        // Who is no longer named no longer reads.
        let path = format!("/v1/calls/{}/evaluators/{}", world.call, world.people["evaluator"]);
        world.of("owner").delete(&path, "\"1\"").await.expect(204);
        assert_eq!(ids(&world.of("evaluator").get(&world.bids()).await), [""; 0]);
    }

    async fn two_persons_open_after_the_deadline_and_nobody_else(engine) {
        let world = bidding(engine).await;
        world.bid("school's key", alone(&world.school, 10, 70)).await.expect(201);
        world.name("workshop's owner").await.expect(201);
        let refused = [
            ("owner", 409), ("evaluator", 409), ("workshop's owner", 409), ("funder's editor", 404), ("funder's viewer", 404),
            ("school's viewer", 404), ("stranger", 404), ("administrator", 404), ("funder's key", 403),
            ("administrator's key", 403), ("school's key", 403), ("nobody", 401),
        ];
        for (who, status) in refused {
            world.open(who).await.problem(status);
        }
        world.bid("workshop's key", alone(&world.workshop, 10, 90)).await.expect(201);
        world.pass_deadline().await;
        // Named, but of a bidder.
        world.open("workshop's owner").await.problem(404);
        for (who, status) in refused.into_iter().filter(|(_, status)| *status != 409) {
            world.open(who).await.problem(status);
        }
        for _ in 0..2 {
            let asked = world.open("owner").await.expect(200);
            assert_eq!(asked.body.get("opened_at"), None, "the same person twice does not count");
        }
        // Whoever asked first is no owner any more: the next one is the first.
        world.sql(&format!("UPDATE membership SET role = 'viewer' WHERE organisation_id = (SELECT funder_id FROM call) AND role = 'owner' \
            AND person_id IN (SELECT id FROM person WHERE email = '{}')", "owner@example.org")).await;
        let asked = world.open("evaluator").await.expect(200);
        assert_eq!((&asked["asked_by"], asked.body.get("opened_at")), (&json!(world.people["evaluator"]), None));
        // Nor does one count who has gone over to a bidder since.
        world.join("evaluator", &world.school, Role::Viewer).await;
        let asked = world.open("other owner").await.expect(200);
        assert_eq!((&asked["asked_by"], asked.body.get("opened_at")), (&json!(world.people["other owner"]), None));
        assert_eq!(ids(&world.of("other owner").get(&world.bids()).await), [""; 0]);
        world.name("stranger").await.problem(403);
        world.of("other owner").put_new(&format!("/v1/calls/{}/evaluators/{}", world.call, world.people["stranger"]), json!({})).await.expect(201);
        let opened = world.open("stranger").await.expect(200);
        assert!(opened["opened_at"].is_string() && opened["opened_by"] == world.people["stranger"].as_str());
        assert_eq!(ids(&world.of("stranger").get(&world.bids()).await).len(), 2);
        assert_eq!(ids(&world.of("evaluator").get(&world.bids()).await).len(), 1, "of its own organisation");
    }

    async fn of_persons_who_ask_at_once_one_is_first_and_one_opens(engine) {
        let world = bidding(engine).await;
        world.pass_deadline().await;
        let ask = async |who| world.open(who).await.expect(200).body;
        let answers = futures_util::future::join_all(["owner", "other owner", "evaluator", "owner"].map(ask)).await;
        let opened: Vec<&Value> = answers.iter().filter(|answer| answer.get("opened_at").is_some()).collect();
        assert!((2..=3).contains(&opened.len()), "{answers:#?}");
        assert!(opened.iter().all(|answer| *answer == opened[0] && answer["asked_by"] != answer["opened_by"]), "{answers:#?}");
    }

    async fn owners_of_the_funder_name_evaluators(engine) {
        let world = bidding(engine).await;
        let path = format!("/v1/calls/{}/evaluators", world.call);
        let one = format!("{path}/{}", world.people["evaluator"]);
        for who in ["owner", "funder's key"] {
            let named = world.of(who).get(&one).await.expect(200);
            assert_eq!(world.of(who).get(&path).await.expect(200)["items"], json!([named.body]));
            assert_eq!(world.of(who).put_new(&one, json!({})).await.expect(200).body, named.body, "named once");
        }
        for (who, status) in [
            ("evaluator", 403), ("stranger", 403), ("funder's editor", 403), ("funder's viewer", 403), ("school's key", 403),
            ("workshop's owner", 404), ("administrator", 404), ("administrator's key", 404), ("nobody", 401),
        ] {
            for answer in [
                world.of(who).get(&path).await, world.of(who).get(&one).await,
                world.of(who).put_new(&one, json!({})).await, world.of(who).delete(&one, "\"1\"").await,
            ] {
                answer.problem(status);
            }
        }
        world.of("owner").put_new(&format!("{path}/{NOWHERE}"), json!({})).await.problem(404);
        world.of("owner").delete(&one, "\"1\"").await.expect(204);
        world.of("owner").delete(&one, "\"1\"").await.problem(404);
        world.of("owner").get(&one).await.problem(404);
    }

    async fn faults_of_a_bid_are_all_told_where_they_stand(engine) {
        let world = bidding(engine).await;
        let good = together(&world.school, &world.workshop);
        let faulty = |change: &dyn Fn(&mut Value)| {
            let mut bid = good.clone();
            change(&mut bid);
            bid
        };
        let cases: Vec<(Value, &[&str])> = vec![
            (faulty(&|bid| bid["lots"] = json!(["training", "training", "cloud"])), &["/lots/1", "/lots/2", "/members/1/lots/0", "/allocations/1/need"]),
            (faulty(&|bid| bid["members"][1]["lots"] = json!(["training"])), &["/lots/0", "/allocations/1/organisation"]),
            (faulty(&|bid| bid["members"][1]["organisation"] = json!(NOWHERE)), &["/allocations/1/organisation", "/members/1/organisation"]),
            (faulty(&|bid| bid["members"][1]["organisation"] = json!(world.school)), &["/members/1/organisation", "/allocations/1/organisation"]),
            (faulty(&|bid| bid["members"][1]["role"] = json!("group-lead")), &["/members/1/role", "/members"]),
            (faulty(&|bid| bid["members"][0]["role"] = json!("subcont")), &["/members"]),
            (faulty(&|bid| bid["members"][0]["role"] = json!("sole-tenderer")), &["/members/1/role"]),
            (faulty(&|bid| bid["members"][1]["role"] = json!("subcont")), &["/members"]),
            (faulty(&|bid| bid["allocations"][0]["quantity"] = json!(1_201)), &["/allocations/0/quantity"]),
            (faulty(&|bid| bid["allocations"][0]["quantity"] = json!(1_199)), &["/allocations"]),
            (faulty(&|bid| bid["allocations"][1] = bid["allocations"][0].clone()), &["/allocations/1", "/allocations/1/quantity", "/amount_cents"]),
            (faulty(&|bid| bid["amount_cents"] = json!(5_100_001)), &["/amount_cents"]),
            (faulty(&|bid| bid["amount_cents"] = json!(-1)), &["/amount_cents"]),
            (faulty(&|bid| bid["organisation"] = json!(world.workshop)), &["/organisation"]),
            (faulty(&|bid| bid["organisation"] = json!(NOWHERE)), &["/organisation"]),
            (faulty(&|bid| bid["price"] = json!(1)), &["/price"]),
        ];
        for (bid, expected) in cases {
            let problem = world.bid("school's key", bid.clone()).await.problem(422);
            assert_eq!(places(&problem), expected, "{bid:#} {problem:#}");
        }
        let own = alone(&world.funder, 1, 1);
        assert_eq!(places(&world.bid("funder's key", own).await.problem(422)), ["/organisation"]);
        assert_eq!(places(&world.bid("administrator's key", faulty(&|bid| _ = bid.as_object_mut().unwrap().remove("organisation"))).await.problem(422)), ["/organisation"]);
        assert_eq!(ids(&world.of("school's key").get(&world.bids()).await), [""; 0], "nothing was kept");
        // Who belongs to one organisation need not name it.
        let unnamed = faulty(&|bid| _ = bid.as_object_mut().unwrap().remove("organisation"));
        let receipt = world.bid("school's key", unnamed).await.expect(201);
        assert_eq!(receipt["organisation"], json!(world.school));
        let bid = world.of("school's key").get(receipt.header("location")).await.expect(200);
        assert_eq!(bid["sealed"]["content"]["organisation"], json!(world.school));
        for who in ["school's viewer", "stranger"] {
            world.bid(who, good.clone()).await.problem(403);
        }
    }
}

/// The database has a clock of its own here: it stands where the test puts it, far from the one of the machine.
#[actix_web::test]
async fn the_clock_of_the_database_decides_to_the_microsecond() {
    let world = bidding(Engine::Postgres).await;
    let name = "SELECT quote_ident(current_database())";
    let name = sea_orm::Statement::from_string(world.db.get_database_backend(), name);
    let name: String = world.db.query_one_raw(name).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    for sql in [
        "CREATE TABLE test_clock AS SELECT timestamptz '2189-06-30 11:59:59.999999Z' AS now",
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now FROM public.test_clock'",
        &format!("ALTER DATABASE {name} SET search_path = public, pg_catalog"),
    ] {
        world.sql(sql).await;
    }
    let service = restarted(&world.app).await;
    let base = service.client.base().to_owned();
    let workshop = world.of("workshop's key").at(base.clone());
    let opening = format!("/v1/calls/{}/openings", world.call);
    let bid = workshop.post(&world.bids(), alone(&world.workshop, 10, 90)).await.expect(201);
    assert_eq!(bid["received_at"], "2189-06-30T11:59:59.999999Z");
    world.of("owner").at(base.clone()).post(&opening, json!({})).await.problem(409);
    world.sql("UPDATE test_clock SET now = '2189-06-30 12:00:00Z'").await;
    workshop.post(&world.bids(), alone(&world.workshop, 10, 80)).await.problem(409);
    workshop.delete(bid.header("location"), "\"1\"").await.problem(409);
    world.of("owner").at(base.clone()).post(&opening, json!({})).await.expect(200);
    let opened = world.of("evaluator").at(base).post(&opening, json!({})).await.expect(200);
    assert_eq!(opened["opened_at"], "2189-06-30T12:00:00Z");
}
