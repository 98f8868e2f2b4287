//! A consortium that somebody declines is mended, and partners are sought for one in the making.

use serde_json::{Value, json};

use super::team::{Actor, Team, events, member, of, team_for};
use crate::runs::patient;
use crate::support::app::Answer;
use crate::support::on_both_engines;
use crate::support::sample::{self, places};

/// A call with published costs, whose devices must all be there.
fn priced(call: &mut Value) {
    for (lot, more) in [
        (0_usize, json!({ "quantity": 100, "mandatory": true, "reference_unit_cost_cents": 9_000 })),
        (1, json!({ "reference_unit_cost_cents": 3_100 })),
    ] {
        call["lots"][lot]["needs"][0].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
}

async fn repaired(who: &Actor, path: &str) -> Answer {
    who.client.post_with(&format!("{path}/repairs"), patient(), json!({})).await
}

async fn offers_devices(who: &Actor) {
    who.client.post("/v1/capabilities", sample::devices(&who.id, 150, 10_000)).await.expect(201);
}

/// What a run of suggestions counted as the team, and the lots that it was about.
async fn team_of(who: &Actor, answer: &Answer) -> (Value, Value) {
    let run = who.client.get(&format!("/v1/runs/{}", answer["run"].as_str().unwrap())).await.expect(200);
    (run["options"]["question"]["partners"]["team"].clone(), run["options"]["lots"].clone())
}

fn search(team: &Team) -> String {
    format!("/v1/calls/{}/partner-suggestions", team.call)
}

on_both_engines! {
    async fn a_refusal_is_mended_by_the_least_change_and_all_sign(engine) {
        let team = team_for(engine, priced).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        school.client.post("/v1/capabilities", sample::hours(&school.id, 800, 3_000)).await.expect(201);
        offers_devices(workshop).await;
        let run = school.client.post_with(&format!("/v1/calls/{}/runs", team.call), patient(), json!({ "organisation": school.id })).await.expect(200);
        let new = json!({ "call": team.call, "name": "Calculé", "proposal": { "run": run["id"], "rank": 1 } });
        let path = school.client.post("/v1/consortia", new).await.expect(201).header("location").to_owned();
        let asked = of(&workshop.client.get(&path).await.expect(200).body, workshop);
        assert_eq!(asked["parts"][0]["quantity"], 100);
        workshop.client.post(&member(&path, workshop, "decline"), json!({ "reason": "Complet" })).await.expect(200);

        offers_devices(library).await;
        for (who, status) in [(workshop, 403), (library, 404), (&team.stranger, 404)] {
            repaired(who, &path).await.problem(status);
        }
        let repair = repaired(school, &path).await.expect(200);
        let reply = school.client.get(&format!("{}/reply", repair.header("location"))).await.expect(200);
        let plans = reply["repair"]["plans"].as_array().unwrap();
        assert_eq!((&plans[0]["joining"], &plans[0]["leaving"]), (&json!([library.id]), &json!([])));
        assert_eq!(plans[0]["extra_cents"], 0, "it costs what the other would have: the call's published costs count for both");
        let apply = format!("{path}/repairs/apply");
        let choice = |run: &Value, plan: i64| json!({ "run": run, "plan": plan });
        assert_eq!(places(&school.client.post(&apply, choice(&run["id"], 1)).await.problem(422)), ["/run"], "not a repair");
        assert_eq!(places(&school.client.post(&apply, choice(&repair["id"], 9)).await.problem(422)), ["/plan"]);
        workshop.client.post(&apply, choice(&repair["id"], 1)).await.problem(403);
        assert_eq!(events(library).await, Vec::<String>::new(), "a computation invites nobody");
        let mended = school.client.post(&apply, choice(&repair["id"], 1)).await.expect(200);
        assert_eq!(of(&mended.body, library)["standing"], "invited");
        assert_eq!(of(&mended.body, library)["parts"], asked["parts"], "the same part, at the same published cost");
        assert_eq!(of(&mended.body, school)["parts"][0]["quantity"], 1_200);

        team.accept(&path, library, json!({})).await.expect(200);
        team.sign(&path, library).await.expect(200);
        assert_eq!(team.sign(&path, school).await.expect(200)["phase"], "agreed");
        // It is of the consortium as it was: nothing is left to apply once somebody else has gone.
        library.client.post(&member(&path, library, "leave"), json!({})).await.expect(200);
        school.client.post(&apply, choice(&repair["id"], 1)).await.problem(409);
        assert_eq!(events(library).await, ["consortium.invited", "consortium.accepted", "consortium.signed", "consortium.signed", "consortium.agreed"]);
    }

    async fn partners_are_sought_for_those_who_have_accepted_by_one_of_them(engine) {
        let team = team_for(engine, priced).await;
        let (school, workshop, library) = (&team.school, &team.workshop, &team.library);
        school.client.post("/v1/capabilities", sample::hours(&school.id, 300, 3_000)).await.expect(201);
        for who in [workshop, &team.stranger] {
            offers_devices(who).await;
        }
        let path = team.founded().await;
        let id = path.rsplit('/').next().unwrap();
        let ask = async |who: &Actor, more: Value| {
            let mut body = json!({ "consortium": id, "exact": 0 });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            who.client.post(&search(&team), body).await
        };
        team.invite(&path, workshop, 99, json!({})).await.expect(200);
        team.invite(&path, library, 1, json!({})).await.expect(200);
        let before = ask(school, json!({})).await.expect(200);
        assert_eq!(team_of(school, &before).await, (json!([school.id]), json!(["equipment", "training"])), "who has not answered does not count");
        for who in [workshop, library, &team.stranger, &team.funder] {
            assert_eq!(places(&ask(who, json!({})).await.problem(422)), ["/consortium"]);
        }
        assert_eq!(places(&ask(school, json!({ "team": [school.id] })).await.problem(422)), ["/consortium"]);
        let other = team.another_call(|_| {}).await;
        let elsewhere = school.client.post(&format!("/v1/calls/{other}/partner-suggestions"), json!({ "consortium": id })).await;
        assert_eq!(places(&elsewhere.problem(422)), ["/consortium"]);
        for who in [workshop, library] {
            team.accept(&path, who, json!({})).await.expect(200);
        }
        let mut both = [school.id.as_str(), workshop.id.as_str()];
        let after = ask(workshop, json!({ "lots": ["equipment"] })).await.expect(200);
        let (counted, lots) = team_of(workshop, &after).await;
        let mut counted: Vec<&str> = counted.as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        counted.sort_unstable();
        both.sort_unstable();
        assert_eq!((counted, lots), (both.to_vec(), json!(["equipment"])), "the library has declared nothing");
    }
}
