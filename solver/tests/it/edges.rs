//! The smallest, the largest and the strangest calls.

use attelage_solver::{Assumed, GapReason, Instance, Necessity, Options, Problem, Role, Status, solve};
use serde_json::{Value, json};

use crate::support::{actor, lyon, members, need, parse, problem, solve_value, solve_with};

#[test]
fn one_actor_answers_alone() {
    let answer = solve_value(&problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)])])));
    let best = &answer.proposals[0];
    assert_eq!(best.members[0].role, Role::SoleTenderer);
    assert_eq!(best.members[0].necessity, Necessity::Indispensable);
    assert_eq!((best.cohesion.pairs, best.members[0].share_percent), (0, 100.0));
    assert!(answer.exhausted);
}

#[test]
fn huge_capacities_and_quantities_keep_their_units() {
    let million_millions = 1_000_000_000_000_u64;
    let small = problem(json!([need("a", 7)]), json!([actor("x", &[("a", million_millions, 100)])]));
    assert_eq!(solve_value(&small).proposals[0].costs.services_cents, 700);
    let actors = json!([actor("x", &[("a", million_millions - 1, 1)]), actor("y", &[("a", 5, 3)])]);
    let large = solve_value(&problem(json!([need("a", million_millions)]), actors));
    assert_eq!(large.proposals[0].costs.services_cents, 1_000_000_000_002);
}

#[test]
fn a_thousand_incompatibilities_leave_one_pair() {
    let actors: Vec<Value> = (0..46).map(|i| actor(&format!("n{i:02}"), &[("a", 6, 100 + i)])).collect();
    let mut problem = problem(json!([need("a", 12)]), json!(actors));
    let pairs: Vec<Value> = (0..46)
        .flat_map(|a| (a + 1..46).map(move |b| (a, b)))
        .filter(|&pair| pair != (44, 45))
        .map(|(a, b)| json!({ "a": format!("n{a:02}"), "b": format!("n{b:02}") }))
        .collect();
    assert!(pairs.len() > 1000);
    problem["incompatibilities"] = json!(pairs);
    let answer = solve_value(&problem);
    assert_eq!(members(&answer.proposals[0]), ["n44", "n45"]);
    assert!(answer.exhausted && answer.proposals.len() == 1);
}

#[test]
fn locks_are_kept_and_their_price_shows() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 300)]), actor("z", &[("a", 10, 200)])]);
    let problem = problem(json!([need("a", 10)]), actors);
    let lock = |inside: &[&str], outside: &[&str]| Options {
        locked_in: inside.iter().map(|id| (*id).to_owned()).collect(),
        locked_out: outside.iter().map(|id| (*id).to_owned()).collect(),
        ..Options::default()
    };
    assert_eq!(members(&solve_with(&problem, &lock(&[], &["x"])).proposals[0]), ["z"]);
    let answer = solve_with(&problem, &lock(&["y"], &[]));
    assert_eq!(members(&answer.proposals[0]), ["x", "y"]);
    assert_eq!(answer.proposals[0].costs.services_cents, 9 * 100 + 300);
}

#[test]
fn proposals_come_best_first_and_say_when_there_are_no_more() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 300)]), actor("z", &[("a", 10, 200)])]);
    let answer = solve_value(&problem(json!([need("a", 10)]), actors));
    let found: Vec<_> = answer.proposals.iter().map(|p| (p.rank, members(p), p.regret_cents)).collect();
    assert_eq!(found, [(1, vec!["x"], 0), (2, vec!["z"], 1000), (3, vec!["y"], 2000)]);
    assert!(!answer.exhausted, "three were asked for and three found");
}

#[test]
fn what_is_assumed_is_told_and_only_if_used() {
    let mut vague = actor("x", &[("a", 10, 100)]);
    vague["capabilities"][0] = json!({ "id": "k", "services": ["a"], "territories": ["t"] });
    let mut asked = need("a", 10);
    asked["reference_unit_cost_cents"] = json!(250);
    let mut problem = problem(json!([asked]), json!([vague, actor("y", &[("a", 10, 300)])]));
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["y"]);
    problem["call"]["assumptions"] = json!({ "capacity_per_year_by_unit": { "hour": 12 } });
    let answer = solve_value(&problem);
    let best = &answer.proposals[0];
    assert_eq!((members(best), best.costs.services_cents), (vec!["x"], 2500));
    let told: Vec<_> = best.assumptions.iter().map(|a| (a.capability.as_str(), a.what, a.value)).collect();
    assert_eq!(told, [("k", Assumed::CapacityPerYear, 12), ("k", Assumed::UnitCost, 250)]);
    assert!(best.allocations[0].assumed);
    assert!(answer.proposals[1].assumptions.is_empty());
}

#[test]
fn an_unknown_cost_is_never_taken_for_a_low_one() {
    let mut vague = actor("vague", &[("a", 10, 0)]);
    vague["capabilities"][0]["unit_cost_cents"] = json!(null);
    let problem = problem(json!([need("a", 10)]), json!([vague, actor("known", &[("a", 10, 300)])]));
    let set = |pointer: &str, value: Value| {
        let mut changed = problem.clone();
        changed["call"]["lots"][0]["needs"][0][pointer] = value;
        changed
    };
    for worthless in [problem.clone(), set("unmet_cost_cents", json!(5)), set("mandatory", json!(false))] {
        let answer = solve_value(&worthless);
        assert!(answer.proposals.iter().all(|proposal| members(proposal) == ["known"]), "{answer:#?}");
    }
    assert_eq!(members(&solve_value(&set("reference_unit_cost_cents", json!(299))).proposals[0]), ["vague"]);
    assert_eq!(members(&solve_value(&set("reference_unit_cost_cents", json!(301))).proposals[0]), ["known"]);
}

