//! Alternatives, fronts and objectives in stages: cases whose answer is known, bad requests, limits.

use std::cell::{Cell, RefCell};

use attelage_solver::{
    Aim, Alternatives, AlternativesRequest, Axes, Diversity, End, Front, FrontPoint, FrontRequest, Instance, Measure,
    Observer, Options, Query, Reply, Status, ask, check_with, solve,
};
use serde_json::{Value, json};

use crate::support::{actor, in_settings, members, need, parse, problem, solve_value, solve_with};

fn reply(value: &Value, options: &Options, query: Value) -> Result<Reply, Vec<String>> {
    let query: Query = serde_json::from_value(query).unwrap();
    let instance = Instance::new(parse(value)).unwrap();
    ask(&instance, options, &query, &())
        .map_err(|error| error.faults.into_iter().map(|fault| in_settings(&fault.path)).collect())
}

fn alternatives(value: &Value, settings: Value) -> Alternatives {
    match reply(value, &Options::default(), json!({ "alternatives": settings })) {
        Ok(Reply::Alternatives(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn front(value: &Value, axes: &str) -> Front {
    match reply(value, &Options::default(), json!({ "front": { "axes": axes, "points": 40 } })) {
        Ok(Reply::Front(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

/// Three who can each do it all, at 100, 103 and 120 cents a unit.
fn three() -> Value {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 103)]), actor("z", &[("a", 10, 120)])]);
    problem(json!([need("a", 10)]), actors)
}

#[test]
fn an_alternative_says_who_is_replaced_by_whom_at_what_regret() {
    let answer = alternatives(&three(), json!({ "tolerance_percent": 5 }));
    assert_eq!(answer.status, Status::Optimal);
    assert_eq!((members(answer.best.as_ref().unwrap()), answer.limit_cents), (vec!["x"], Some(1050)));
    let [other] = &answer.alternatives[..] else { panic!("{:?}", answer.alternatives) };
    assert_eq!((members(&other.proposal), other.regret_cents), (vec!["y"], 30));
    assert_eq!((other.replaced[0].actor.as_str(), &other.replaced[0].by[..]), ("x", &["y".to_owned()][..]));
    assert_eq!(other.newcomers, ["y"]);
    assert_eq!(other.proposal.members[0].reasons[0].actors.len(), 0);
    // The next one costs 12 instead of 10.50, or y and z together more: the search without a limit says how much more.
    assert_eq!(answer.end, Some(End::BeyondTolerance { bound_cents: 1200, nearest_regret_cents: Some(200) }));
}

#[test]
fn without_another_consortium_the_proof_says_so() {
    let alone = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 9, 1)])]));
    let answer = alternatives(&alone, json!({ "tolerance_cents": 1_000_000 }));
    assert_eq!(members(answer.best.as_ref().unwrap()), ["x", "y"]);
    assert_eq!(answer.alternatives.len(), 1, "x alone");
    assert_eq!(answer.end, Some(End::NoOther));
    let nobody = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 1, 100)])]));
    let answer = alternatives(&nobody, json!({}));
    assert_eq!((answer.status, answer.best, answer.end), (Status::Infeasible, None, None));
    let empty = alternatives(&problem(json!([need("a", 10)]), json!([])), json!({}));
    assert_eq!(empty.status, Status::Infeasible);
}

#[test]
fn the_most_diverse_replaces_more_than_the_cheapest() {
    // Two needs; the cheapest other consortium keeps one of the members, another one within the tolerance none.
    let value = problem(
        json!([need("a", 10), need("b", 10)]),
        json!([
            actor("p", &[("a", 10, 100)]),
            actor("q", &[("b", 10, 100)]),
            actor("r", &[("a", 10, 101)]),
            actor("s", &[("b", 10, 104)])
        ]),
    );
    let cheapest = alternatives(&value, json!({ "count": 1 }));
    assert_eq!(members(&cheapest.alternatives[0].proposal), ["q", "r"]);
    assert_eq!(cheapest.end, Some(End::Count));
    let diverse = alternatives(&value, json!({ "count": 1, "diversity": "maximum" }));
    assert_eq!(members(&diverse.alternatives[0].proposal), ["r", "s"]);
    assert_eq!((diverse.alternatives[0].regret_cents, diverse.alternatives[0].most_diverse), (50, Some(true)));
    assert_eq!(diverse.alternatives[0].fewest_replaced, 2);
}

#[test]
fn bad_requests_name_their_fields() {
    let faults = |query: Value| reply(&three(), &Options::default(), query).unwrap_err();
    let bad = json!({ "alternatives": { "count": 21, "minimum_replaced": 0, "tolerance_percent": 101,
        "tolerance_cents": -1 } });
    assert_eq!(
        faults(bad),
        ["/count", "/minimum_replaced", "/tolerance_percent", "/tolerance_cents", "/tolerance_cents"]
    );
    assert_eq!(faults(json!({ "front": { "points": 41 } })), ["/points"]);
    assert_eq!(faults(json!({ "resilience": { "team": ["x", "who", "x"] } })), ["/team/1", "/team/2"]);
    let unknown = json!({ "front": { "point": 3 } });
    assert!(serde_json::from_value::<Query>(unknown).is_err());
    let options = Options { stage_tolerance_ppm: 1_000_001, ..Options::default() };
    assert_eq!(reply(&three(), &options, json!({ "front": {} })).unwrap_err(), ["/stage_tolerance_ppm"]);
}

