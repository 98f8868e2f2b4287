//! Collective calls, from draft to closed.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sample::{self, METROPOLE, NORTH, created, everything, places};
use crate::support::service::spawn;

const PATH: &str = "/v1/calls";

/// A call with a value in every member.
fn complete(funder: &str) -> Value {
    json!({
        "funder": funder, "title": "Équiper, former, accompagner", "reference": "2026-INC-04", "description": "Deux axes.",
        "kind": "contract", "starts_on": "2027-03-01", "duration_months": 18, "answers_due_at": "2026-12-31T11:00:00Z",
        "budget_cents": 9_000_000,
        "lots": [{ "code": "all", "title": "Tout", "needs": [
            { "code": "kits", "title": "Ordinateurs", "service": "equipment-refurbishing", "territory": METROPOLE,
              "public": "precarious", "unit": "device", "quantity": 100, "per": "contract", "mandatory": false,
              "spread": "population", "unmet_cost_cents": 15_000, "reference_unit_cost_cents": 12_000 },
            { "code": "lessons", "title": "Ateliers", "service": "training-daily-tools", "territory": NORTH,
              "modality": "workshop", "unit": "hour", "quantity": 400, "per": "year", "mandatory": true,
              "spread": "anywhere", "unmet_cost_cents": 0 },
        ] }],
        "eligibility": [
            { "code": "certified", "criterion": "credential", "scope": "performer", "credential": "qualiopi",
              "accept_linked": true, "services": ["training"], "lots": ["all"] },
            { "code": "social", "criterion": "legal_family", "scope": "lead", "accept_linked": false,
              "legal_families": ["association", "cooperative"] },
            { "code": "local", "criterion": "home_territory", "scope": "any_member", "accept_linked": false, "territory": METROPOLE },
            { "code": "solid", "criterion": "turnover", "scope": "sum_over_members", "accept_linked": false,
              "minimum_cents": 10_000_000 },
        ],
        "group_policy": {
            "grouping": "encouraged", "form_after_award": "conjoint_solidary_lead", "several_groups_allowed": true,
            "maximum_subcontracting_percent": 30, "minimum_members": 1, "maximum_members": 5,
            "maximum_share_percent": 80, "minimum_share_percent": 5, "minimum_legal_families": 1,
            "connected": true, "negotiated": true, "reserved_to_social_economy": true
        },
        "money_policy": {
            "budget_by_year_cents": [6_000_000, 3_000_000], "co_financing_percent": 20, "advance_percent": 30,
            "payment_delay_days": 60, "coordination_per_member_cents": 1000, "coordination_per_new_pair_cents": 500,
            "coordination_between": "lot", "coordination_overhead_percent": 3
        },
        "award_criteria": [{ "name": "Qualité", "weight_percent": 60 }, { "name": "Prix", "weight_percent": 40 }],
        "assumptions": { "capacity_per_year_by_unit": { "hour": 100, "device": 20 } }
    })
}

