//! The JSON entry against damaged documents: an error or an answer, never a panic, never long past its limit.
//!
//! A few seconds at each run of the tests; for longer, in a build that checks overflows:
//! `ATTELAGE_FUZZ_SECONDS=600 cargo test -p attelage-solver --test it fuzz -- --nocapture`

use std::time::{Duration, Instant};

use attelage_solver::sample::Random;
use attelage_solver::{Instance, Options, Problem, Query, ask, check_with};
use serde_json::{Value, json};

use crate::support::lyon;

/// Every place of a document, as pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{at}/{i}"), found)),
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

/// Damages one place.
fn damage(document: &mut Value, random: &mut Random) {
    let mut all = Vec::new();
    places(document, "", &mut all);
    let donor = document.pointer(&all[random.below(all.len())]).cloned().unwrap();
    let place = all[random.below(all.len())].clone();
    let Some(target) = document.pointer_mut(&place) else { return };
    let extremes = [
        json!(0),
        json!(1),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(0.5),
        json!(1_000_000_000_000_u64),
        json!(1_000_000_000_000_000_u64),
        json!(240),
        json!(100),
        json!(""),
        json!("metropole"),
        json!(null),
        json!([]),
        json!({}),
        json!(true),
    ];
    match random.below(6) {
        0 => *target = extremes[random.below(extremes.len())].clone(),
        1 => *target = donor,
        2 => {
            if let Value::Array(items) = target
                && !items.is_empty()
            {
                let copy = items[random.below(items.len())].clone();
                items.push(copy);
            }
        }
        3 => match target {
            Value::Array(items) if !items.is_empty() => drop(items.remove(random.below(items.len()))),
            Value::Object(members) if !members.is_empty() => {
                let name = members.keys().nth(random.below(members.len())).unwrap().clone();
                members.remove(&name);
            }
            _ => {}
        },
        // Keep the type, change the value: what passes validation and reaches the solver.
        4 | 5 => match target {
            Value::Number(number) => {
                let factor = [0, 1, 2, 10, 1_000_000][random.below(5)];
                *target =
                    json!(number.as_u64().unwrap_or(1).saturating_mul(factor).saturating_add(random.number() % 3));
            }
            Value::String(text) => *text = "training".to_owned(),
            Value::Bool(flag) => *flag = !*flag,
            _ => {}
        },
        _ => {}
    }
}

/// A whole problem with every optional part in use, to damage.
fn seed() -> Value {
    let mut problem = lyon();
    problem["incompatibilities"] = json!([{ "a": "district", "b": "generalist" }]);
    problem["preferences"] = json!([{ "actor": "district", "only_with": ["trainer"] }]);
    problem["links"] = json!([{ "from": "trainer", "to": "district", "shares_credentials": true }]);
    problem["actors"][0]["capabilities"][0]["pool"] = json!("pool");
    problem["actors"][3]["capabilities"][2]["pool"] = json!("pool");
    problem["call"]["assumptions"] = json!({ "capacity_per_year_by_unit": { "hour": 100 } });
    problem["call"]["group"] = json!({
        "maximum_members": 4, "minimum_legal_families": 1, "maximum_share_percent": 95, "minimum_share_percent": 1
    });
    problem["call"]["lots"][0]["maximum_members"] = json!(3);
    problem["call"]["lots"][1]["needs"][0]["maximum_suppliers"] = json!(3);
    problem
}

#[test]
fn damaged_documents_are_refused_or_answered() {
    let seconds = std::env::var("ATTELAGE_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let until = Instant::now() + Duration::from_secs(seconds);
    let questions: Vec<Query> = [
        json!({ "proposals": {} }),
        json!({ "rules": {} }),
        json!({ "partners": { "team": ["trainer"], "exact": 1 } }),
        json!({ "check": { "team": ["trainer", "refurbisher"] } }),
        json!({ "repair": { "team": ["trainer", "refurbisher"], "departed": ["trainer"] } }),
        json!({ "shares": {} }),
        json!({ "why_not": { "actor": "generalist" } }),
        json!({ "alternatives": {} }),
        json!({ "front": { "axes": "cost_coverage", "points": 4 } }),
        json!({ "resilience": {} }),
        json!({ "diagnosis": {} }),
        json!({ "territory": {} }),
    ]
    .into_iter()
    .map(|question| serde_json::from_value(question).unwrap())
    .collect();
    let options = Options { proposals: 2, time_limit_ms: 300, ..Options::default() };
    let (mut parsed, mut valid, mut round) = (0, 0, 0_u64);
    while Instant::now() < until {
        round += 1;
        let mut random = Random::new(round);
        let mut document = seed();
        for _ in 0..=random.below(4) {
            damage(&mut document, &mut random);
        }
        let mut bytes = serde_json::to_vec(&document).unwrap();
        if random.below(20) == 0 {
            let at = random.below(bytes.len());
            bytes[at] = random.number() as u8;
        }
        let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else { continue };
        parsed += 1;
        let Ok(instance) = Instance::new(problem) else { continue };
        valid += 1;
        let question = &questions[random.below(questions.len())];
        let start = Instant::now();
        let Ok(reply) = ask(&instance, &options, question, &()) else { continue };
        assert!(start.elapsed() < Duration::from_secs(20), "round {round} hung: {question:?}");
        if let attelage_solver::Reply::Proposals(answer) = reply {
            for proposal in answer.proposals.iter().filter(|proposal| proposal.proof.verified) {
                assert_eq!(check_with(instance.problem(), &options, proposal), [], "round {round}");
            }
        }
    }
    eprintln!("{round} documents, {parsed} problems, {valid} of them valid");
    assert!(valid > 0);
}