/// One optional need of three units that three actors could serve, each with a fixed cost of its own.
fn optional() -> Value {
    let mut value = problem(
        json!([need("b", 1), need("a", 3)]),
        json!([
            actor("x", &[("a", 1, 100), ("b", 1, 100)]),
            actor("y", &[("a", 1, 500)]),
            actor("z", &[("a", 3, 600)])
        ]),
    );
    value["call"]["lots"][0]["needs"][1]["mandatory"] = json!(false);
    value["call"]["lots"][0]["needs"][1]["unmet_cost_cents"] = json!(1000);
    value["actors"][2]["capabilities"][0]["minimum_quantity"] = json!(3);
    value
}

#[test]
fn a_front_has_the_points_that_no_weighted_sum_finds() {
    // Units of a covered: none for 100; x for 200; x and y for 700; z for 1,900.
    let front = front(&optional(), "cost_coverage");
    let told: Vec<(i64, i64, bool)> = front.points.iter().map(|p| (p.cost_cents, p.missing, p.supported)).collect();
    assert_eq!(told, [(100, 3000, true), (200, 2000, true), (700, 1000, true), (1900, 0, true)]);
    let mut value = optional();
    value["actors"][1]["capabilities"][0]["unit_cost_cents"] = json!(900);
    let told: Vec<bool> = self::front(&value, "cost_coverage").points.iter().map(|p| p.supported).collect();
    assert_eq!(told, [true, true, false, true], "1,100 for one unit less is above the line from 200 to 1,900");
    assert!(front.complete && front.note.is_none());
    assert_eq!(front.points.iter().map(|p| p.extra_cents).collect::<Vec<_>>(), [0, 100, 600, 1800]);
    // The mandatory unit weighs the lowest price offered, 100: 100 of 3,100 are covered at first.
    assert_eq!(front.points[0].merit_percent, 3.22);
    assert_eq!(front.points[3].merit_percent, 100.0);
}

#[test]
fn coverage_of_mandatory_needs_has_one_value() {
    let front = front(&three(), "cost_coverage");
    assert_eq!((front.points.len(), front.complete, front.status), (1, true, Status::Optimal));
    assert!(front.note.unwrap().starts_with("Every need is mandatory"));
    let nobody = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 1, 100)])]));
    let front = self::front(&nobody, "cost_coverage");
    assert_eq!((front.points.len(), front.status), (0, Status::Infeasible));
}

#[test]
fn cohesion_counts_pairs_that_never_worked_together() {
    let mut value = problem(
        json!([need("a", 10), need("b", 10)]),
        json!([
            actor("p", &[("a", 10, 100)]),
            actor("q", &[("b", 10, 100)]),
            actor("r", &[("b", 10, 130)]),
            actor("s", &[("a", 10, 190), ("b", 10, 190)])
        ]),
    );
    let axis = |value: &Value| -> Vec<(i64, i64)> {
        front(value, "cost_cohesion").points.iter().map(|p| (p.cost_cents, p.missing)).collect()
    };
    assert_eq!(axis(&value), [(2000, 1), (3800, 0)], "s alone");
    value["relations"] = json!([{ "a": "p", "b": "r", "strength_percent": 0 }]);
    assert_eq!(axis(&value), [(2000, 1), (2300, 0)], "p and r know each other, however little that spares");
}

#[test]
fn each_point_is_told_when_it_is_found() {
    #[derive(Default)]
    struct Seen(RefCell<Vec<FrontPoint>>);
    impl Observer for Seen {
        fn point(&self, point: &FrontPoint) {
            self.0.borrow_mut().push(point.clone());
        }
    }
    let (seen, instance) = (Seen::default(), Instance::new(parse(&optional())).unwrap());
    let query = Query::Front(FrontRequest { axes: Axes::CostCoverage, points: 12 });
    let Reply::Front(front) = ask(&instance, &Options::default(), &query, &seen).unwrap() else { panic!() };
    let mut told: Vec<(i64, i64)> = seen.0.borrow().iter().map(|p| (p.cost_cents, p.missing)).collect();
    assert_eq!(told[..2], [(100, 3000), (1900, 0)], "the ends come first");
    told.sort_unstable();
    assert_eq!(told, front.points.iter().map(|p| (p.cost_cents, p.missing)).collect::<Vec<_>>());
}

