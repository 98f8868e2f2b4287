//! Conditions of participation: criteria, scopes, lots, services, dates, linked entities; and who can serve what.

use attelage_solver::Status;
use serde_json::{Value, json};

use crate::support::{actor, members, need, problem, solve_value};

/// Two lots with one need each; `x` is cheap, `y` dear, both do both.
fn two_lots() -> Value {
    let mut problem = problem(
        json!([need("a", 10)]),
        json!([actor("x", &[("a", 10, 100), ("b", 10, 100)]), actor("y", &[("a", 10, 300), ("b", 10, 300)])]),
    );
    problem["call"]["lots"].as_array_mut().unwrap().push(json!({ "id": "second", "needs": [need("b", 10)] }));
    problem
}

fn with_rule(mut problem: Value, criterion: Value, scope: &str, more: Value) -> Value {
    let mut rule = json!({ "id": "rule", "criterion": criterion, "scope": scope });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    problem["call"]["eligibility"] = json!([rule]);
    problem
}

fn best(problem: &Value) -> Vec<String> {
    let answer = solve_value(problem);
    answer.proposals.first().map_or(Vec::new(), |p| members(p).into_iter().map(str::to_owned).collect())
}

fn esus() -> Value {
    json!({ "kind": "credential", "code": "esus" })
}

#[test]
fn a_performer_rule_binds_only_the_lots_and_services_named() {
    let mut problem = two_lots();
    problem["actors"][1]["credentials"] = json!([{ "code": "esus" }]);
    assert_eq!(best(&with_rule(problem.clone(), esus(), "performer", json!({}))), ["y"]);
    assert_eq!(best(&with_rule(problem.clone(), esus(), "performer", json!({ "lots": ["second"] }))), ["x", "y"]);
    assert_eq!(best(&with_rule(problem.clone(), esus(), "performer", json!({ "services": ["b"] }))), ["x", "y"]);
    assert_eq!(best(&with_rule(problem.clone(), esus(), "performer", json!({ "services": ["c"] }))), ["x"]);
    problem["services"] = json!([{ "id": "c" }, { "id": "a" }, { "id": "b", "parent": "c" }]);
    assert_eq!(best(&with_rule(problem, esus(), "performer", json!({ "services": ["c"] }))), ["x", "y"]);
}

#[test]
fn a_rule_on_each_member_may_be_limited_to_lots() {
    let mut problem = two_lots();
    problem["actors"][1]["credentials"] = json!([{ "code": "esus" }]);
    assert_eq!(best(&with_rule(problem.clone(), esus(), "each_member", json!({}))), ["y"]);
    assert_eq!(best(&with_rule(problem, esus(), "each_member", json!({ "lots": ["lot"] }))), ["x", "y"]);
}

#[test]
fn one_member_is_enough_for_any_member() {
    let mut problem = two_lots();
    problem["actors"][1]["credentials"] = json!([{ "code": "esus" }]);
    let answer = solve_value(&with_rule(problem.clone(), esus(), "any_member", json!({})));
    assert_eq!(members(&answer.proposals[0]), ["x", "y"]);
    // One unit of the dear one is enough, in any lot, or in the lot named.
    assert_eq!(answer.proposals[0].costs.services_cents, 19 * 100 + 300);
    let answer = solve_value(&with_rule(problem, esus(), "any_member", json!({ "lots": ["second"] })));
    let work = &answer.proposals[0].allocations;
    assert!(work.iter().any(|w| w.actor == "y" && w.lot == "second" && w.quantity == 1));
}

#[test]
fn turnovers_add_up_and_an_unknown_one_counts_for_nothing() {
    let turnover = |least: i64| json!({ "kind": "turnover", "minimum_cents": least });
    let mut problem = two_lots();
    problem["actors"][0]["turnover_cents"] = json!(600);
    assert_eq!(best(&with_rule(problem.clone(), turnover(600), "sum_over_members", json!({}))), ["x"]);
    assert!(best(&with_rule(problem.clone(), turnover(1000), "sum_over_members", json!({}))).is_empty());
    problem["actors"][1]["turnover_cents"] = json!(400);
    assert_eq!(best(&with_rule(problem.clone(), turnover(1000), "sum_over_members", json!({}))), ["x", "y"]);
    assert!(best(&with_rule(problem, turnover(1000), "any_member", json!({}))).is_empty());
}

#[test]
fn a_certificate_must_be_valid_on_the_first_day() {
    let mut problem = with_rule(two_lots(), esus(), "each_member", json!({}));
    problem["call"]["start"] = json!("2026-09-01");
    for (from, to, valid) in
        [("2026-09-01", "2026-09-01", true), ("2020-01-01", "2026-08-31", false), ("2026-09-02", "2030-01-01", false)]
    {
        problem["actors"][0]["credentials"] = json!([{ "code": "esus", "valid_from": from, "valid_to": to }]);
        assert_eq!(best(&problem), if valid { vec!["x"] } else { vec![] }, "{from} to {to}");
    }
}