on_both_engines! {
    async fn everything_written_comes_back(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let written = complete(&market.funder);
        let answer = app.post(PATH, written.clone()).await.expect(201);
        assert_eq!((&answer["status"], answer.etag()), (&json!("draft"), "\"1\""));
        for (member, value) in written.as_object().unwrap() {
            assert_eq!(&answer[member.as_str()], value, "{member}");
        }
        let read = app.get(answer.header("location")).await.expect(200);
        assert_eq!((&read.body, read.etag()), (&answer.body, "\"1\""));
    }

    async fn a_replacement_leaves_nothing_of_the_version_before(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let path = format!("{PATH}/{}", created(&app, PATH, complete(&market.funder)).await);
        let replaced = app.put(&path, "\"1\"", sample::call(&market.funder)).await.expect(200);
        assert_eq!((replaced.etag(), &replaced["eligibility"], &replaced["award_criteria"]), ("\"2\"", &json!([]), &json!([])));
        assert_eq!(replaced["lots"].as_array().unwrap().len(), 2);
        assert_eq!(replaced.body.get("answers_due_at"), None);
    }

    async fn a_call_goes_from_draft_to_published_to_closed_and_no_other_way(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let path = format!("{PATH}/{}", market.call);
        let act = async |action: &str| app.post(&format!("{path}/{action}"), json!({})).await;
        act("close").await.problem(409);
        let published = act("publish").await.expect(200);
        assert_eq!((&published["status"], published.etag()), (&json!("published"), "\"2\""));
        assert!(published["published_at"].is_string());
        act("publish").await.problem(409);

        app.put(&path, "\"2\"", sample::call(&market.funder)).await.problem(409);
        app.delete(&path, "\"2\"").await.problem(409);

        let closed = act("close").await.expect(200);
        assert_eq!((&closed["status"], closed.etag()), (&json!("closed"), "\"3\""));
        assert_eq!(closed["published_at"], published["published_at"]);
        for action in ["close", "publish"] {
            act(action).await.problem(409);
        }
        assert_eq!(app.get(&path).await.expect(200).body, closed.body);
    }

    async fn a_draft_is_deleted(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let path = format!("{PATH}/{}", market.call);
        app.delete(&path, "\"1\"").await.expect(204);
        app.get(&path).await.problem(404);
        app.post(&format!("{path}/publish"), json!({})).await.problem(404);
    }

    async fn a_list_is_narrowed_by_funder_status_and_kind(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let contract = created(&app, PATH, complete(&market.funder)).await;
        app.post(&format!("{PATH}/{contract}/publish"), json!({})).await.expect(200);
        let funder = &market.funder;
        for (query, expected) in [
            (format!("funder={funder}"), vec![&market.call, &contract]),
            ("status=published".to_owned(), vec![&contract]),
            ("status=draft&kind=grant".to_owned(), vec![&market.call]),
            (format!("funder={}", market.school), vec![]),
        ] {
            let page = app.get(&format!("{PATH}?{query}")).await.expect(200);
            let ids: Vec<&str> = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{query}");
        }
    }

    async fn unknown_codes_are_refused_where_they_stand(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        let before = everything(&app).await;
        let mut call = complete(&market.funder);
        call["funder"] = json!("019e0000-0000-7000-8000-000000000000");
        call["lots"][0]["needs"][0]["service"] = json!("yoga");
        call["lots"][0]["needs"][0]["public"] = json!("cats");
        call["lots"][0]["needs"][1]["modality"] = json!("dance");
        call["lots"][0]["needs"][1]["territory"] = json!("nowhere");
        call["eligibility"][0]["services"] = json!(["training", "juggling"]);
        call["eligibility"][0]["lots"] = json!(["none"]);
        call["eligibility"][2]["territory"] = json!("nowhere");
        let problem = app.post(PATH, call.clone()).await.problem(422);
        let expected = [
            "/eligibility/0/lots/0", "/eligibility/0/services/1", "/eligibility/2/territory", "/funder",
            "/lots/0/needs/0/public", "/lots/0/needs/0/service", "/lots/0/needs/1/modality", "/lots/0/needs/1/territory",
        ];
        let mut found = places(&problem);
        found.sort_unstable();
        assert_eq!(found, expected);
        let mut again = app.put(&format!("{PATH}/{}", market.call), "\"1\"", call).await.problem(422);
        again["request_id"] = problem["request_id"].clone();
        assert_eq!(again, problem, "a replacement is held to the same rules");
        assert_eq!(everything(&app).await, before);
    }
}

/// What is wrong with the complete call once `change` has been made, as places.
async fn refused(change: impl AsyncFn(&mut Value)) -> Vec<String> {
    let app = spawn(crate::support::database::Engine::Sqlite).await;
    let market = sample::market(&app).await;
    let before = everything(&app).await;
    let mut call = complete(&market.funder);
    change(&mut call).await;
    let problem = app.post(PATH, call).await.problem(422);
    assert_eq!(everything(&app).await, before);
    places(&problem).into_iter().map(str::to_owned).collect()
}

#[actix_web::test]
async fn a_call_without_lots_or_with_an_empty_lot_is_refused() {
    assert_eq!(refused(async |call| call["lots"] = json!([])).await, ["/lots"]);
    assert_eq!(refused(async |call| call["lots"][0]["needs"] = json!([])).await, ["/lots/0/needs"]);
}