#[test]
fn shares_are_rounded_and_add_up_to_a_hundred() {
    let three = json!([actor("x", &[("a", 1, 6028)]), actor("y", &[("a", 1, 3971)]), actor("z", &[("a", 1, 3971)])]);
    let shares = |quantity: u64| -> Vec<f64> {
        let answer = solve_value(&problem(json!([need("a", quantity)]), three.clone()));
        answer.proposals[0].members.iter().map(|member| member.share_percent).collect()
    };
    // Of 13,970: 43.149…, 28.425… and 28.425…: rounded down, two hundredths are left.
    assert_eq!(shares(3), [43.15, 28.43, 28.42]);
    assert_eq!(shares(2), [50.0, 50.0]);
    let free = problem(json!([need("a", 1)]), json!([actor("x", &[("a", 1, 0)])]));
    assert_eq!(solve_value(&free).proposals[0].members[0].share_percent, 0.0);
}

#[test]
fn an_optional_need_is_left_when_it_is_not_worth_its_cost() {
    let mut wish = need("b", 10);
    wish["mandatory"] = json!(false);
    wish["unmet_cost_cents"] = json!(99);
    let mut problem = problem(json!([need("a", 10), wish]), json!([actor("x", &[("a", 10, 100), ("b", 10, 100)])]));
    let answer = solve_value(&problem);
    let best = &answer.proposals[0];
    assert_eq!((best.needs[1].covered, best.costs.unmet_cents), (0, 990));
    assert_eq!(best.needs[1].gaps[0].reason, GapReason::TooCostly);
    problem["call"]["lots"][0]["needs"][1]["unmet_cost_cents"] = json!(101);
    assert_eq!(solve_value(&problem).proposals[0].needs[1].covered, 10);
    problem["call"]["budget_cents"] = json!(1500);
    let answer = solve_value(&problem);
    assert_eq!(answer.proposals[0].needs[1].covered, 5);
    assert_eq!(answer.proposals[0].needs[1].gaps[0].reason, GapReason::Rule);
    problem["call"]["budget_cents"] = json!(null);
    problem["actors"][0]["capabilities"][1]["capacity_per_year"] = json!(4);
    assert_eq!(solve_value(&problem).proposals[0].needs[1].gaps[0].reason, GapReason::Capacity);
}

#[test]
fn a_place_without_supplier_does_not_hide_why_another_is_left() {
    let mut wish = need("b", 20);
    wish["territory"] = json!("country");
    wish["mandatory"] = json!(false);
    wish["unmet_cost_cents"] = json!(99);
    wish["spread"] = json!("population");
    let mut problem = problem(json!([need("a", 10), wish]), json!([actor("x", &[("a", 10, 100), ("b", 10, 100)])]));
    problem["territories"] = json!([
        { "id": "country" },
        { "id": "t", "parent": "country", "population": 1 },
        { "id": "u", "parent": "country", "population": 1 }
    ]);
    let answer = solve_value(&problem);
    let gaps = answer.proposals[0].needs[1].gaps.iter();
    let told: Vec<_> = gaps.map(|gap| (gap.territory.as_str(), gap.quantity, gap.reason)).collect();
    assert_eq!(told, [("t", 10, GapReason::TooCostly), ("u", 10, GapReason::NoSupplier)]);
}

#[test]
fn fractions_that_only_whole_quantities_forbid_are_resolved_honestly() {
    // 50 % each of three equal units cannot be whole; the proof is about whole units.
    let mut problem =
        problem(json!([need("a", 3)]), json!([actor("x", &[("a", 3, 100)]), actor("y", &[("a", 3, 100)])]));
    problem["call"]["group"] = json!({ "maximum_share_percent": 50 });
    assert_eq!(solve_value(&problem).status, Status::Infeasible);
    problem["call"]["lots"][0]["needs"][0]["quantity"] = json!(4);
    assert_eq!(solve_value(&problem).status, Status::Optimal);
}

#[test]
fn a_limit_that_leaves_no_time_says_unknown_or_keeps_what_it_has() {
    let problem = lyon();
    let answer = solve(&Instance::new(parse(&problem)).unwrap(), &Options { time_limit_ms: 1, ..Options::default() });
    let answer = answer.unwrap();
    match answer.status {
        Status::Unknown => assert!(answer.proposals.is_empty() && answer.infeasibility.is_none()),
        Status::Optimal | Status::Feasible => assert!(!answer.proposals.is_empty()),
        Status::Infeasible => panic!("the call can be answered"),
    }
}

#[test]
fn options_that_make_no_sense_are_all_told() {
    let instance = Instance::new(parse(&lyon())).unwrap();
    let options = Options {
        proposals: 0,
        locked_in: vec!["trainer".into(), "ghost".into()],
        locked_out: vec!["trainer".into()],
        time_limit_ms: 0,
        gap_ppm: 1_000_001,
        ..Options::default()
    };
    let faults = solve(&instance, &options).unwrap_err().faults;
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["/proposals", "/locked_in/1", "/locked_out/0", "/time_limit_ms", "/gap_ppm"]);
}

#[test]
fn years_add_up_also_when_the_last_one_is_short() {
    let mut problem = lyon();
    problem["call"]["duration_months"] = json!(45);
    let answer = solve_value(&problem);
    for work in &answer.proposals[0].allocations {
        assert_eq!(work.by_year.len(), 4);
        assert_eq!(work.by_year.iter().sum::<u64>(), work.quantity);
    }
}

#[test]
fn problems_survive_a_round_trip_and_the_solver_is_send_and_sync() {
    let problem = parse(&lyon());
    let again: Problem = serde_json::from_str(&serde_json::to_string(&problem).unwrap()).unwrap();
    assert_eq!(problem, again);
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Instance::new(problem).unwrap());
}
