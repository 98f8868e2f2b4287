//! Runs on several calls at once.

use serde_json::{Value, json};

use crate::runs::{patient, run};
use crate::support::app::Answer;
use crate::support::on_both_engines;
use crate::support::sample::{self, Market, created, places};
use crate::support::service::{App, spawn};

/// A finished run on several calls.
async fn jointly(app: &App, options: Value) -> Answer {
    let run = app.post_with("/v1/runs", patient(), options).await.expect(200);
    assert_eq!(run["state"], "succeeded", "{:#}", run.body);
    run
}

async fn portfolio(app: &App, run: &Answer) -> Value {
    app.get(&format!("{}/portfolio", run.header("location"))).await.expect(200).body
}

/// What an organisation delivers for a need over all calls.
fn delivered(answer: &Value, actor: &str, need: &str) -> i64 {
    let calls = answer["calls"].as_array().unwrap().iter();
    let allocations = calls.flat_map(|call| call["proposal"]["allocations"].as_array().unwrap());
    let own = allocations.filter(|one| one["actor"] == actor && one["need"] == need);
    own.map(|one| one["quantity"].as_i64().unwrap()).sum()
}

/// As the call of the market, but for so many devices a year only, from this day on.
async fn second_call(app: &App, market: &Market, devices: i64, starts_on: &str) -> String {
    let mut call = sample::call(&market.funder);
    call["lots"].as_array_mut().unwrap().truncate(1);
    call["lots"][0]["needs"][0]["quantity"] = json!(devices);
    call["starts_on"] = json!(starts_on);
    created(app, "/v1/calls", call).await
}

