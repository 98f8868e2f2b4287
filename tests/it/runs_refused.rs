//! Runs that find nobody, and runs that are refused.

use serde_json::{Value, json};

use crate::runs::{patient, proposals, run};
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, created, places};
use crate::support::service::spawn;

on_both_engines! {
    async fn a_need_that_nobody_can_serve_is_named_with_its_reason(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let mut call = sample::call(&market.funder);
        let need = json!({ "code": "homes", "title": "À domicile", "service": "support-home", "territory": METROPOLE, "unit": "hour", "quantity": 10 });
        call["lots"][1]["needs"].as_array_mut().unwrap().push(need);
        let run = run(&app, &created(&app, "/v1/calls", call).await, json!({})).await;
        assert_eq!((&run["result"], proposals(&app, &run).await), (&json!("infeasible"), vec![]));
        let infeasibility = &run["infeasibility"];
        let [unmet] = &infeasibility["unmet_needs"].as_array().unwrap()[..] else { panic!("{infeasibility:#}") };
        assert_eq!((&unmet["need"], &unmet["lot"], &unmet["covered"]), (&json!("homes"), &json!("training"), &json!(0)));
        assert_eq!((&unmet["gaps"][0]["reason"], &unmet["gaps"][0]["quantity"]), (&json!("no_supplier"), &json!(20)));
        assert!(infeasibility["summary"].as_str().unwrap().contains("homes") || infeasibility["summary"].as_str().unwrap().contains("À domicile"), "{infeasibility:#}");
        // Those who serve the rest are shown as the closest answer.
        let mut closest: Vec<&Value> = infeasibility["closest"]["members"].as_array().unwrap().iter().map(|member| &member["actor"]).collect();
        closest.sort_by_key(|actor| actor.as_str());
        let mut expected = [json!(market.workshop), json!(market.school)];
        expected.sort_by_key(ToString::to_string);
        assert_eq!(closest, expected.iter().collect::<Vec<_>>());
    }

    async fn a_call_that_nobody_may_lead_names_the_rule(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let mut call = sample::call(&market.funder);
        call["eligibility"] = json!([{ "code": "bank", "criterion": "legal_family", "scope": "lead", "legal_families": ["public_body"] }]);
        let run = run(&app, &created(&app, "/v1/calls", call).await, json!({})).await;
        assert_eq!((&run["result"], proposals(&app, &run).await), (&json!("infeasible"), vec![]));
        let rules = run["infeasibility"]["blocking_rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["eligibility"] == "bank"), "{:#}", run.body);
        assert!(rules.iter().any(|rule| rule["rule"] == "lead"), "{:#}", run.body);
    }

    async fn a_budget_too_small_is_the_rule_to_relax(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let mut call = sample::call(&market.funder);
        call["budget_cents"] = json!(5_899_999);
        let id = created(&app, "/v1/calls", call.clone()).await;
        let refused = run(&app, &id, json!({})).await;
        assert_eq!(refused["result"], "infeasible");
        let rules = refused["infeasibility"]["blocking_rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["rule"] == "budget"), "{:#}", refused.body);
        call["budget_cents"] = json!(5_900_000);
        app.put(&format!("/v1/calls/{id}"), "\"1\"", call).await.expect(200);
        assert_eq!(run(&app, &id, json!({})).await["result"], "optimal");
    }

    async fn ids_that_cannot_take_part_are_refused_where_they_stand_and_nothing_is_queued(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let path = format!("/v1/calls/{}/runs", market.call);
        let nobody = "019e0000-0000-7000-8000-000000000000";
        let body = json!({
            "locked_in": [market.school, nobody, market.school],
            "locked_out": [market.funder, market.school, "me"]
        });
        assert_eq!(places(&app.post(&path, body.clone()).await.problem(422)), ["/locked_out/2"]);
        let mut body = body;
        body["locked_out"].as_array_mut().unwrap().pop();
        let expected = ["/locked_in/1", "/locked_in/2", "/locked_out/0", "/locked_out/1"];
        assert_eq!(places(&app.post(&path, body).await.problem(422)), expected);
        let body = json!({ "proposals": 0, "time_limit_seconds": 301, "seed": 4 });
        assert_eq!(places(&app.post(&path, body).await.problem(422)), ["/proposals", "/seed", "/time_limit_seconds"]);
        assert_eq!(app.get(&path).await.expect(200)["items"], json!([]));
        app.post(&format!("/v1/calls/{nobody}/runs"), json!({})).await.problem(404);
    }
}

#[actix_web::test]
async fn sums_beyond_counting_are_refused_before_anything_is_computed() {
    let app = spawn(Engine::Sqlite).await;
    let market = sample::market(&app).await;
    let mut call = sample::call(&market.funder);
    call["duration_months"] = json!(240);
    let need = &mut call["lots"][0]["needs"][0];
    (need["per"], need["quantity"]) = (json!("year"), json!(1_000_000_000_000_u64));
    let problem = app.post("/v1/calls", call.clone()).await.problem(422);
    assert_eq!(places(&problem), ["/lots/0/needs/0/quantity"]);

    let need = &mut call["lots"][0]["needs"][0];
    (need["per"], need["unmet_cost_cents"]) = (json!("contract"), json!(100_000_000));
    let problem = app.post("/v1/calls", call.clone()).await.problem(422);
    assert_eq!(places(&problem), ["/lots/0/needs/0/unmet_cost_cents"]);

    // What the call asks for can be counted, but not at the highest price of the market.
    call["lots"][0]["needs"][0]["unmet_cost_cents"] = json!(1);
    let dear = sample::organisation(&app, "Hors de prix").await;
    created(&app, "/v1/capabilities", sample::devices(&dear, 1_000, 100_000_000)).await;
    let path = format!("/v1/calls/{}/runs", created(&app, "/v1/calls", call).await);
    let problem = app.post_with(&path, patient(), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("the most that is counted"), "{problem:#}");
    assert_eq!(app.get(&path).await.expect(200)["items"], json!([]));
}

#[actix_web::test]
async fn the_price_of_one_actor_does_not_stop_the_runs_of_all() {
    let app = spawn(Engine::Sqlite).await;
    let market = sample::market(&app).await;
    let dreamer = sample::organisation(&app, "Hors de prix").await;
    let beyond = sample::hours(&dreamer, 1_000, 100_000_001);
    assert_eq!(places(&app.post("/v1/capabilities", beyond).await.problem(422)), ["/unit_cost_cents"]);
    for offer in [sample::hours(&dreamer, 1_000, 100_000_000), sample::devices(&dreamer, 1_000, 100_000_000)] {
        created(&app, "/v1/capabilities", offer).await;
    }
    let mut call = sample::call(&market.funder);
    call["lots"][1]["needs"][0]["mandatory"] = json!(false);
    call["lots"][1]["needs"][0]["unmet_cost_cents"] = json!(4_000);
    call["lots"][1]["needs"][0]["quantity"] = json!(100_000);
    let run = run(&app, &created(&app, "/v1/calls", call).await, json!({})).await;
    let members = proposals(&app, &run).await[0]["members"].to_string();
    assert!(members.contains(&market.workshop) && !members.contains(&dreamer), "{members}");
}
