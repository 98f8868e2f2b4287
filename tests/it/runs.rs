//! Computations and the consortia that they propose.

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::support::app::Answer;
use crate::support::on_both_engines;
use crate::support::sample::{self, Market, created};
use crate::support::service::{App, spawn};

/// Ready to wait for the end of a run.
pub fn patient() -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("prefer"), "wait=30".parse().unwrap())])
}

/// The finished run of a call.
pub async fn run(app: &App, call: &str, options: Value) -> Answer {
    let run = app.post_with(&format!("/v1/calls/{call}/runs"), patient(), options).await.expect(200);
    assert_eq!(run["state"], "succeeded", "{:#}", run.body);
    run
}

/// The proposals of a run, best first.
pub async fn proposals(app: &App, run: &Answer) -> Vec<Value> {
    let page = app.get(&format!("{}/proposals?limit=100", run.header("location"))).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().unwrap()
}

fn sum(items: &[Value], member: &str) -> i64 {
    items.iter().map(|item| item[member].as_i64().unwrap()).sum()
}

/// Ids of the members, sorted.
fn members(proposal: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> = list(proposal, "members").iter().map(|member| member["actor"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn sorted<const N: usize>(mut ids: [&str; N]) -> [&str; N] {
    ids.sort_unstable();
    ids
}

/// Checks that every figure of a proposal agrees with every other.
fn assert_adds_up(proposal: &Value) {
    let (members, allocations) = (list(proposal, "members"), list(proposal, "allocations"));
    let shares: f64 = members.iter().map(|member| member["share_percent"].as_f64().unwrap()).sum();
    // Each share is told to the hundredth, the rest left out.
    let left_out = 100.0 - shares;
    assert!(
        (-1e-6..0.01 * f64::from(u32::try_from(members.len()).unwrap())).contains(&left_out),
        "shares add up to {shares}"
    );
    let leads =
        members.iter().filter(|member| ["group-lead", "sole-tenderer"].contains(&member["role"].as_str().unwrap()));
    assert_eq!(leads.count(), 1);
    for need in list(proposal, "needs") {
        let own: Vec<Value> = allocations.iter().filter(|one| one["need"] == need["need"]).cloned().collect();
        assert_eq!(json!(sum(&own, "quantity")), need["covered"], "{need:#}");
        let missing = need["quantity"].as_i64().unwrap() - need["covered"].as_i64().unwrap();
        assert_eq!(sum(list(need, "gaps"), "quantity"), missing, "{need:#}");
    }
    for allocation in allocations {
        let years: i64 = list(allocation, "by_year").iter().map(|year| year.as_i64().unwrap()).sum();
        assert_eq!(json!(years), allocation["quantity"]);
    }
    let cents = |name: &str| proposal["costs"][name].as_i64().unwrap();
    assert_eq!(cents("services_cents"), sum(allocations, "amount_cents"));
    assert_eq!(cents("services_cents") + cents("fixed_cents"), sum(members, "amount_cents"));
    assert_eq!(cents("services_cents") + cents("fixed_cents") + cents("coordination_cents"), cents("total_cents"));
    assert_eq!(cents("total_cents") + cents("unmet_cents"), cents("objective_cents"));
    assert_eq!(proposal["proof"]["verified"], json!(true));
}

on_both_engines! {
    async fn a_run_may_ask_another_question_and_keeps_its_reply(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let asked = run(&app, &market.call, json!({ "question": { "rules": {} } })).await;
        assert_eq!((&asked["result"], &asked["options"]["question"]), (&json!("optimal"), &json!({ "rules": {} })));
        let reply = app.get(&format!("{}/reply", asked.header("location"))).await.expect(200);
        let rules = &reply["rules"];
        assert_eq!((&rules["status"], rules["best"]["members"].as_array().map(Vec::len)), (&json!("optimal"), Some(2)));
        let budget = list(rules, "rules").iter().find(|own| own["rule"] == "budget").unwrap();
        assert_eq!(budget["worth_cents"], 0, "{budget:#}");
        assert_eq!(proposals(&app, &asked).await, [] as [Value; 0]);

        let listed = run(&app, &market.call, json!({})).await;
        let refused = app.get(&format!("{}/reply", listed.header("location"))).await.problem(409);
        assert!(refused["detail"].as_str().unwrap().contains("/proposals"), "{refused:#}");
        let path = format!("/v1/calls/{}/runs", market.call);
        for question in [json!({ "rule": {} }), json!({ "rules": { "most": 3 } }), json!({ "rules": {}, "more": 1 })] {
            app.post(&path, json!({ "question": question })).await.problem(422);
        }
        app.get("/v1/runs/019e0000-0000-7000-8000-000000000000/reply").await.problem(404);
    }

    async fn every_question_is_answered_as_the_document_says(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let team = [&market.workshop, &market.school];
        let questions = [
            ("partners", json!({ "team": [market.workshop] })),
            ("check", json!({ "team": team })),
            ("check", json!({ "team": [market.generalist] })),
            ("repair", json!({ "team": team, "departed": [market.school] })),
            ("shares", json!({ "team": team })),
            ("why_not", json!({ "actor": market.generalist })),
            ("alternatives", json!({})),
            ("front", json!({ "axes": "cost_resilience", "points": 3 })),
            ("resilience", json!({})),
            ("diagnosis", json!({})),
            ("territory", json!({})),
        ];
        for (name, settings) in questions {
            let asked = run(&app, &market.call, json!({ "question": { name: settings } })).await;
            let reply = app.get(&format!("{}/reply", asked.header("location"))).await.expect(200);
            assert!(reply[name].is_object(), "{name}: {:#}", reply.body);
        }
        let path = format!("/v1/calls/{}/runs", market.call);
        let wrong = json!({ "question": { "check": { "team": ["nobody"] } } });
        assert_eq!(sample::places(&app.post(&path, wrong).await.problem(422)), ["/question/check/team/0"]);
    }

    async fn organisations_that_share_their_people_through_a_third_are_counted_once(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        sample::elsewhere(&app).await;
        // The holding does nothing itself; both its schools can do half of what is asked, but with the same people.
        let schools = [sample::organisation(&app, "École Nord").await, sample::organisation(&app, "École Sud").await];
        for school in &schools {
            created(&app, "/v1/capabilities", sample::hours(school, 400, 1_000)).await;
        }
        let links: Vec<Value> = schools.iter().map(|to| json!({ "to": to, "kind": "same_group", "shares_capacity": true })).collect();
        let mut call = sample::call(&market.funder);
        call["lots"].as_array_mut().unwrap().remove(0);
        call["money_policy"] = json!({});
        let call = created(&app, "/v1/calls", call).await;
        let apart = proposals(&app, &run(&app, &call, json!({})).await).await;
        assert_eq!(members(&apart[0]), sorted([&schools[0], &schools[1]]));
        created(&app, "/v1/organisations", json!({ "name": "La Maison mère", "links": links })).await;
        let together = proposals(&app, &run(&app, &call, json!({})).await).await;
        let hours = |school: &String| {
            let own = list(&together[0], "allocations").iter().filter(|one| one["actor"] == **school);
            own.map(|one| one["quantity"].as_i64().unwrap()).sum::<i64>()
        };
        assert_eq!(schools.iter().map(hours).sum::<i64>(), 800, "{:#}", together[0]);
        let checked = app.post(&format!("/v1/calls/{call}/team-checks"), json!({ "team": schools })).await.expect(200);
        assert_eq!(checked["status"], "infeasible", "{:#}", checked.body);
    }

    async fn lots_and_hands_are_limited_and_the_lead_coordinates(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let mut call = sample::call(&market.funder);
        call["lots"][0]["maximum_members"] = json!(2);
        call["lots"][1]["needs"][0]["maximum_suppliers"] = json!(1);
        call["group_policy"] = json!({ "connected": true });
        call["money_policy"] = json!({
            "coordination_per_new_pair_cents": 50_000, "coordination_between": "lead", "coordination_overhead_percent": 10
        });
        let kept = app.get(&format!("/v1/calls/{}", created(&app, "/v1/calls", call.clone()).await)).await.expect(200);
        assert_eq!(kept["lots"][0]["maximum_members"], 2);
        assert_eq!(kept["lots"][1]["needs"][0]["maximum_suppliers"], 1);
        assert_eq!(kept["money_policy"]["coordination_between"], "lead");
        // The two that complement each other have never worked together, and must have.
        let id = kept["id"].as_str().unwrap().to_owned();
        let nobody = run(&app, &id, json!({})).await;
        let blocking = list(&nobody["infeasibility"], "blocking_rules");
        assert!(blocking.iter().any(|own| own["rule"] == "connected"), "{:#}", nobody.body);
        let relation = json!({ "a": market.workshop, "b": market.school, "kind": "network", "strength_percent": 40 });
        created(&app, "/v1/relations", relation).await;
        let best = proposals(&app, &run(&app, &id, json!({})).await).await[0].clone();
        assert_eq!(members(&best), sorted([&market.workshop, &market.school]));
        let services = best["costs"]["services_cents"].as_i64().unwrap();
        assert_eq!(best["costs"]["coordination_cents"], services / 10 + 50_000 - 20_000);
        call["lots"][0]["minimum_members"] = json!(3);
        assert_eq!(sample::places(&app.post("/v1/calls", call).await.problem(422)), ["/lots/0/maximum_members"]);
    }

    async fn two_complementary_actors_win_where_none_could_alone(engine) {
        let app = spawn(engine).await;
        let Market { workshop, school, call, .. } = &sample::market(&app).await;
        let run = run(&app, call, json!({})).await;
        assert_eq!((&run["result"], &run["calls"]), (&json!("optimal"), &json!([{ "call": call, "version": 1 }])));
        let proposals = proposals(&app, &run).await;
        proposals.iter().for_each(assert_adds_up);
        let best = &proposals[0];
        assert_eq!(members(best), sorted([workshop.as_str(), school.as_str()]));
        // The school does the larger part: 1,200 × €30 against 200 × €100 and €500 to start.
        let [first, second] = list(best, "members") else { panic!("{best:#}") };
        assert_eq!((&first["actor"], &first["role"], &first["amount_cents"]), (&json!(school), &json!("group-lead"), &json!(3_600_000)));
        assert_eq!((&second["actor"], &second["role"], &second["amount_cents"]), (&json!(workshop), &json!("group-mem"), &json!(2_050_000)));
        assert_eq!((&first["lots"], &second["lots"]), (&json!(["training"]), &json!(["equipment"])));
        let expected = json!({
            "services_cents": 5_600_000, "fixed_cents": 50_000, "coordination_cents": 250_000, "total_cents": 5_900_000,
            "unmet_cents": 0, "objective_cents": 5_900_000
        });
        assert_eq!(best["costs"], expected);
        assert_eq!((&best["rank"], &best["coverage_percent"], &best["assumptions"]), (&json!(1), &json!(100.0), &json!([])));
        assert_eq!((&best["proof"]["optimal"], &best["proof"]["gap_cents"]), (&json!(true), &json!(0)));
        assert_eq!((&run["objective_cents"], &run["bound_cents"]), (&json!(5_900_000), &best["proof"]["bound_cents"]));
        for (member, unit) in [(first, "hour"), (second, "device")] {
            let reasons = list(member, "reasons");
            assert!(reasons.iter().any(|reason| reason["kind"] == "unique" && reason["unit"] == unit), "{member:#}");
            assert!(reasons.iter().all(|reason| !reason["text"].as_str().unwrap().is_empty()));
        }

        let one_member = json!({ "maximum_members": 1 });
        let mut alone = sample::call(&sample::organisation(&app, "Autre financeur").await);
        alone["group_policy"] = one_member;
        let run = self::run(&app, &created(&app, "/v1/calls", alone).await, json!({})).await;
        assert_eq!(run["result"], "infeasible");
    }

    async fn equal_inputs_give_equal_answers_and_other_data_another_answer(engine) {
        let app = spawn(engine).await;
        let Market { school, generalist, generalist_offers, call, .. } = &sample::market(&app).await;
        let first = run(&app, call, json!({})).await;
        let again = run(&app, call, json!({})).await;
        assert_eq!(first.body, again.body, "what was asked before is not computed again");
        let longer = run(&app, call, json!({ "time_limit_seconds": 31 })).await;
        assert_ne!(first["id"], longer["id"]);
        assert_eq!(proposals(&app, &first).await, proposals(&app, &longer).await);

        // The generalist grows, and asks less: it wins alone.
        for (id, offer) in generalist_offers.iter().zip([sample::devices(generalist, 200, 5_000), sample::hours(generalist, 900, 2_000)]) {
            app.put(&format!("/v1/capabilities/{id}"), "\"1\"", offer).await.expect(200);
        }
        let changed = run(&app, call, json!({})).await;
        assert_ne!(changed["fingerprint"], first["fingerprint"]);
        let best = &proposals(&app, &changed).await[0];
        assert_eq!((members(best), &best["members"][0]["role"]), (vec![generalist.as_str()], &json!("sole-tenderer")));
        assert_eq!(best["costs"]["total_cents"], json!(200 * 5_000 + 1_200 * 2_000 + 100_000));

        // It leaves, and so does the school: nobody else trains enough.
        for id in [generalist, school] {
            app.delete(&format!("/v1/organisations/{id}"), "\"1\"").await.expect(204);
        }
        let nobody = run(&app, call, json!({})).await;
        assert_eq!((&nobody["result"], proposals(&app, &nobody).await), (&json!("infeasible"), vec![]));
        assert_eq!(nobody["infeasibility"]["unmet_needs"][0]["need"], "lessons");
        // What was computed before stays as it was.
        assert_eq!(app.get(first.header("location")).await.expect(200)["result"], "optimal");
    }

    async fn a_past_cooperation_saves_coordination(engine) {
        let app = spawn(engine).await;
        let Market { workshop, school, call, .. } = &sample::market(&app).await;
        let body = json!({ "a": workshop, "b": school, "kind": "co_contracting", "strength_percent": 90 });
        // Nine tenths of the €500 that a new pair costs.
        created(&app, "/v1/relations", body).await;
        let best = &proposals(&app, &run(&app, call, json!({})).await).await[0];
        assert_eq!((&best["costs"]["coordination_cents"], &best["cohesion"]), (&json!(205_000), &json!({ "known_pairs": 1, "pairs": 1 })));
    }

    async fn members_are_locked_in_and_out(engine) {
        let app = spawn(engine).await;
        let Market { workshop, school, generalist, call, .. } = &sample::market(&app).await;
        let with = run(&app, call, json!({ "locked_in": [generalist], "proposals": 1 })).await;
        let [best] = &proposals(&app, &with).await[..] else { panic!("one proposal was asked for") };
        assert_adds_up(best);
        assert_eq!(members(best), sorted([workshop, school, generalist].map(String::as_str)));

        let without = run(&app, call, json!({ "locked_out": [workshop] })).await;
        assert_eq!(without["result"], "infeasible");
        let unmet = &without["infeasibility"]["unmet_needs"][0];
        assert_eq!(unmet["need"], "kits");
        let near = list(&unmet["gaps"][0], "near_misses");
        assert!(near.contains(&json!({ "actor": workshop, "lacks": { "kind": "locked_out" } })), "{unmet:#}");
    }

    async fn an_unknown_capacity_counts_only_if_the_call_assumes_one_and_then_says_so(engine) {
        let app = spawn(engine).await;
        let Market { funder, school, generalist, call, .. } = &sample::market(&app).await;
        for id in [school, generalist] {
            app.delete(&format!("/v1/organisations/{id}"), "\"1\"").await.expect(204);
        }
        let discreet = sample::organisation(&app, "La Discrète").await;
        let offer = json!({ "organisation": discreet, "services": ["training-daily-tools"], "territories": [sample::METROPOLE] });
        let offer = created(&app, "/v1/capabilities", offer).await;
        assert_eq!(run(&app, call, json!({})).await["result"], "infeasible");

        let mut assuming = sample::call(funder);
        assuming["assumptions"] = json!({ "capacity_per_year_by_unit": { "hour": 650 } });
        assuming["lots"][1]["needs"][0]["reference_unit_cost_cents"] = json!(4_000);
        let run = run(&app, &created(&app, "/v1/calls", assuming).await, json!({})).await;
        assert_eq!(run["result"], "optimal");
        let best = &proposals(&app, &run).await[0];
        assert_adds_up(best);
        let assumed: Vec<_> = list(best, "assumptions").iter().map(|own| (own["actor"].clone(), own["capability"].clone(), own["what"].clone(), own["value"].clone())).collect();
        let of = |what: &str, value: i64| (json!(discreet), json!(offer), json!(what), json!(value));
        assert_eq!(assumed, [of("capacity_per_year", 650), of("unit_cost", 4_000)]);
        for allocation in list(best, "allocations") {
            assert_eq!(allocation["assumed"], json!(allocation["actor"] == json!(discreet)));
        }
    }

    async fn a_run_that_nobody_waits_for_is_found_later(engine) {
        let app = spawn(engine).await;
        let call = sample::market(&app).await.call;
        let path = format!("/v1/calls/{call}/runs");
        let queued = app.post(&path, json!({ "proposals": 2, "time_limit_seconds": 5 })).await;
        // On a fast day it is over before it is read back.
        assert!([200, 202].contains(&queued.status), "{queued:?}");
        let over = app.get_with(queued.header("location"), patient()).await.expect(200);
        assert_eq!((&over["state"], &over["id"]), (&json!("succeeded"), &queued["id"]));
        let expected = json!({
            "proposals": 2, "locked_in": [], "locked_out": [], "time_limit_seconds": 5,
            "question": { "proposals": {} }
        });
        assert_eq!(over["options"], expected);
        assert_eq!(app.get(&path).await.expect(200)["items"], json!([over.body]));
        let page = app.get(&format!("{}/proposals?limit=1", queued.header("location"))).await.expect(200);
        assert_eq!(page["items"][0]["rank"], json!(1));
    }

    async fn the_runs_of_a_draft_go_with_it(engine) {
        let app = spawn(engine).await;
        let call = sample::market(&app).await.call;
        let run = run(&app, &call, json!({})).await;
        app.delete(&format!("/v1/calls/{call}"), "\"1\"").await.expect(204);
        app.get(run.header("location")).await.problem(404);
        app.get(&format!("{}/proposals", run.header("location"))).await.problem(404);
        app.get(&format!("/v1/calls/{call}/runs")).await.problem(404);
    }
}
