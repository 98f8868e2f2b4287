//! Partners who complement each other, teams put to the test, why somebody is not proposed, calls that suit an organisation.

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::support::app::{Answer, Client};
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, Market, created, places};
use crate::support::service::{App, setup, spawn, spawn_with};
use crate::support::world::{ALL_SCOPES, key};

const NOBODY: &str = "019e0000-0000-7000-8000-000000000000";

/// A market whose call is published, with reference costs; keys of the workshop and of the school.
struct World {
    app: App,
    market: Market,
    call: String,
    workshop: Client,
    school: Client,
}

/// The call of the sample at reference costs, with a condition that the school alone meets.
fn call(funder: &str) -> Value {
    let mut call = sample::call(funder);
    call["lots"][0]["needs"][0]["reference_unit_cost_cents"] = json!(15_000);
    call["lots"][1]["needs"][0]["reference_unit_cost_cents"] = json!(4_000);
    call["eligibility"] = json!([
        { "code": "certified", "criterion": "credential", "scope": "any_member", "credential": "qualiopi" }
    ]);
    call
}

async fn world(engine: Engine) -> World {
    let app = spawn(engine).await;
    let market = sample::market(&app).await;
    let path = format!("/v1/organisations/{}", market.school);
    let school = json!({ "name": "École Pas à Pas", "credentials": [{ "code": "qualiopi" }] });
    app.put(&path, "\"1\"", school).await.expect(200);
    let call = created(&app, "/v1/calls", call(&market.funder)).await;
    app.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
    let workshop = key(&app, &app, &market.workshop, "owner", ALL_SCOPES).await;
    let school = key(&app, &app, &market.school, "owner", ALL_SCOPES).await;
    World { app, market, call, workshop, school }
}

impl World {
    async fn ask(&self, client: &Client, question: &str, body: Value) -> Answer {
        client.post(&format!("/v1/calls/{}/{question}", self.call), body).await
    }
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().unwrap()
}

/// A rule of a report, by family and condition.
fn verdict<'v>(report: &'v Answer, rule: &str, condition: Option<&str>) -> &'v Value {
    let is_it = |one: &&Value| one["rule"] == rule && one.get("condition").and_then(Value::as_str) == condition;
    &list(&report.body, "rules").iter().find(is_it).unwrap_or_else(|| panic!("{rule} is not in {:#}", report.body))["verdict"]
}

