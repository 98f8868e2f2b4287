//! Consortia that are kept for the next call, and what a contract won together teaches.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::consortia::team::{Actor, Team, member, of, profile, team, team_for};
use crate::runs::patient;
use crate::support::sample::{self, places};
use crate::support::{on_both_engines, people};

/// The school and the workshop, with what they can do, in a consortium that both have signed; gives its path.
async fn agreed(team: &Team) -> String {
    let (school, workshop) = (&team.school, &team.workshop);
    school.client.post("/v1/capabilities", sample::hours(&school.id, 800, 3_000)).await.expect(201);
    workshop.client.post("/v1/capabilities", sample::devices(&workshop.id, 150, 10_000)).await.expect(201);
    let path = team.pair().await;
    for who in [school, workshop] {
        team.sign(&path, who).await.expect(200);
    }
    path
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// Has the school keep a consortium; gives the path of the framework.
async fn kept(team: &Team, consortium: &str) -> String {
    let new = json!({ "consortium": id(consortium), "name": "Toujours ensemble" });
    team.school.client.post("/v1/frameworks", new).await.expect(201).header("location").to_owned()
}

/// The kinds of events on frameworks that somebody has read.
async fn told(who: &Actor) -> Vec<String> {
    let feed = who.client.get("/v1/events?limit=100").await.expect(200);
    let kinds = feed["items"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind.starts_with("framework.")).collect()
}

/// What has changed in somebody.
async fn changes(path: &str, reader: &Actor, whose: &Actor) -> Value {
    let answer = reader.client.get(&format!("{path}/changes")).await.expect(200);
    of(&answer.body, whose)
}

on_both_engines! {
    async fn a_consortium_is_kept_with_those_who_say_so_and_nobody_else_learns_of_it(engine) {
        let team = team(engine).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        let forming = team.founded().await;
        let new = |path: &str| json!({ "consortium": id(path), "name": "Toujours" });
        school.client.post("/v1/frameworks", new(&forming)).await.problem(409);
        let consortium = agreed(&team).await;
        for who in [workshop, library, &team.funder] {
            assert_eq!(places(&who.client.post("/v1/frameworks", new(&consortium)).await.problem(422)), ["/consortium"]);
        }
        let made = school.client.post("/v1/frameworks", new(&consortium)).await.expect(201);
        let path = made.header("location").to_owned();
        assert_eq!((&made["kept_in"], &made["months"], &made["call"]), (&json!("agreed"), &json!(24), &json!(team.call)));
        let part = json!([{ "need": "kits", "service": "equipment-refurbishing", "territory": sample::METROPOLE, "unit": "device", "quantity": 100 }]);
        assert_eq!((&of(&made.body, workshop)["parts"], &of(&made.body, workshop)["standing"]), (&part, &json!("asked")));
        let shown = &of(&made.body, workshop)["kept"]["capabilities"][0];
        assert_eq!(shown["band"], json!({ "at_least": 100, "below": 200 }));
        assert!(!made.body.to_string().contains("cents"), "no amount is remembered: {:#}", made.body);

        // Who is asked sees the lead and itself, and what others do does not show.
        let asked = workshop.client.get(&path).await.expect(200);
        assert_eq!((&asked["standing"], asked["members"].as_array().unwrap().len()), (&json!("asked"), 2));
        workshop.client.get(&format!("{path}/changes")).await.problem(403);
        workshop.client.delete(&path, asked.etag()).await.problem(403);
        for who in [library, &team.funder, &team.stranger] {
            who.client.get(&path).await.problem(404);
            who.client.get(&format!("{path}/changes")).await.problem(404);
            who.client.post(&member(&path, who, "accept"), json!({})).await.problem(404);
            who.client.post(&member(&path, workshop, "accept"), json!({})).await.problem(404);
            who.client.delete(&path, "\"1\"").await.problem(404);
            assert_eq!(who.client.get("/v1/frameworks").await.expect(200)["items"], json!([]));
        }
        school.client.post(&member(&path, school, "leave"), json!({})).await.problem(409);
        let stays = workshop.client.post(&member(&path, workshop, "accept"), json!({})).await.expect(200);
        assert_eq!((&stays["standing"], &stays["version"]), (&json!("accepted"), &json!(2)));
        workshop.client.post(&member(&path, workshop, "accept"), json!({})).await.problem(409);
        for who in [school, workshop] {
            let list = who.client.get("/v1/frameworks").await.expect(200);
            assert_eq!(list["items"][0], json!({ "id": made["id"], "seen_as": who.id, "standing": "accepted", "lead": school.id, "name": "Toujours", "kept_at": made["kept_at"] }));
        }
        let gone = workshop.client.post(&member(&path, workshop, "leave"), json!({})).await.expect(200);
        assert_eq!(gone["standing"], "left");
        workshop.client.get(&format!("{path}/changes")).await.problem(403);
        workshop.client.post(&member(&path, workshop, "accept"), json!({})).await.expect(200);
        school.client.delete(&path, made.etag()).await.problem(412);
        let etag = school.client.get(&path).await.expect(200).etag().to_owned();
        school.client.delete(&path, &etag).await.expect(204);
        workshop.client.post(&member(&path, workshop, "leave"), json!({})).await.problem(409);
        assert!(workshop.client.get(&path).await.expect(200)["ended_at"].is_string());
        let kinds = |kinds: &[&str]| kinds.iter().map(|kind| format!("framework.{kind}")).collect::<Vec<_>>();
        assert_eq!(told(school).await, kinds(&["accepted", "left", "accepted"]));
        assert_eq!(told(workshop).await, kinds(&["asked", "accepted", "accepted", "ended"]));
        assert_eq!((told(library).await, told(&team.funder).await), (vec![], vec![]));
    }

    async fn what_has_changed_since_is_told_by_what_everybody_may_know(engine) {
        let team = team(engine).await;
        let (school, workshop) = (&team.school, &team.workshop);
        profile(workshop, json!({ "credentials": [{ "code": "esus", "valid_to": "2189-06-01" }, { "code": "qualiopi", "number": "Q-1" }] })).await;
        let consortium = agreed(&team).await;
        let path = kept(&team, &consortium).await;
        workshop.client.post(&member(&path, workshop, "accept"), json!({})).await.expect(200);
        let nothing = changes(&path, school, workshop).await;
        assert_eq!((&nothing["capabilities"], &nothing["credentials"], &nothing["gone"]), (&json!([]), &json!([]), &json!(false)));

        let offers = workshop.client.get(&format!("/v1/capabilities?organisation={}", workshop.id)).await.expect(200);
        let offer = &offers["items"][0]["id"].as_str().unwrap();
        let put = async |version: i64, per_year: i64, more: Value| {
            let mut body = sample::devices(&workshop.id, per_year, 20_000);
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            workshop.client.put(&format!("/v1/capabilities/{offer}"), &format!("\"{version}\""), body).await.expect(200);
        };
        // Within the band nobody else sees it.
        put(1, 199, json!({})).await;
        assert_eq!(changes(&path, school, workshop).await, nothing);
        put(2, 43, json!({ "territories": [sample::NORTH] })).await;
        profile(workshop, json!({ "credentials": [{ "code": "esus", "valid_to": "2189-06-01" }, { "code": "aidants", "valid_to": "2191-01-01" }] })).await;
        let seen = changes(&path, school, workshop).await;
        assert_eq!(seen["capabilities"], json!([{
            "capability": offer, "services": ["equipment-refurbishing"], "changes": ["shrunk", "narrowed"],
            "before": { "at_least": 100, "below": 200 }, "now": { "at_least": 20, "below": 50 }
        }]));
        assert_eq!(seen["credentials"], json!([{ "code": "aidants", "change": "new", "valid_to": "2191-01-01" }, { "code": "qualiopi", "change": "withdrawn" }]));

        // In a call, on its days, and by what each may know of the others.
        let next = team.another_call(|call| {
            call["duration_months"] = json!(48);
            for (lot, more) in [(0_usize, json!({ "quantity": 2_000, "mandatory": true, "reference_unit_cost_cents": 9_000 })), (1, json!({ "reference_unit_cost_cents": 3_100 }))] {
                call["lots"][lot]["needs"][0].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            }
        }).await;
        let strict = team.another_call(|call| {
            call["eligibility"] = json!([
                { "code": "esus", "criterion": "credential", "credential": "esus", "scope": "any_member" },
                { "code": "aidants", "criterion": "credential", "credential": "aidants", "scope": "any_member" },
                { "code": "each", "criterion": "credential", "credential": "aidants", "scope": "each_member" },
                { "code": "turnover", "criterion": "turnover", "minimum_cents": 100, "scope": "each_member" }
            ]);
        }).await;
        let of_call = async |who: &Actor, call: &str| who.client.get(&format!("{path}/changes?call={call}")).await.expect(200);
        let in_call = async |who: &Actor| of_call(who, &next).await;
        let seen = in_call(school).await;
        assert_eq!(of(&seen.body, workshop)["credentials"][1], json!({ "code": "esus", "change": "expiring", "valid_to": "2189-06-01" }));
        let covered = |answer: &Value| answer["fit"]["needs"].as_array().unwrap().iter().map(|need| need["covered"].clone()).collect::<Vec<_>>();
        assert_eq!(covered(&seen.body), [json!(80), json!(2_400)], "the lower end of the band of others, one's own exactly");
        assert_eq!(covered(&in_call(workshop).await.body), [json!(172), json!(2_000)]);
        let conditions = |answer: &Value| answer["fit"]["conditions"].as_array().unwrap().iter().map(|one| (one["verdict"].as_str().unwrap().to_owned(), one["met_by"].as_array().unwrap().len())).collect::<Vec<_>>();
        let expected = |verdicts: [(&str, usize); 4]| verdicts.map(|(verdict, count)| (verdict.to_owned(), count)).to_vec();
        assert_eq!(conditions(&of_call(school, &strict).await.body), expected([("broken", 0), ("kept", 1), ("broken", 1), ("broken", 0)]));
        profile(school, json!({ "turnover_cents": 100 })).await;
        assert_eq!(conditions(&of_call(school, &strict).await.body)[3], ("not_judged".to_owned(), 1), "the turnover of others is not told");
        assert_eq!(seen["fit"]["missing"][0]["need"], "kits");

        // The partner that is missing is found with the team that is told.
        team.library.client.post("/v1/capabilities", sample::devices(&team.library.id, 5_000, 10_000)).await.expect(201);
        let search = json!({ "organisation": school.id, "team": seen["fit"]["team"] });
        let found = school.client.post(&format!("/v1/calls/{next}/partner-suggestions"), search).await.expect(200);
        assert_eq!(found["partners"][0]["organisation"], json!(team.library.id), "{:#}", found.body);

        for call in [Uuid::now_v7().to_string(), sample::created(&team.funder.client, "/v1/calls", crate::support::bidding::call(&team.funder.id)).await] {
            school.client.get(&format!("{path}/changes?call={call}")).await.problem(400);
        }
        // Gone altogether.
        let workshop_id: Uuid = workshop.id.parse().unwrap();
        for table in ["consortium_part", "consortium_member", "consortium_signature"] {
            people::execute(&team.app, &format!("DELETE FROM {table} WHERE organisation_id = $1"), [workshop_id.into()]).await;
        }
        let own = format!("/v1/organisations/{workshop_id}");
        let etag = workshop.client.get(&own).await.expect(200).etag().to_owned();
        workshop.client.delete(&own, &etag).await.expect(204);
        let seen = in_call(school).await;
        assert_eq!(of(&seen.body, workshop), json!({ "organisation": workshop.id, "standing": "accepted", "gone": true, "capabilities": [], "credentials": [] }));
        assert_eq!((&seen["fit"]["team"], covered(&seen.body)[0].clone()), (&json!([school.id]), json!(0)));
    }

    async fn a_consortium_begins_with_those_who_stay_and_what_they_did_before(engine) {
        let team = team(engine).await;
        let (school, workshop) = (&team.school, &team.workshop);
        let consortium = agreed(&team).await;
        let path = kept(&team, &consortium).await;
        let next = team.another_call(|call| {
            call["duration_months"] = json!(48);
            call["lots"][1]["needs"][0]["quantity"] = json!(500);
            call["lots"][1]["needs"][0]["code"] = json!("courses");
        }).await;
        let new = |more: Value| {
            let mut new = json!({ "call": next, "name": "De nouveau", "framework": id(&path) });
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            new
        };
        let found = async |who: &Actor, more: Value| who.client.post("/v1/consortia", new(more)).await;
        let proposal = json!({ "proposal": { "run": Uuid::now_v7(), "rank": 1 } });
        assert_eq!(places(&found(school, proposal).await.problem(422)), ["/framework"]);
        assert_eq!(places(&found(school, json!({ "parts": [{ "need": "kits", "quantity": 1 }] })).await.problem(422)), ["/parts"]);
        assert_eq!(places(&found(school, json!({ "framework": Uuid::now_v7() })).await.problem(422)), ["/framework"]);
        assert_eq!(places(&found(workshop, json!({})).await.problem(422)), ["/framework"], "it does not lead it");
        let alone = found(school, json!({})).await.expect(201);
        assert_eq!(alone["members"].as_array().unwrap().len(), 1, "who has not said yes is not invited");

        workshop.client.post(&member(&path, workshop, "accept"), json!({})).await.expect(200);
        let made = found(school, json!({})).await.expect(201);
        // As much a year as before, and no more than is asked for; for how much is open.
        assert_eq!(of(&made.body, school)["parts"], json!([{ "need": "courses", "quantity": 2_000 }]));
        let theirs = of(&made.body, workshop);
        assert_eq!((&theirs["parts"], &theirs["standing"], &theirs["role"]), (&json!([{ "need": "kits", "quantity": 200 }]), &json!("invited"), &json!("group-mem")));
        let invited = workshop.client.get(made.header("location")).await.expect(200);
        assert_eq!(invited["standing"], "invited");
        let one_lot = found(school, json!({ "lots": ["equipment"] })).await.expect(201);
        assert_eq!(of(&one_lot.body, school)["parts"], json!([]));

        let etag = school.client.get(&path).await.expect(200).etag().to_owned();
        school.client.delete(&path, &etag).await.expect(204);
        found(school, json!({})).await.problem(409);
    }

    async fn what_one_answers_and_keeps_is_in_its_export_without_the_amounts_of_others(engine) {
        let team = team(engine).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        let consortium = team.founded().await;
        team.invite(&consortium, workshop, 12_345, json!({})).await.expect(200);
        team.accept(&consortium, workshop, json!({ "share_prices": true })).await.expect(200);
        team.invite(&consortium, library, 1, json!({ "alternate": true })).await.expect(200);
        let seen = school.client.get(&consortium).await.expect(200);
        let own = format!("{consortium}/members/{}", school.id);
        school.client.put(&own, seen.etag(), json!({ "consent": { "share_prices": true } })).await.expect(200);
        for who in [school, workshop] {
            team.sign(&consortium, who).await.expect(200);
        }
        let path = kept(&team, &consortium).await;
        let export = async |who: &Actor| who.client.get(&format!("/v1/organisations/{}/export", who.id)).await.expect(200);
        let ids = |answer: &Value, list: &str| answer[list].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        for (who, amount, of_another) in [(school, "3600000", "1234500"), (workshop, "1234500", "3600000")] {
            let answer = export(who).await;
            assert_eq!((ids(&answer.body, "consortia"), ids(&answer.body, "frameworks")), (vec![id(&consortium).to_owned()], vec![id(&path).to_owned()]));
            let text = answer["consortia"].to_string();
            assert!(text.contains(amount) && !text.contains(of_another), "{text}");
            assert_eq!(answer["frameworks"][0]["seen_as"], json!(who.id));
        }
        let answer = export(library).await;
        assert_eq!((ids(&answer.body, "consortia"), ids(&answer.body, "frameworks")), (vec![], vec![]), "who only stands by is not to know");
    }

    async fn a_contract_won_together_relates_its_members_and_ends_after_its_last_day(engine) {
        let priced = |call: &mut Value| {
            for (lot, more) in [(0_usize, json!({ "quantity": 100, "mandatory": true, "reference_unit_cost_cents": 9_000 })), (1, json!({ "reference_unit_cost_cents": 3_100 }))] {
                call["lots"][lot]["needs"][0].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            }
        };
        let team = team_for(engine, priced).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        school.client.post("/v1/capabilities", sample::hours(&school.id, 800, 3_000)).await.expect(201);
        workshop.client.post("/v1/capabilities", sample::devices(&workshop.id, 150, 10_000)).await.expect(201);
        let next = team.another_call(priced).await;
        let cohesion = async || {
            let run = school.client.post_with(&format!("/v1/calls/{next}/runs"), patient(), json!({ "organisation": school.id })).await.expect(200);
            school.client.get(&format!("{}/proposals", run.header("location"))).await.expect(200)["items"][0]["cohesion"].clone()
        };
        assert_eq!(cohesion().await, json!({ "known_pairs": 0, "pairs": 1 }));
        let path = team.founded().await;
        team.invite(&path, workshop, 99, json!({})).await.expect(200);
        team.invite(&path, library, 1, json!({ "role": "subcont" })).await.expect(200);
        for who in [workshop, library] {
            team.accept(&path, who, json!({})).await.expect(200);
        }
        let bid = team.filed(&path, &[school, workshop, library]).await;
        team.opened(&team.call).await;
        let complete = format!("{path}/complete");
        school.client.post(&complete, json!({})).await.problem(409);
        let relations = async || team.stranger.client.get("/v1/relations").await.expect(200)["items"].clone();
        assert_eq!(relations().await, json!([]));
        team.chosen(&team.call, &bid).await;
        assert_eq!(school.client.get(&path).await.expect(200)["phase"], "execution");
        let first = relations().await;
        assert_eq!(first.as_array().unwrap().len(), 1, "a subcontractor is no member: {first:#}");
        let relation = &first[0];
        let mut pair = [&school.id, &workshop.id];
        pair.sort();
        assert_eq!([&relation["a"], &relation["b"]], pair.map(|id| json!(id)).each_ref());
        let today = chrono::Utc::now().date_naive().to_string();
        assert_eq!((&relation["kind"], &relation["strength_percent"], &relation["since"]), (&json!("co_contracting"), &json!(60), &json!(today)));
        assert!(relation["source"].as_str().unwrap().contains(&team.call), "{relation:#}");
        assert_eq!(cohesion().await, json!({ "known_pairs": 1, "pairs": 1 }));
        for who in [school, workshop] {
            let log = who.client.get(&format!("/v1/organisations/{}/audit?limit=100", who.id)).await.expect(200);
            let entry = log["items"].as_array().unwrap().iter().find(|one| one["subject"] == json!(format!("relation:{}", relation["id"].as_str().unwrap()))).cloned().unwrap();
            assert_eq!((&entry["action"], &entry["details"]["call"]), (&json!("record_decision"), &json!(team.call)));
        }

        // The contract runs, then is over; what it taught stays.
        let runs = school.client.post(&complete, json!({})).await.problem(409);
        assert!(runs["detail"].as_str().unwrap().contains("2191-12-31"), "{runs:#}");
        workshop.client.post(&complete, json!({})).await.problem(403);
        team.stranger.client.post(&complete, json!({})).await.problem(404);
        team.sql("UPDATE call SET starts_on = '2020-01-01'").await;
        let over = school.client.post(&complete, json!({})).await.expect(200);
        assert_eq!((&over["phase"], &over["ending"]), (&json!("ended"), &json!("completed")));
        school.client.post(&complete, json!({})).await.problem(409);

        // A further contract makes the relation stronger, up to a hundred; it goes on, and what somebody wrote stays.
        team.sql("UPDATE relation SET strength_percent = 85, until = '2021-01-01', since = '2019-05-01', source = NULL").await;
        let second = team.another_call(priced).await;
        let new = json!({ "call": second, "name": "De nouveau", "parts": [{ "need": "lessons", "quantity": 1_200, "amount_cents": 1 }] });
        let path = school.client.post("/v1/consortia", new).await.expect(201).header("location").to_owned();
        team.invite(&path, workshop, 100, json!({})).await.expect(200);
        team.accept(&path, workshop, json!({})).await.expect(200);
        let bid = team.filed(&path, &[school, workshop]).await;
        team.opened(&second).await;
        team.chosen(&second, &bid).await;
        let stronger = relations().await[0].clone();
        assert_eq!((&stronger["id"], &stronger["version"], &stronger["strength_percent"]), (&relation["id"], &json!(2), &json!(100)));
        assert_eq!((&stronger["since"], stronger.get("until")), (&json!("2019-05-01"), None));
        assert!(stronger["source"].as_str().unwrap().contains(&second), "{stronger:#}");
    }
}