#[test]
fn a_stopped_search_keeps_what_it_found_and_claims_nothing() {
    struct StopAfter(Cell<u32>);
    impl Observer for StopAfter {
        fn cancelled(&self) -> bool {
            self.0.set(self.0.get().saturating_sub(1));
            self.0.get() == 0
        }
    }
    let value = optional();
    let instance = Instance::new(parse(&value)).unwrap();
    for patience in [1, 2, 4, 8, 16, 32, 64] {
        for query in [
            Query::Front(FrontRequest { axes: Axes::CostResilience, points: 40 }),
            Query::Front(FrontRequest { axes: Axes::CostCoverage, points: 40 }),
            Query::Alternatives(AlternativesRequest {
                diversity: Diversity::Maximum,
                ..AlternativesRequest::default()
            }),
            serde_json::from_value(json!({ "resilience": {} })).unwrap(),
        ] {
            let reply = ask(&instance, &Options::default(), &query, &StopAfter(Cell::new(patience))).unwrap();
            match reply {
                Reply::Front(front) => {
                    assert!(front.status != Status::Infeasible);
                    assert!(!front.complete || front.points.len() == 4 || front.points.len() == 1, "{front:#?}");
                }
                Reply::Alternatives(answer) => assert!(answer.status != Status::Infeasible),
                Reply::Resilience(answer) => {
                    assert!(answer.losses.iter().all(|loss| loss.actor != "x" || loss.survived != Some(true)));
                    assert!(patience > 1 || answer.status == Status::Unknown);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn stages_tell_what_they_reached_and_what_they_kept() {
    let value = optional();
    // In euros, z is worth its price of 600 a unit; with cost first, only the mandatory unit is served.
    let cost_first = Options { objective: Aim::CostFirst, stage_tolerance_ppm: 0, ..Options::default() };
    let answer = solve_with(&value, &cost_first);
    assert_eq!(answer.status, Status::Optimal);
    assert_eq!(answer.proposals[0].costs.total_cents, 100);
    let stages: Vec<(Measure, i64)> = answer.proposals[0].stages.iter().map(|s| (s.measure, s.value)).collect();
    assert_eq!(stages, [(Measure::Paid, 100), (Measure::Uncovered, 3000), (Measure::Euros, 3100)]);
    // Twice as much may be paid: the second stage uses it for one unit more.
    let twice = Options { stage_tolerance_ppm: 1_000_000, ..cost_first };
    let kept = &solve_with(&value, &twice).proposals[0];
    assert_eq!((kept.stages[0].kept, kept.costs.total_cents, kept.stages[1].value), (200, 200, 2000));
    let coverage_first = Options { objective: Aim::CoverageFirst, ..Options::default() };
    let answer = solve_with(&value, &coverage_first);
    assert_eq!(answer.proposals[0].stages[0].value, 0);
    assert_eq!(members(&answer.proposals[0]), ["x", "z"]);
    assert!(solve_value(&value).proposals[0].stages.is_empty());
}

#[test]
fn a_smallest_quantity_equal_to_the_capacity_does_not_hide_the_optimum() {
    // The optimiser's merging of parallel rows called w the best here, at more than twice the cost of x.
    let mut value = problem(
        json!([need("a", 1), need("b", 1)]),
        json!([actor("w", &[("a", 1, 800)]), actor("x", &[("a", 2, 300)])]),
    );
    for actor in value["actors"].as_array_mut().unwrap() {
        actor["capabilities"][0]["services"] = json!(["a", "b"]);
    }
    value["actors"][1]["capabilities"][0]["minimum_quantity"] = json!(2);
    for need in value["call"]["lots"][0]["needs"].as_array_mut().unwrap() {
        need["unmet_cost_cents"] = json!(700);
    }
    value["call"]["lots"][0]["needs"][1]["mandatory"] = json!(false);
    value["call"]["budget_cents"] = json!(1200);
    value["call"]["coordination"]["per_member_cents"] = json!(100);
    let answer = solve_value(&value);
    assert_eq!((members(&answer.proposals[0]), answer.proposals[0].costs.objective_cents), (vec!["x"], 700));
}

#[test]
fn a_call_like_that_of_a_city_has_alternatives_and_a_front() {
    let problem = attelage_solver::sample::problem(&attelage_solver::sample::Shape::LYON, 3);
    let instance = Instance::new(problem.clone()).unwrap();
    let options = Options::default();
    let query = Query::Alternatives(AlternativesRequest { count: 2, minimum_replaced: 2, ..Default::default() });
    let Reply::Alternatives(answer) = ask(&instance, &options, &query, &()).unwrap() else { panic!() };
    assert!(answer.alternatives.len() == 2 || matches!(answer.end, Some(End::BeyondTolerance { .. } | End::NoOther)));
    for other in &answer.alternatives {
        assert_eq!(check_with(&problem, &options, &other.proposal), []);
        assert!(other.proposal.proof.optimal && other.fewest_replaced >= 2);
    }
    let query = Query::Front(FrontRequest { axes: Axes::CostResilience, points: 3 });
    let Reply::Front(front) = ask(&instance, &options, &query, &()).unwrap() else { panic!() };
    assert_eq!((front.points.len(), front.status), (3, Status::Optimal));
    let best = solve(&instance, &Options { proposals: 1, ..options }).unwrap().proposals[0].costs.objective_cents;
    let gap = best / 1_000_000 + 1;
    assert!((front.points[0].cost_cents - best).abs() <= gap, "the cheap end is the best in euros");
    assert!(front.points.windows(2).all(|p| p[0].cost_cents < p[1].cost_cents && p[0].missing > p[1].missing));
}
