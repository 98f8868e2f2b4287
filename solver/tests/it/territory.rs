//! Supply against need: against a linear program, against the same call with the capability in it, and by hand.

use std::collections::BTreeMap;

use attelage_solver::sample::{self, Shape};
use attelage_solver::territory::{Hypothetical, Pair, TerritoryMap, TerritoryQuery, Weight};
use attelage_solver::{Capability, Instance, Options, Problem, Query, Reply, ask};
use good_lp::{Expression, ProblemVariables, Solution, SolverModel, variable};
use serde_json::{Value, json};

use crate::support::{actor, in_settings, lyon, parse};

fn survey(problem: &Problem, query: TerritoryQuery) -> TerritoryMap {
    let instance = Instance::new(problem.clone()).unwrap();
    match ask(&instance, &Options::default(), &Query::Territory(query), &()).unwrap() {
        Reply::Territory(map) => map,
        other => panic!("{other:?}"),
    }
}

fn indicator(weights: &[(&str, f64)]) -> Weight {
    Weight::Indicator { by_territory: weights.iter().map(|(id, weight)| ((*id).to_owned(), *weight)).collect() }
}

/// Three communes in one district; x serves all of it with 10, y only the first commune with 4.
fn district() -> Value {
    let mut x = actor("x", &[("a", 10, 100)]);
    x["capabilities"][0]["territories"] = json!(["district"]);
    let mut y = actor("y", &[("a", 4, 100)]);
    y["capabilities"][0]["territories"] = json!(["north"]);
    json!({
        "call": { "id": "call", "duration_months": 12, "lots": [{ "id": "lot", "needs": [
            { "id": "a", "service": "a", "territory": "district", "unit": "hour", "quantity": 18, "spread": "population" },
            { "id": "b", "service": "b", "territory": "south", "unit": "session", "quantity": 3, "mandatory": false }
        ] }] },
        "services": [{ "id": "a" }, { "id": "b" }],
        "territories": [
            { "id": "district" },
            { "id": "north", "parent": "district", "population": 60 },
            { "id": "south", "parent": "district", "population": 60 },
            { "id": "west", "parent": "district", "population": 60 }
        ],
        "actors": [x, y],
        "relations": [{ "a": "x", "b": "y" }]
    })
}

#[test]
fn the_heaviest_place_is_served_first() {
    let weight = indicator(&[("south", 5.0), ("district", 1.0), ("west", 2.0)]);
    let map = survey(&parse(&district()), TerritoryQuery { weight, ..TerritoryQuery::default() });
    let served: Vec<(&str, f64, u64, u64)> =
        map.places.iter().map(|p| (p.territory.as_str(), p.weight, p.needed, p.served)).collect();
    assert_eq!(served, [("north", 1.0, 6, 4), ("south", 5.0, 6, 6), ("west", 2.0, 6, 4), ("south", 5.0, 3, 0)]);
    assert_eq!(map.places[0].suppliers, ["x", "y"]);
    assert_eq!((map.places[0].supply, map.places[0].redundant), (14, 8));
    let hours = &map.totals[0];
    // (4·1 + 6·5 + 4·2) of (6·1 + 6·5 + 6·2).
    assert_eq!((hours.unit.as_str(), hours.needed, hours.served, hours.weighted_percent), ("hour", 18, 14, 87.5));
    let zones: Vec<(&str, &str, u64, bool)> =
        map.white_zones.iter().map(|z| (z.need.as_str(), z.territory.as_str(), z.missing, z.no_supplier)).collect();
    assert_eq!(zones, [("b", "south", 3, true), ("a", "west", 2, false), ("a", "north", 2, false)]);
    assert!(map.complete && map.exact);
}