#[test]
fn a_linked_entity_lends_its_certificate_only_where_both_sides_say_so() {
    let linked = |accept: bool| json!({ "kind": "credential", "code": "esus", "accept_linked": accept });
    let mut problem = two_lots();
    problem["actors"].as_array_mut().unwrap().push(json!({ "id": "holder", "credentials": [{ "code": "esus" }] }));
    problem["links"] = json!([{ "from": "holder", "to": "x", "shares_credentials": true }]);
    assert_eq!(best(&with_rule(problem.clone(), linked(true), "each_member", json!({}))), ["x"]);
    assert!(best(&with_rule(problem.clone(), linked(false), "each_member", json!({}))).is_empty());
    problem["links"] = json!([{ "from": "holder", "to": "x" }]);
    assert!(best(&with_rule(problem.clone(), linked(true), "each_member", json!({}))).is_empty());
    problem["links"] = json!([{ "from": "x", "to": "holder", "shares_credentials": true }]);
    assert!(best(&with_rule(problem, linked(true), "each_member", json!({}))).is_empty());
}

#[test]
fn home_and_legal_family_are_criteria() {
    let mut problem = two_lots();
    problem["territories"] = json!([{ "id": "t" }, { "id": "u", "parent": "t" }, { "id": "v", "parent": "t" }]);
    problem["actors"][1]["home_territories"] = json!(["u"]);
    let home = |territory: &str| json!({ "kind": "home_territory", "territory": territory });
    assert_eq!(best(&with_rule(problem.clone(), home("t"), "each_member", json!({}))), ["y"]);
    assert!(best(&with_rule(problem.clone(), home("v"), "each_member", json!({}))).is_empty());
    problem["actors"][1]["legal_family"] = json!("association");
    let family = json!({ "kind": "legal_family", "any_of": ["cooperative", "association"] });
    assert_eq!(best(&with_rule(problem, family, "each_member", json!({}))), ["y"]);
}

/// Whether one capability serves one need, both changed.
fn serves(capability: Value, asked: Value) -> bool {
    let mut need = need("training", 10);
    need.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
    let mut own = json!({
        "id": "k", "services": ["training"], "territories": ["city"], "unit": "hour", "capacity_per_year": 10,
        "unit_cost_cents": 100
    });
    own.as_object_mut().unwrap().extend(capability.as_object().unwrap().clone());
    need["territory"] = asked.get("territory").cloned().unwrap_or(json!("city"));
    let problem = json!({
        "call": { "id": "call", "duration_months": 12, "lots": [{ "id": "lot", "needs": [need] }] },
        "services": [{ "id": "support" }, { "id": "training", "parent": "support" }, { "id": "certified", "parent": "training" }],
        "publics": [{ "id": "adults" }, { "id": "seniors", "parent": "adults" }],
        "territories": [
            { "id": "region" }, { "id": "city", "parent": "region" },
            { "id": "north", "parent": "city", "population": 3 }, { "id": "south", "parent": "city", "population": 1 }
        ],
        "actors": [{ "id": "x", "capabilities": [own] }]
    });
    solve_value(&problem).status == Status::Optimal
}

#[test]
fn a_finer_service_serves_a_broader_need_and_never_the_reverse() {
    assert!(serves(json!({}), json!({})));
    assert!(serves(json!({ "services": ["certified"] }), json!({})));
    assert!(!serves(json!({ "services": ["support"] }), json!({})));
}

#[test]
fn a_broader_public_serves_a_finer_need_and_nobody_in_particular_serves_everybody() {
    assert!(serves(json!({}), json!({ "public": "seniors" })));
    assert!(serves(json!({ "publics": ["adults"] }), json!({ "public": "seniors" })));
    assert!(!serves(json!({ "publics": ["seniors"] }), json!({ "public": "adults" })));
    assert!(!serves(json!({ "publics": ["adults"] }), json!({})));
}

#[test]
fn territories_modalities_and_units_must_fit() {
    assert!(serves(json!({ "territories": ["north"] }), json!({})));
    assert!(serves(json!({ "territories": ["region"] }), json!({})));
    assert!(!serves(json!({ "territories": ["north"] }), json!({ "territory": "south" })));
    assert!(!serves(json!({ "territories": ["north"] }), json!({ "spread": "population" })));
    assert!(serves(json!({ "territories": ["north", "south"] }), json!({ "spread": "population" })));
    assert!(serves(json!({ "modalities": ["on_site"] }), json!({ "modality": "on_site" })));
    assert!(!serves(json!({ "modalities": ["remote"] }), json!({ "modality": "on_site" })));
    assert!(!serves(json!({ "unit": "session" }), json!({})));
    assert!(serves(json!({ "unit": null }), json!({})));
}

#[test]
fn a_spread_need_is_divided_by_population_to_the_unit() {
    let mut asked = need("a", 10);
    asked["spread"] = json!("population");
    let mut problem = problem(json!([asked]), json!([actor("x", &[("a", 10, 100)])]));
    problem["territories"] = json!([
        { "id": "t" }, { "id": "n", "parent": "t", "population": 200 }, { "id": "s", "parent": "t", "population": 100 },
        { "id": "e", "parent": "t", "population": 0 }
    ]);
    let answer = solve_value(&problem);
    let parts: Vec<_> = answer.proposals[0].allocations.iter().map(|w| (w.territory.as_str(), w.quantity)).collect();
    assert_eq!(parts, [("n", 7), ("s", 3)]);
    assert_eq!((answer.report.cells, answer.report.merged_cells), (2, 1));
}
