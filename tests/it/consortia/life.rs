//! What happens to a consortium.

use chrono::SubsecRound as _;
use futures_util::future::join;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::team::{Team, events, member, of, team, team_for};
use crate::bids::digest_of;
use crate::runs::patient;
use crate::support::on_both_engines;
use crate::support::sample::{self, places};

/// The plan of the school and others, as its lead writes it.
fn plan(team: &Team, others: Vec<Value>) -> Value {
    let lead = json!({ "organisation": team.school.id, "role": "group-lead", "parts": [{ "need": "lessons", "quantity": 1_200 }] });
    sample::plan(&Value::Array([vec![lead], others].concat()))
}

on_both_engines! {
    async fn a_consortium_lives_from_the_first_invitation_to_the_last_signature(engine) {
        let team = team(engine).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        let path = team.founded().await;
        team.invite(&path, workshop, 100, json!({ "message": "Venez !" })).await.expect(200);
        // Twice is once too often, and nobody can be promised more than is asked.
        team.invite(&path, workshop, 100, json!({})).await.problem(409);
        assert_eq!(places(&team.invite(&path, library, 2_000_000_000, json!({ "role": "group-lead" })).await.problem(422)), ["/role", "/parts/0/quantity"]);
        let standby = team.invite(&path, library, 1, json!({ "alternate": true, "replaces": workshop.id, "parts": [] })).await.expect(200);
        assert_eq!(of(&standby.body, library)["standing"], "alternate");
        library.client.get(&path).await.problem(404);

        // The workshop says no: the library moves up into its part, and nobody asks the workshop again until it wishes so.
        let no = json!({ "reason": "Trop loin" });
        let gone = workshop.client.post(&member(&path, workshop, "decline"), no).await.expect(200);
        assert_eq!(gone["standing"], "declined");
        let seen = school.client.get(&path).await.expect(200);
        assert_eq!((&of(&seen.body, workshop)["reason"], &of(&seen.body, library)["standing"]), (&json!("Trop loin"), &json!("invited")));
        assert_eq!(of(&seen.body, library)["parts"], of(&seen.body, workshop)["parts"]);
        team.invite(&path, workshop, 100, json!({})).await.problem(409);
        workshop.client.post(&member(&path, workshop, "ask"), json!({})).await.expect(200);
        team.invite(&path, workshop, 50, json!({})).await.expect(200);

        // Terms that have changed are not those that were read.
        workshop.client.post(&member(&path, workshop, "accept"), json!({ "terms": 1 })).await.problem(409);
        team.accept(&path, workshop, json!({})).await.expect(200);
        assert!(school.client.get(&path).await.expect(200).body.get("digest").is_none(), "the library has not answered");
        school.client.post(&format!("{path}/sign"), json!({ "digest": "0".repeat(64) })).await.problem(409);
        team.accept(&path, library, json!({})).await.expect(200);

        // All sign the same digest, which anybody can work out.
        let seen = library.client.get(&path).await.expect(200);
        assert_eq!(seen["digest"], json!(digest_of(&seen["statement"])));
        library.client.post(&format!("{path}/sign"), json!({ "digest": "0".repeat(64) })).await.problem(409);
        for who in [school, workshop] {
            let signed = team.sign(&path, who).await.expect(200);
            assert_eq!((&signed["phase"], &signed["digest"]), (&json!("forming"), &seen["digest"]));
        }
        team.sign(&path, school).await.problem(409);
        assert_eq!(team.sign(&path, library).await.expect(200)["phase"], "agreed");

        // Any change voids the signatures.
        let part = |who: &str, quantity: i64| json!({ "organisation": who, "role": "group-mem", "parts": [{ "need": "kits", "quantity": quantity, "amount_cents": 5 }] });
        let etag = school.client.get(&path).await.expect(200).etag().to_owned();
        let changed = plan(&team, vec![part(&workshop.id, 60), part(&library.id, 100)]);
        let after = school.client.put(&path, &etag, changed).await.expect(200);
        assert_eq!((&after["phase"], &of(&after.body, school)["has_signed"]), (&json!("forming"), &json!(false)));
        assert_ne!(after["digest"], seen["digest"]);
        workshop.client.post(&format!("{path}/sign"), json!({ "digest": seen["digest"] })).await.problem(409);
        for who in [school, workshop, library] {
            team.sign(&path, who).await.expect(200);
        }
        let left = json!({ "reason": "Fermeture", "unable": true });
        workshop.client.post(&member(&path, workshop, "leave"), left).await.expect(200);
        let seen = school.client.get(&path).await.expect(200);
        assert_eq!((&seen["phase"], &of(&seen.body, workshop)["standing"]), (&json!("forming"), &json!("left")));
        let stale = school.client.delete(&path, &etag).await;
        stale.problem(412);
        school.client.delete(&path, seen.etag()).await.expect(204);
        let over = library.client.get(&path).await.expect(200);
        assert_eq!((&over["phase"], &over["ending"]), (&json!("ended"), &json!("abandoned")));
        team.sign(&path, library).await.problem(409);
        let told = |kinds: &[&str]| kinds.iter().map(|kind| format!("consortium.{kind}")).collect::<Vec<_>>();
        assert_eq!(events(library).await, told(&["invited", "accepted", "signed", "signed", "signed", "agreed", "changed", "signed", "signed", "signed", "agreed", "left", "dissolved"]));
        assert_eq!(events(workshop).await[..3], told(&["invited", "invited", "accepted"]));
        assert_eq!(events(school).await[..3], told(&["declined", "promoted", "asked_again"]));
        assert_eq!((events(&team.stranger).await, events(&team.funder).await), (vec![], vec![]));
    }

    async fn what_a_member_settles_is_its_own_and_stands_in_the_statement_all_the_same(engine) {
        let team = team(engine).await;
        let (school, workshop) = (&team.school, &team.workshop);
        let path = team.pair().await;
        let seen = workshop.client.get(&path).await.expect(200);
        let own = format!("{path}/members/{}", workshop.id);
        let wrong = json!({ "consent": {}, "amounts": [{ "need": "lessons", "amount_cents": 1 }] });
        assert_eq!(places(&workshop.client.put(&own, seen.etag(), wrong).await.problem(422)), ["/amounts/0/need", "/amounts"]);
        let terms = |share: bool| json!({ "consent": { "share_prices": share }, "amounts": [{ "need": "kits", "amount_cents": 7_654_321 }] });
        workshop.client.put(&own, "\"1000\"", terms(false)).await.problem(412);
        let settled = workshop.client.put(&own, seen.etag(), terms(false)).await.expect(200);
        let member = of(&settled.body, workshop);
        let opened = json!({ "amounts": [{ "need": "kits", "amount_cents": 7_654_321 }], "salt": member["salt"] });
        let committed = settled["statement"]["members"][1]["amounts"].clone();
        assert_eq!(committed, json!(digest_of(&opened)));

        let seen = school.client.get(&path).await.expect(200);
        assert!(!seen.body.to_string().contains("7654321"), "{:#}", seen.body);
        // The lead that leaves the amount alone keeps it, without knowing it; one that writes another makes an offer.
        let part = |more: Value| {
            let mut part = json!({ "need": "kits", "quantity": 100 });
            part.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            plan(&team, vec![json!({ "organisation": workshop.id, "role": "group-mem", "parts": [part] })])
        };
        let kept = school.client.put(&path, seen.etag(), part(json!({}))).await.expect(200);
        assert_eq!(kept["statement"]["members"][1]["amounts"], committed);
        let offered = school.client.put(&path, kept.etag(), part(json!({ "amount_cents": 5 }))).await.expect(200);
        assert_eq!(of(&offered.body, workshop)["parts"][0]["amount_cents"], 5);

        // Shared once both share.
        let etag = workshop.client.get(&path).await.expect(200).etag().to_owned();
        let etag = workshop.client.put(&own, &etag, terms(true)).await.expect(200).etag().to_owned();
        assert!(!school.client.get(&path).await.expect(200).body.to_string().contains("7654321"));
        assert!(!workshop.client.get(&path).await.expect(200).body.to_string().contains("3600000"));
        let lead = format!("{path}/members/{}", school.id);
        school.client.put(&lead, &etag, json!({ "consent": { "share_prices": true } })).await.expect(200);
        assert!(school.client.get(&path).await.expect(200).body.to_string().contains("7654321"));
        assert!(workshop.client.get(&path).await.expect(200).body.to_string().contains("3600000"));
    }

    async fn time_takes_invitations_back_and_moves_alternates_up(engine) {
        let team = team(engine).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        let path = team.founded().await;
        team.invite(&path, workshop, 100, json!({ "days_to_answer": 1 })).await.expect(200);
        team.invite(&path, library, 1, json!({ "alternate": true, "days_to_answer": 9, "parts": [] })).await.expect(200);
        library.client.get(&path).await.problem(404);
        assert_eq!(library.client.get("/v1/consortia").await.expect(200)["items"], json!([]));
        let (hour, sql) = (chrono::Utc::now().trunc_subsecs(0) - chrono::TimeDelta::hours(1), "UPDATE consortium_member SET answer_by = ");
        team.sql(&format!("{sql}'{}' WHERE standing = 'invited'", hour.format("%Y-%m-%dT%H:%M:%S+00:00"))).await;
        // Nobody has done anything: it is so by itself, for everybody alike.
        assert_eq!(workshop.client.get(&path).await.expect(200)["standing"], "expired");
        let invited = library.client.get(&path).await.expect(200);
        let by: chrono::DateTime<chrono::Utc> = of(&invited.body, library)["answer_by"].as_str().unwrap().parse().unwrap();
        assert_eq!((by - hour).num_days(), 9, "from the hour at which the other was late");
        assert_eq!(library.client.get("/v1/consortia").await.expect(200)["items"][0]["standing"], "invited");
        workshop.client.post(&member(&path, workshop, "accept"), json!({ "terms": 1 })).await.problem(409);
        let accepted = team.accept(&path, library, json!({})).await.expect(200);
        assert_eq!(of(&accepted.body, library)["parts"], json!([{ "need": "kits", "quantity": 100, "amount_cents": 10_000 }]));
        assert_eq!(events(workshop).await, ["consortium.invited", "consortium.expired"]);
        // Who was late may be asked again.
        team.invite(&path, workshop, 10, json!({})).await.expect(200);
        assert_eq!(school.client.get("/v1/consortia").await.expect(200)["items"][0]["phase"], "forming");
    }

    async fn after_candidacy_only_who_is_unable_goes_and_is_replaced(engine) {
        let team = team(engine).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        let path = team.pair().await;
        for who in [school, workshop] {
            team.sign(&path, who).await.expect(200);
        }
        // As filing leaves it, when the deadline has passed.
        team.sql("UPDATE consortium_member SET bound = signed").await;
        team.sql("UPDATE consortium SET phase = 'filed', due_at = '2020-01-01T00:00:00+00:00'").await;
        assert_eq!(school.client.get(&path).await.expect(200)["phase"], "frozen");
        workshop.client.post(&member(&path, workshop, "leave"), json!({})).await.problem(409);
        school.client.post(&member(&path, workshop, "rescind"), json!({})).await.problem(409);
        team.invite(&path, library, 1, json!({})).await.problem(409);
        let etag = school.client.get(&path).await.expect(200).etag().to_owned();
        school.client.delete(&path, &etag).await.problem(409);
        school.client.put(&path, &etag, plan(&team, vec![json!({ "organisation": workshop.id, "role": "group-mem" })])).await.problem(409);
        workshop.client.post(&member(&path, workshop, "leave"), json!({ "unable": true })).await.expect(200);
        team.invite(&path, library, 100, json!({})).await.expect(200);
        team.accept(&path, library, json!({})).await.expect(200);
        let seen = school.client.get(&path).await.expect(200);
        assert_eq!((&of(&seen.body, school)["bound_by"], of(&seen.body, library).get("bound_by")), (&json!(2), None));
        team.sign(&path, school).await.expect(200);
        let settled = team.sign(&path, library).await.expect(200);
        let bound: Vec<Value> = [school, library].map(|who| of(&settled.body, who)["bound_by"].clone()).into();
        assert_eq!((&settled["phase"], bound), (&json!("frozen"), vec![settled["plan"].clone(); 2]));
    }

    async fn a_proposal_becomes_a_consortium(engine) {
        // The costs of others are theirs: the run counts with what the call says.
        let priced = |call: &mut Value| {
            for (lot, more) in [(0_usize, json!({ "quantity": 100, "mandatory": true, "reference_unit_cost_cents": 9_000 })), (1, json!({ "reference_unit_cost_cents": 3_100 }))] {
                call["lots"][lot]["needs"][0].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            }
        };
        let team = team_for(engine, priced).await;
        let (school, workshop) = (&team.school, &team.workshop);
        school.client.post("/v1/capabilities", sample::hours(&school.id, 800, 3_000)).await.expect(201);
        workshop.client.post("/v1/capabilities", sample::devices(&workshop.id, 150, 10_000)).await.expect(201);
        let run = school.client.post_with(&format!("/v1/calls/{}/runs", team.call), patient(), json!({ "organisation": school.id })).await.expect(200);
        let proposal = school.client.get(&format!("{}/proposals", run.header("location"))).await.expect(200)["items"][0].clone();
        let new = |rank: i64, more: Value| {
            let mut new = json!({ "call": team.call, "name": "Calculé", "proposal": { "run": run["id"], "rank": rank } });
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            new
        };
        assert_eq!(places(&school.client.post("/v1/consortia", new(20, json!({}))).await.problem(422)), ["/proposal/rank"]);
        assert_eq!(places(&workshop.client.post("/v1/consortia", new(1, json!({}))).await.problem(422)), ["/proposal/run"], "a run of somebody else");
        let made = school.client.post("/v1/consortia", new(1, json!({}))).await.expect(201);
        let members = proposal["members"].as_array().unwrap();
        assert_eq!(made["members"].as_array().unwrap().len(), members.len());
        for member in members {
            let own = made["members"].as_array().unwrap().iter().find(|one| one["organisation"] == member["actor"]).unwrap();
            let sum: i64 = own["parts"].as_array().unwrap().iter().map(|part| part["amount_cents"].as_i64().unwrap()).sum();
            assert_eq!(json!(sum), member["amount_cents"]);
            let standing = if member["actor"] == json!(school.id) { "accepted" } else { "invited" };
            assert_eq!(own["standing"], standing);
        }
    }

    async fn of_two_who_act_at_once_one_is_second(engine) {
        let team = team(engine).await;
        let path = team.founded().await;
        for _ in 0..3 {
            team.invite(&path, &team.workshop, 1, json!({})).await.expect(200);
            let terms = of(&team.workshop.client.get(&path).await.body, &team.workshop)["terms"].clone();
            let (yes, back) = (member(&path, &team.workshop, "accept"), member(&path, &team.workshop, "rescind"));
            let (accepted, rescinded) = join(team.workshop.client.post(&yes, json!({ "terms": terms })), team.school.client.post(&back, json!({}))).await;
            // Excluded after it had accepted, or late with its answer: never both at once.
            assert_eq!(rescinded.status, 200);
            assert!([200, 409].contains(&accepted.status), "{:#}", accepted.body);
            assert_eq!(of(&rescinded.body, &team.workshop)["standing"], "rescinded");
        }
        let key = || HeaderMap::from_iter([("idempotency-key".parse().unwrap(), "one".parse().unwrap())]);
        let body = json!({ "organisation": team.workshop.id, "role": "subcont" });
        let invitations = format!("{path}/invitations");
        let first = team.school.client.post_with(&invitations, key(), body.clone()).await.expect(200);
        assert_eq!(team.school.client.post_with(&invitations, key(), body).await.expect(200).body, first.body);
    }

    async fn what_is_wrong_is_told_at_once(engine) {
        let team = team(engine).await;
        let school = &team.school.client;
        let wrong = json!({ "call": team.call, "name": "x", "lots": ["equipment", "none", "equipment"], "parts": [{ "need": "lessons", "quantity": 1 }, { "need": "kits", "quantity": 1 }, { "need": "kits", "quantity": 1 }] });
        assert_eq!(places(&school.post("/v1/consortia", wrong).await.problem(422)), ["/lots/1", "/lots/2", "/parts/0/need", "/parts/2/need"]);
        let nowhere = json!({ "call": team.school.id, "name": "x" });
        assert_eq!(places(&school.post("/v1/consortia", nowhere).await.problem(422)), ["/call"]);
        let own = json!({ "call": team.call, "name": "x" });
        assert_eq!(places(&team.funder.client.post("/v1/consortia", own).await.problem(422)), ["/organisation"]);
        let path = team.pair().await;
        let etag = school.get(&path).await.expect(200).etag().to_owned();
        school.put(&path, "\"1\"", plan(&team, vec![])).await.problem(412);
        let stranger = json!({ "organisation": team.stranger.id, "role": "sole-tenderer", "parts": [{ "need": "none", "quantity": 1 }] });
        let faults = school.put(&path, &etag, plan(&team, vec![stranger])).await.problem(422);
        assert_eq!(places(&faults), ["/members/1/organisation", "/members/1/role", "/members/1/parts/0/need", "/members"]);
        team.invite(&path, &team.funder, 1, json!({})).await.problem(422);
        team.workshop.client.put(&path, &etag, plan(&team, vec![])).await.problem(403);
        team.workshop.client.post(&format!("{path}/invitations"), json!({ "organisation": team.stranger.id, "role": "subcont" })).await.problem(403);
    }
}