on_both_engines! {
    async fn calls_that_run_at_the_same_time_share_what_organisations_can_do(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let second = second_call(&app, &market, 80, "2027-07-01").await;
        let asked = jointly(&app, json!({ "calls": [market.call, second] })).await;
        assert_eq!(asked["calls"], json!([{ "call": market.call, "version": 1 }, { "call": second, "version": 1 }]));
        assert_eq!((&asked["result"], &asked["options"]["time_limit_seconds"]), (&json!("optimal"), &json!(60)));
        let answer = portfolio(&app, &asked).await;
        assert_eq!((&answer["verified"], &answer["objective_cents"]), (&json!(true), &asked["objective_cents"]));
        // 150 a year for two years at the workshop; 360 are wanted, and the generalist makes up for it.
        assert_eq!(delivered(&answer, &market.workshop, "kits"), 300, "{answer:#}");
        assert_eq!(delivered(&answer, &market.generalist, "kits"), 60, "{answer:#}");
        let orders = answer["first_come"].as_array().unwrap();
        assert!(orders.len() == 2 && orders.iter().all(|order| order["regret_cents"].as_i64().unwrap() >= 0), "{answer:#}");

        // A year later the workshop is free again.
        let later = second_call(&app, &market, 80, "2029-01-01").await;
        let apart = portfolio(&app, &jointly(&app, json!({ "calls": [market.call, later] })).await).await;
        assert_eq!(delivered(&apart, &market.workshop, "kits"), 360, "{apart:#}");
    }

    async fn an_offer_that_ends_serves_the_calls_that_it_lasts_for(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let repairer = sample::organisation(&app, "La Réparatrice").await;
        let mut offer = sample::devices(&repairer, 500, 1_000);
        offer["valid_to"] = json!("2028-12-31");
        created(&app, "/v1/capabilities", offer).await;
        let longer = second_call(&app, &market, 40, "2027-07-01").await;
        let answer = portfolio(&app, &jointly(&app, json!({ "calls": [market.call, longer] })).await).await;
        assert_eq!(delivered(&answer, &repairer, "kits"), 200, "{answer:#}");
        assert_eq!(delivered(&answer, &market.workshop, "kits"), 80, "{answer:#}");
    }

    async fn people_that_two_organisations_share_are_counted_once_over_all_calls(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        sample::elsewhere(&app).await;
        let schools = [sample::organisation(&app, "École Nord").await, sample::organisation(&app, "École Sud").await];
        let links: Vec<Value> = schools.iter().map(|to| json!({ "to": to, "kind": "same_group", "shares_capacity": true })).collect();
        created(&app, "/v1/organisations", json!({ "name": "La Maison mère", "links": links })).await;
        // One is free for the first call only, the other for the second only: each cheap, each enough for its call.
        let mut north = sample::hours(&schools[0], 600, 1_000);
        north["valid_to"] = json!("2028-12-31");
        created(&app, "/v1/capabilities", north).await;
        let mut south = sample::hours(&schools[1], 600, 1_000);
        south["valid_from"] = json!("2027-07-01");
        created(&app, "/v1/capabilities", south).await;
        let call = async |starts_on: &str| {
            let mut call = sample::call(&market.funder);
            call["lots"].as_array_mut().unwrap().remove(0);
            call["starts_on"] = json!(starts_on);
            created(&app, "/v1/calls", call).await
        };
        let calls = [call("2027-01-01").await, call("2027-07-01").await];
        let answer = portfolio(&app, &jointly(&app, json!({ "calls": calls })).await).await;
        let hours: i64 = schools.iter().map(|school| delivered(&answer, school, "lessons")).sum();
        assert_eq!(hours, 1_200, "{answer:#}");
    }

    async fn a_joint_run_stands_with_each_of_its_calls_and_goes_with_any(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let second = second_call(&app, &market, 10, "2027-07-01").await;
        let alone = run(&app, &second, json!({})).await;
        let asked = jointly(&app, json!({ "calls": [market.call, second], "maximum_calls_per_actor": 1 })).await;
        for (call, count) in [(&market.call, 1), (&second, 2)] {
            let list = app.get(&format!("/v1/calls/{call}/runs")).await.expect(200);
            let runs = list["items"].as_array().unwrap();
            assert_eq!((runs.len(), &runs[count - 1]), (count, &asked.body));
        }
        let answer = portfolio(&app, &asked).await;
        for actor in [&market.workshop, &market.school, &market.generalist] {
            let calls = answer["calls"].as_array().unwrap().iter();
            let members = calls.flat_map(|call| call["proposal"]["members"].as_array().into_iter().flatten());
            assert!(members.filter(|member| member["actor"] == **actor).count() <= 1, "{answer:#}");
        }
        let elsewhere = app.get(&format!("{}/reply", asked.header("location"))).await.problem(409);
        assert!(elsewhere["detail"].as_str().unwrap().contains("/portfolio"), "{elsewhere:#}");
        let elsewhere = app.get(&format!("{}/portfolio", alone.header("location"))).await.problem(409);
        assert!(elsewhere["detail"].as_str().unwrap().contains("/proposals"), "{elsewhere:#}");
        app.get("/v1/runs/019e0000-0000-7000-8000-000000000000/portfolio").await.problem(404);

        app.delete(&format!("/v1/calls/{second}"), "\"1\"").await.expect(204);
        app.get(asked.header("location")).await.problem(404);
        app.get(alone.header("location")).await.problem(404);
        assert_eq!(app.get(&format!("/v1/calls/{}/runs", market.call)).await.expect(200)["items"], json!([]));
    }

    async fn calls_that_are_unknown_or_stand_twice_are_named(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let unknown = "019e0000-0000-7000-8000-000000000000";
        let refused = app.post("/v1/runs", json!({ "calls": [market.call, unknown, market.call] })).await.problem(422);
        assert_eq!(places(&refused), ["/calls/1", "/calls/2"]);
        app.post("/v1/runs", json!({ "calls": [market.call] })).await.problem(422);
        app.post("/v1/runs", json!({ "calls": [market.call, unknown], "maximum_calls_per_actor": 0 })).await.problem(422);
        let second = second_call(&app, &market, 10, "2027-07-01").await;
        let apart = json!({ "calls": [market.call, second], "exclusive": [[market.call, unknown]], "fairness": { "kind": "least_largest", "tolerance_ppm": 2_000_000 } });
        assert_eq!(places(&app.post("/v1/runs", apart).await.problem(422)), ["/exclusive/0/1", "/fairness/tolerance_ppm"]);
        assert_eq!(app.get(&format!("/v1/calls/{}/runs", market.call)).await.expect(200)["items"], json!([]));
    }

    async fn organisations_stay_out_of_calls_that_exclude_each_other_and_work_is_spread(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let second = second_call(&app, &market, 10, "2027-07-01").await;
        let calls = json!([market.call, second]);
        let apart = portfolio(&app, &jointly(&app, json!({ "calls": calls, "exclusive": [calls] })).await).await;
        assert_eq!((delivered(&apart, &market.workshop, "kits"), delivered(&apart, &market.generalist, "kits")), (200, 20), "{apart:#}");
        let spread = json!({ "calls": calls, "fairness": { "kind": "least_largest", "tolerance_ppm": 500_000 } });
        let spread = portfolio(&app, &jointly(&app, spread).await).await;
        let fairness = &spread["fairness"];
        assert!(fairness["largest_cents"].as_i64() < fairness["cheapest_largest_cents"].as_i64(), "{spread:#}");
        assert!(spread["objective_cents"].as_i64() <= fairness["limit_cents"].as_i64(), "{spread:#}");
    }
}