#[test]
fn one_more_capability_helps_where_it_frees_others_too() {
    // One more in the north frees x for the west: 2 there and 2 in the north.
    let one = Hypothetical {
        service: "a".into(),
        territory: "north".into(),
        public: None,
        unit: None,
        capacity_per_year: Some(3),
    };
    let query = TerritoryQuery {
        weight: indicator(&[("south", 5.0), ("district", 1.0), ("west", 2.0)]),
        hypotheses: vec![
            one.clone(),
            Hypothetical { capacity_per_year: None, ..one.clone() },
            Hypothetical { service: "b".into(), ..one },
        ],
        capacity_per_year: Some(3),
        ..TerritoryQuery::default()
    };
    let map = survey(&parse(&district()), query);
    let gains: Vec<u64> = map.hypotheses.iter().map(|gain| gain.gain).collect();
    // x gives nothing to the north today, so that only the north itself gains: 2.
    assert_eq!(gains, [2, 2, 0]);
    let best: Vec<(&str, &str, u64)> = map
        .best_places
        .iter()
        .map(|gain| (gain.capability.service.as_str(), gain.capability.territory.as_str(), gain.gain))
        .collect();
    assert_eq!(best[0], ("b", "south", 3));
    assert_eq!(best[1], ("a", "south", 3), "x leaves the south for the west and the north");
}

#[test]
fn relations_have_components_brokers_and_ways() {
    let names = ["p", "q", "r", "s", "t"];
    let actors: Vec<Value> = names.iter().map(|id| actor(id, &[("a", 1, 1)])).collect();
    let mut problem = crate::support::problem(json!([crate::support::need("a", 1)]), json!(actors));
    let relation = |a: &str, b: &str, strength: u8| json!({ "a": a, "b": b, "strength_percent": strength });
    problem["relations"] =
        json!([relation("p", "q", 50), relation("q", "r", 50), relation("p", "s", 90), relation("s", "r", 60)]);
    let paths = [("p", "r"), ("p", "t"), ("t", "t")].map(|(a, b)| Pair { a: a.into(), b: b.into() }).to_vec();
    let map = survey(&parse(&problem), TerritoryQuery { paths, ..TerritoryQuery::default() });
    assert_eq!(map.relations.components, [vec!["p", "q", "r", "s"], vec!["t"]]);
    assert!(map.relations.brokers.is_empty(), "a ring holds without any one of them");
    assert_eq!(map.relations.paths, [vec!["p", "s", "r"], vec![], vec!["t"]]);
    problem["relations"] = json!([relation("p", "q", 50), relation("q", "r", 50), relation("r", "s", 50)]);
    let map = survey(&parse(&problem), TerritoryQuery::default());
    assert_eq!(map.relations.brokers, ["q", "r"]);
}

#[test]
fn mistakes_of_a_query_are_all_told() {
    let query = serde_json::from_value(json!({ "territory": {
        "weight": { "kind": "indicator", "by_territory": { "lyon": -1.0, "a/b": 1.0 } },
        "hypotheses": [{ "service": "x", "territory": "y", "public": "z", "capacity_per_year": 2_000_000_000_000_u64 }],
        "best_places": 101,
        "paths": [{ "a": "trainer", "b": "nobody" }] } }))
    .unwrap();
    let error = ask(&Instance::new(parse(&lyon())).unwrap(), &Options::default(), &query, &()).unwrap_err();
    let paths: Vec<String> = error.faults.iter().map(|fault| in_settings(&fault.path)).collect();
    assert_eq!(
        paths,
        [
            "/weight/by_territory/a~1b",
            "/weight/by_territory/lyon",
            "/hypotheses/0/service",
            "/hypotheses/0/territory",
            "/hypotheses/0/public",
            "/hypotheses/0/capacity_per_year",
            "/best_places",
            "/paths/0/b"
        ]
    );
}

/// A call of four needs over eight communes, with weights that ask for exchanges.
fn random(seed: u64) -> (Problem, BTreeMap<String, f64>) {
    let shape = Shape { actors: 12, needs: 4, communes: 8, services: 3, spread: true };
    let mut problem = sample::problem(&shape, seed);
    problem.actors.drain(..3); // Those who reach everything.
    problem.relations.clear();
    problem.call.lots[0].needs.iter_mut().for_each(|need| need.quantity *= 6);
    let weights =
        problem.territories.iter().enumerate().map(|(i, t)| (t.id.clone(), ((i as u64 * 7 + seed) % 5) as f64));
    let weights = weights.collect();
    (problem, weights)
}