#[actix_web::test]
async fn a_budget_of_zero_and_negative_quantities_are_refused() {
    let places = refused(async |call| {
        call["budget_cents"] = json!(0);
        call["lots"][0]["needs"][0]["quantity"] = json!(-5);
        call["lots"][0]["needs"][1]["quantity"] = json!(0);
        call["lots"][0]["needs"][1]["unmet_cost_cents"] = json!(-1);
        call["duration_months"] = json!(0);
        call["money_policy"]["coordination_per_member_cents"] = json!(-1);
    });
    let expected = [
        "/budget_cents",
        "/duration_months",
        "/lots/0/needs/0/quantity",
        "/lots/0/needs/1/quantity",
        "/lots/0/needs/1/unmet_cost_cents",
        "/money_policy/coordination_per_member_cents",
    ];
    assert_eq!(places.await, expected);
}

#[actix_web::test]
async fn dates_out_of_order_and_money_that_does_not_add_up_are_refused() {
    let places = refused(async |call| {
        call["answers_due_at"] = json!("2027-03-01T00:00:00Z");
        call["money_policy"]["budget_by_year_cents"] = json!([6_000_000, 3_000_001]);
        call["award_criteria"][0]["weight_percent"] = json!(61);
        call["group_policy"]["maximum_members"] = json!(1);
        call["group_policy"]["minimum_members"] = json!(2);
        call["group_policy"]["minimum_share_percent"] = json!(90);
    });
    let expected = [
        "/answers_due_at",
        "/money_policy/budget_by_year_cents",
        "/award_criteria",
        "/group_policy/maximum_members",
        "/group_policy/maximum_share_percent",
    ];
    assert_eq!(places.await, expected);
    assert_eq!(refused(async |call| call["starts_on"] = json!("2027-02-30")).await, ["/starts_on"]);
    let one_year = async |call: &mut Value| call["money_policy"]["budget_by_year_cents"] = json!([9_000_000]);
    assert_eq!(refused(one_year).await, ["/money_policy/budget_by_year_cents"]);
    let negative = async |call: &mut Value| {
        call["money_policy"]["budget_by_year_cents"] = json!([10_000_000, -1_000_000]);
        call["assumptions"]["capacity_per_year_by_unit"]["hour"] = json!(-1);
    };
    let expected = ["/money_policy/budget_by_year_cents", "/assumptions/capacity_per_year_by_unit/hour"];
    assert_eq!(refused(negative).await, expected);
}

#[actix_web::test]
async fn a_code_that_stands_twice_is_refused() {
    let places = refused(async |call| {
        let lot = call["lots"][0].clone();
        call["lots"].as_array_mut().unwrap().push(lot);
        let rule = call["eligibility"][0].clone();
        call["eligibility"].as_array_mut().unwrap().push(rule);
    });
    let expected = ["/lots/1/code", "/lots/1/needs/0/code", "/lots/1/needs/1/code", "/eligibility/4/code"];
    assert_eq!(places.await, expected);
}

#[actix_web::test]
async fn a_rule_has_what_its_criterion_needs_and_nothing_else() {
    let places = refused(async |call| {
        call["eligibility"] = json!([
            { "code": "a", "criterion": "credential", "scope": "each_member" },
            { "code": "b", "criterion": "turnover", "scope": "lead", "minimum_cents": 1, "territory": METROPOLE, "lots": ["all"] },
            { "code": "c", "criterion": "home_territory", "scope": "lead", "territory": METROPOLE, "services": ["training"] },
        ]);
    });
    assert_eq!(
        places.await,
        ["/eligibility/0/credential", "/eligibility/1/territory", "/eligibility/1/lots", "/eligibility/2/services"]
    );
}

#[actix_web::test]
async fn a_number_too_large_for_its_member_is_refused_at_its_place() {
    let places = refused(async |call| {
        call["money_policy"]["budget_by_year_cents"] = json!([u64::MAX, 1]);
        call["assumptions"]["capacity_per_year_by_unit"]["device"] = json!(u64::MAX);
    });
    assert_eq!(places.await, ["/money_policy/budget_by_year_cents/0", "/assumptions/capacity_per_year_by_unit/device"]);
    let unknown = refused(async |call| call["assumptions"]["capacity_per_year_by_unit"]["kilo"] = json!(1));
    assert_eq!(unknown.await, ["/assumptions/capacity_per_year_by_unit/kilo"]);
}