on_both_engines! {
    async fn partners_are_ranked_by_what_they_complement(engine) {
        let world = world(engine).await;
        let told = world.ask(&world.workshop, "partner-suggestions", json!({})).await.expect(200);
        assert_eq!((&told["status"], &told["cut_short"], &told["call_version"]), (&json!("optimal"), &json!(false), &json!(2)));
        let partners = list(&told.body, "partners");
        let ids: Vec<&Value> = partners.iter().map(|one| &one["organisation"]).collect();
        assert_eq!(ids[0], &json!(world.market.school), "{:#}", told.body);
        let school = &partners[0];
        assert_eq!((&school["gain"]["kind"], &school["in_best"], school.get("cost_change_cents")), (&json!("indispensable"), &json!(true), None));
        // The band of its 800 hours a year counts for 500: a thousand of the 1,200 over two years.
        assert_eq!(school["covers"], json!([{
            "need": "lessons", "lot": "training", "service": "training-daily-tools", "territory": METROPOLE, "unit": "hour", "quantity": 1_000
        }]));
        assert_eq!(school["conditions"], json!(["certified"]));
        let reasons: Vec<&str> = list(school, "reasons").iter().map(|one| one["en"].as_str().unwrap()).collect();
        assert_eq!(reasons, [
            "Without it, no consortium with the team can answer.",
            "Ateliers: with it the team can deliver 1,000 hours more, in 1 place.",
            "It meets the condition `certified`, which nobody in the team meets.",
        ]);
        assert!(list(school, "reasons").iter().all(|one| one["fr"].as_str().unwrap().ends_with('.')));
        // The reply of the run has the consortia in full.
        let place = told.header("location").to_owned();
        assert_eq!(place, format!("/v1/runs/{}", told["run"].as_str().unwrap()));
        let run = world.workshop.get(&place).await.expect(200);
        assert_eq!((&run["state"], &run["fingerprint"]), (&json!("succeeded"), &told["fingerprint"]));
        let reply = world.workshop.get(&format!("{place}/reply")).await.expect(200);
        assert_eq!(reply["partners"]["partners"][0]["actor"], json!(world.market.school));
        world.school.get(&place).await.problem(404);
        // The same question on the same market has the same answer.
        let again = world.ask(&world.workshop, "partner-suggestions", json!({})).await.expect(200);
        assert_eq!((&again["partners"], &again["fingerprint"]), (&told["partners"], &told["fingerprint"]));
    }

    async fn lots_settled_partners_and_exclusions_narrow_the_search(engine) {
        let world = world(engine).await;
        let of_lot = world.ask(&world.workshop, "partner-suggestions", json!({ "lots": ["equipment"] })).await.expect(200);
        assert_eq!(of_lot["status"], "infeasible", "of this lot, nobody who can work for it holds the certificate: {:#}", of_lot.body);
        let both = json!({ "locked_in": [world.market.school], "locked_out": [world.market.generalist] });
        let settled = world.ask(&world.workshop, "partner-suggestions", both).await.expect(200);
        let named = |one: &Value| [&world.market.school, &world.market.generalist].iter().any(|id| one["organisation"] == json!(id));
        assert!(!list(&settled.body, "partners").iter().any(named), "{:#}", settled.body);
        let without = json!({ "locked_out": [world.market.school] });
        let without = world.ask(&world.workshop, "partner-suggestions", without).await.expect(200);
        assert_eq!((&without["status"], without["infeasibility"].is_object()), (&json!("infeasible"), true));
    }

    async fn where_nobody_can_answer_in_full_partners_are_those_who_cover_more(engine) {
        let world = world(engine).await;
        let mut vast = call(&world.market.funder);
        vast["lots"][1]["needs"][0]["quantity"] = json!(50_000);
        let vast = created(&world.app, "/v1/calls", vast).await;
        world.app.post(&format!("/v1/calls/{vast}/publish"), json!({})).await.expect(200);
        let told = world.workshop.post(&format!("/v1/calls/{vast}/partner-suggestions"), json!({})).await.expect(200);
        assert_eq!((&told["relaxed"], told["infeasibility"].is_object()), (&json!(true), true), "{:#}", told.body);
        let school = &told["partners"][0];
        assert_eq!((&school["organisation"], &school["covers"][0]["quantity"]), (&json!(world.market.school), &json!(1_000)));
        // Nobody else holds the certificate, and the reply that is kept is to the question as the call puts it.
        assert_eq!(school["gain"]["kind"], "indispensable");
        let reply = world.workshop.get(&format!("{}/reply", told.header("location"))).await.expect(200);
        assert_eq!(reply["partners"]["status"], "infeasible");
    }

    async fn a_reservation_counts_for_its_owner_alone(engine) {
        let world = world(engine).await;
        let before = world.ask(&world.school, "partner-suggestions", json!({})).await.expect(200);
        let path = format!("/v1/organisations/{}/reservations", world.market.workshop);
        world.workshop.post(&path, json!({ "against": world.market.school })).await.expect(201);
        let own = world.ask(&world.workshop, "partner-suggestions", json!({})).await.expect(200);
        let suggested = |told: &Answer, id: &str| list(&told.body, "partners").iter().any(|one| one["organisation"] == json!(id));
        assert!(!suggested(&own, &world.market.school), "{:#}", own.body);
        let after = world.ask(&world.school, "partner-suggestions", json!({})).await.expect(200);
        assert!(suggested(&after, &world.market.workshop));
        assert_eq!((&after["partners"], &after["fingerprint"]), (&before["partners"], &before["fingerprint"]));
    }

    async fn a_team_that_can_answer_is_told_who_is_not_necessary(engine) {
        let world = world(engine).await;
        let team = json!([world.market.workshop, world.market.school, world.market.generalist]);
        let told = world.ask(&world.workshop, "team-checks", json!({ "team": team })).await.expect(200);
        assert_eq!((&told["status"], &told["coverage_percent"]), (&json!("optimal"), &json!(100.0)), "{:#}", told.body);
        for (rule, condition) in [("demand", None), ("budget", None), ("eligibility", Some("certified"))] {
            assert_eq!(verdict(&told, rule, condition), "kept", "{rule}");
        }
        assert_eq!((&told["missing"], &told["completed_by"]), (&json!([]), &json!([])));
        // The workshop alone knows that it can do 300 devices; the school counts for 1,000 hours of 1,200.
        assert_eq!((&told["unnecessary"], &told["warnings"]), (&json!([]), &json!([])));

        let extra = sample::organisation(&world.app, "De trop").await;
        created(&world.app, "/v1/capabilities", sample::devices(&extra, 500, 9_000)).await;
        let team = json!([world.market.workshop, world.market.school, world.market.generalist, extra]);
        let told = world.ask(&world.workshop, "team-checks", json!({ "team": team })).await.expect(200);
        let unnecessary: Vec<&Value> = list(&told.body, "unnecessary").iter().map(|one| &one["actor"]).collect();
        assert!(unnecessary.contains(&&json!(extra)), "{:#}", told.body);
        let warning = &told["warnings"][0];
        assert_eq!(warning["code"], "oversized_group");
        assert!(warning["text"]["en"].as_str().unwrap().contains("De trop") && warning["text"]["fr"].as_str().unwrap().contains("droit de la concurrence"));
    }

    async fn a_team_that_cannot_answer_is_told_what_it_breaks_and_what_is_missing(engine) {
        let world = world(engine).await;
        let told = world.ask(&world.workshop, "team-checks", json!({ "team": [world.market.workshop] })).await.expect(200);
        assert_eq!(told["status"], "infeasible", "{:#}", told.body);
        // Both needs weigh by their reference cost: €30,000 of devices, €48,000 of hours.
        assert_eq!(told["coverage_percent"], json!(38.46));
        let covered: Vec<(&Value, &Value)> = list(&told.body, "needs").iter().map(|need| (&need["need"], &need["covered"])).collect();
        assert_eq!(covered, [(&json!("kits"), &json!(200)), (&json!("lessons"), &json!(0))]);
        assert_eq!(verdict(&told, "demand", None), "broken");
        assert_eq!(verdict(&told, "eligibility", Some("certified")), "broken");
        assert_eq!(verdict(&told, "budget", None), "kept");
        assert_eq!(told["missing"], json!([{
            "need": "lessons", "lot": "training", "service": "training-daily-tools", "territory": METROPOLE, "unit": "hour", "quantity": 1_200
        }]));
        assert!(list(&told.body, "completed_by").contains(&json!(world.market.school)), "{:#}", told.body);
    }

    async fn why_not_is_told_as_far_as_one_may_know(engine) {
        let world = world(engine).await;
        let told = world.ask(&world.workshop, "absences", json!({ "absent": world.market.school })).await.expect(200);
        assert_eq!((&told["verdict"], &told["organisation"]), (&json!("member"), &json!(world.market.school)));
        assert_eq!(told["text"]["fr"], "École Pas à Pas est dans le meilleur groupement.");
        let extra = sample::organisation(&world.app, "De trop").await;
        created(&world.app, "/v1/capabilities", sample::devices(&extra, 500, 1)).await;
        let told = world.ask(&world.workshop, "absences", json!({ "absent": extra, "team": [world.market.workshop] })).await.expect(200);
        assert_eq!(told["verdict"], "dearer", "at reference costs, not at its own: {:#}", told.body);
        assert!(told["cost_change_cents"].as_i64().unwrap() > 0);
        assert!(!list(&told.body, "remedies").iter().any(|one| one["kind"] == "unit_cost"), "its cost is not the asker's to know");
    }

    async fn who_is_far_away_changes_nothing_unless_asked_about(engine) {
        let world = world(engine).await;
        sample::elsewhere(&world.app).await;
        let far = sample::organisation(&world.app, "Loin d'ici").await;
        let first = world.ask(&world.workshop, "partner-suggestions", json!({})).await.expect(200);
        let mut lessons = sample::hours(&far, 50_000, 1);
        lessons["territories"] = json!([sample::ELSEWHERE]);
        created(&world.app, "/v1/capabilities", lessons).await;
        // The same is computed on, so that the same run is the answer.
        let second = world.ask(&world.workshop, "partner-suggestions", json!({})).await.expect(200);
        assert_eq!((&first["run"], &first["fingerprint"]), (&second["run"], &second["fingerprint"]));
        let told = world.ask(&world.workshop, "absences", json!({ "absent": far })).await.expect(200);
        assert_eq!(told["verdict"], "no_fit");
        assert_eq!(list(&told.body, "needs")[1]["lacks"]["kind"], "territory", "{:#}", told.body);
        // Next door counts: who works in one commune of the call's métropole is there for both.
        let mut lessons = sample::hours(&far, 50_000, 1);
        lessons["territories"] = json!([sample::SOUTH]);
        created(&world.app, "/v1/capabilities", lessons).await;
        let third = world.ask(&world.workshop, "partner-suggestions", json!({})).await.expect(200);
        assert_ne!(first["fingerprint"], third["fingerprint"]);
    }

    async fn an_answer_is_given_once_for_a_key(engine) {
        let world = world(engine).await;
        let path = format!("/v1/calls/{}/partner-suggestions", world.call);
        let keyed = || HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), "une-fois".parse().unwrap())]);
        let first = world.workshop.post_with(&path, keyed(), json!({})).await.expect(200);
        let again = world.workshop.post_with(&path, keyed(), json!({})).await.expect(200);
        assert_eq!((&again.body, again.header("location")), (&first.body, first.header("location")));
        let runs = world.workshop.get(&format!("/v1/calls/{}/runs", world.call)).await.expect(200);
        assert_eq!(list(&runs.body, "items").len(), 1, "one question, one run");
        let other = world.workshop.post_with(&path, keyed(), json!({ "limit": 3 })).await.problem(422);
        assert_eq!(places(&other), ["Idempotency-Key"]);
    }

    async fn the_seconds_of_a_suggestion_are_counted(engine) {
        let limits = attelage::limits::Settings { solver_seconds_per_day: 1, ..Default::default() };
        let app = spawn_with(engine, attelage::server::Setup { limits, ..setup() }).await;
        let market = sample::market(&app).await;
        app.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.expect(200);
        let school = key(&app, &app, &market.school, "owner", ALL_SCOPES).await;
        let path = format!("/v1/calls/{}/partner-suggestions", market.call);
        let first = school.post(&path, json!({})).await.expect(200);
        let run = first["run"].as_str().unwrap();
        // Had it taken an hour, there would be nothing left.
        let db = app.database.connect().await;
        crate::support::secrets::lengthen_run(&db, run, 3_600).await;
        school.post(&path, json!({})).await.problem(429);
        let matching = school.get(&format!("/v1/organisations/{}/matching-calls", market.school)).await.expect(200);
        assert_eq!(list(&matching.body, "items").len(), 1, "what is no search is not counted");
    }

    async fn calls_that_suit_an_organisation_are_listed_with_what_it_could_do(engine) {
        let world = world(engine).await;
        let path = format!("/v1/organisations/{}/matching-calls", world.market.school);
        let told = world.school.get(&path).await.expect(200);
        let items = list(&told.body, "items");
        assert_eq!(items.len(), 1, "drafts are not open: {:#}", told.body);
        assert_eq!((&items[0]["call"], &items[0]["version"]), (&json!(world.call), &json!(2)));
        // Its own 800 hours a year, exactly: more than enough.
        let need = &items[0]["needs"][0];
        assert_eq!((&need["need"], &need["deliverable"], &need["quantity"], &need["share_percent"]), (&json!("lessons"), &json!(1_200), &json!(1_200), &json!(100.0)));
        assert_eq!((list(&items[0], "needs").len(), &items[0]["coverage_percent"]), (1, &json!(61.53)));
        assert_eq!(items[0]["conditions"], json!([{ "condition": "certified", "met": "alone" }]));
        let of_workshop = format!("/v1/organisations/{}/matching-calls", world.market.workshop);
        let theirs = world.workshop.get(&of_workshop).await.expect(200);
        assert_eq!(theirs["items"][0]["conditions"], json!([{ "condition": "certified", "met": "in_group" }]));
        world.school.get(&of_workshop).await.problem(404);

        for _ in 0..2 {
            let call = created(&world.app, "/v1/calls", call(&world.market.funder)).await;
            world.app.post(&format!("/v1/calls/{call}/publish"), json!({})).await.expect(200);
        }
        let first = world.school.get(&format!("{path}?limit=2")).await.expect(200);
        let next = first["next"].as_str().unwrap();
        let last = world.school.get(&format!("{path}?limit=2&cursor={next}")).await.expect(200);
        assert_eq!((list(&first.body, "items").len(), list(&last.body, "items").len()), (2, 1));
        world.app.post(&format!("/v1/calls/{}/close", world.call), json!({})).await.expect(200);
        assert_eq!(list(&world.school.get(&path).await.expect(200).body, "items").len(), 2, "closed is closed");
        let funder = format!("/v1/organisations/{}/matching-calls", world.market.funder);
        assert_eq!(world.app.get(&funder).await.expect(200)["items"], json!([]), "who offers nothing suits nothing");
    }
}