/// The most weight, and the most units, that a linear program serves: by territory trees and capacities read from the problem.
fn linear(problem: &Problem, map: &TerritoryMap, weighted: bool) -> f64 {
    let within = |node: &str, top: &str| {
        let mut at = Some(node.to_owned());
        while let Some(id) = at {
            if id == top {
                return true;
            }
            at = problem.territories.iter().find(|t| t.id == id).unwrap().parent.clone();
        }
        false
    };
    let mut variables = ProblemVariables::new();
    let mut by_place = vec![Expression::default(); map.places.len()];
    let mut rows = Vec::new();
    for capability in problem.actors.iter().flat_map(|actor| &actor.capabilities) {
        let per_year = capability.capacity_per_year.unwrap_or(100);
        let mut work = Expression::default();
        for (p, place) in map.places.iter().enumerate() {
            let there = capability.territories.iter().any(|own| within(&place.territory, own));
            if there && capability.services.contains(&place.service) && per_year * 4 >= capability.minimum_quantity {
                let x = variables.add(variable().min(0));
                by_place[p] += x;
                work += x;
            }
        }
        rows.push(work.leq((per_year * 4) as f64));
    }
    let mut objective = Expression::default();
    for (place, served) in map.places.iter().zip(by_place) {
        objective.add_mul(if weighted { place.weight } else { 1.0 }, served.clone());
        rows.push(served.leq(place.needed as f64));
    }
    let mut model = variables.maximise(objective.clone()).using(good_lp::highs);
    for row in rows {
        model.add_constraint(row);
    }
    model.solve().unwrap().eval(objective)
}

#[test]
fn the_flow_by_priority_serves_as_much_weight_and_as_many_units_as_a_linear_program() {
    for seed in 0..8 {
        let (problem, by_territory) = random(seed);
        let query = TerritoryQuery { weight: Weight::Indicator { by_territory }, ..TerritoryQuery::default() };
        let map = survey(&problem, query);
        let served: u64 = map.places.iter().map(|place| place.served).sum();
        let weight: f64 = map.places.iter().map(|place| place.weight * place.served as f64).sum();
        assert!(served > 0 && !map.white_zones.is_empty(), "seed {seed} asks nothing");
        assert!((linear(&problem, &map, true) - weight).abs() < 1e-3, "seed {seed}");
        assert!((linear(&problem, &map, false) - served as f64).abs() < 1e-3, "seed {seed}");
    }
}

#[test]
fn a_gain_is_what_the_call_serves_more_with_the_capability_in_it() {
    for seed in 0..6 {
        let (problem, by_territory) = random(seed);
        let weight = Weight::Indicator { by_territory };
        let query = TerritoryQuery {
            weight: weight.clone(),
            best_places: 4,
            capacity_per_year: Some(200),
            ..TerritoryQuery::default()
        };
        let before = survey(&problem, query.clone());
        assert!(!before.best_places.is_empty());
        for told in &before.best_places {
            let mut more = problem.clone();
            let mut newcomer = more.actors[0].clone();
            newcomer.id = "newcomer".into();
            newcomer.capabilities = vec![Capability {
                id: "newcomer/0".into(),
                services: vec![told.capability.service.clone()],
                territories: vec![told.capability.territory.clone()],
                capacity_per_year: Some(200),
                minimum_quantity: 0,
                ..newcomer.capabilities[0].clone()
            }];
            more.actors.push(newcomer);
            let after = survey(&more, TerritoryQuery { best_places: 0, ..query.clone() });
            let key = |p: &attelage_solver::territory::PlaceSupply| (p.need.clone(), p.territory.clone());
            let old: BTreeMap<_, u64> = before.places.iter().map(|p| (key(p), p.served)).collect();
            // Among places of one weight the work may be divided anew.
            let more = |p: &attelage_solver::territory::PlaceSupply| p.served as i64 - old[&key(p)] as i64;
            let gain: i64 = after.places.iter().map(more).sum();
            let weighted: f64 = after.places.iter().map(|p| more(p) as f64 * p.weight).sum();
            assert_eq!(told.gain as i64, gain, "seed {seed}, {:?}", told.capability);
            assert!((told.weighted_gain - weighted).abs() < 1e-6, "seed {seed}, {:?}", told.capability);
            assert_eq!(told.places.iter().map(|place| place.quantity).sum::<u64>(), told.gain);
        }
        // And no other place does better.
        let everywhere = survey(&problem, TerritoryQuery { best_places: 100, ..query });
        assert_eq!(everywhere.best_places[..before.best_places.len()], before.best_places[..]);
        assert!(everywhere.best_places.windows(2).all(|pair| pair[0].weighted_gain >= pair[1].weighted_gain));
    }
}