#[actix_web::test]
async fn every_fault_of_a_question_is_told_where_it_stands() {
    let world = world(Engine::Sqlite).await;
    let (school, funder) = (&world.market.school, &world.market.funder);
    let body = json!({ "team": [NOBODY, school, school], "locked_in": [funder], "locked_out": [school], "limit": 2, "exact": 3 });
    let problem = world.ask(&world.workshop, "partner-suggestions", body).await.problem(422);
    assert_eq!(places(&problem), ["/exact", "/team/0", "/team/2", "/locked_in/0", "/locked_out/0"]);
    let problem = world
        .ask(&world.workshop, "partner-suggestions", json!({ "lots": ["training", "x", "training"] }))
        .await
        .problem(422);
    assert_eq!(places(&problem), ["/lots/1", "/lots/2"]);
    let problem = world.ask(&world.app, "partner-suggestions", json!({})).await.problem(422);
    assert_eq!(places(&problem), ["/team"], "the platform is no actor");
    let own = key(&world.app, &world.app, funder, "owner", ALL_SCOPES).await;
    assert_eq!(places(&world.ask(&own, "partner-suggestions", json!({})).await.problem(422)), ["/team"]);
    let problem = world.ask(&world.workshop, "team-checks", json!({ "team": [school, NOBODY] })).await.problem(422);
    assert_eq!(places(&problem), ["/team/1"]);
    let problem =
        world.ask(&world.workshop, "absences", json!({ "absent": school, "team": [school] })).await.problem(422);
    assert_eq!(places(&problem), ["/absent"]);
    let foreign = json!({ "organisation": school });
    assert_eq!(
        places(&world.ask(&world.workshop, "partner-suggestions", foreign).await.problem(422)),
        ["/organisation"]
    );
    let nowhere = format!("/v1/calls/{NOBODY}/partner-suggestions");
    world.workshop.post(&nowhere, json!({})).await.problem(404);
    let drafts = format!("/v1/calls/{}/partner-suggestions", world.market.call);
    world.workshop.post(&drafts, json!({})).await.problem(404);
    let runs = world.workshop.get(&format!("/v1/calls/{}/runs", world.call)).await.expect(200);
    assert_eq!(list(&runs.body, "items").len(), 0, "what is refused is no run");
}
