//! The same models in another optimiser, in pure Rust (microlp): it must come to the same optimum, or to none, as HiGHS.

use attelage_solver::export::{self, ExportError, Form, Model};
use attelage_solver::sample::{self, Shape};
use attelage_solver::{Instance, Options, RuleId, Status, solve};
use microlp::{ComparisonOp, Error, OptimizationDirection, Problem, SolveOptions};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::brute_force::call;
use crate::support::parse;

/// The least objective in thousands of euros; none where the rows contradict each other.
fn second_opinion(model: &Model) -> Option<f64> {
    let mut problem = Problem::new(OptimizationDirection::Minimize);
    let variables: Vec<_> = model
        .columns
        .iter()
        .map(|column| {
            if column.whole {
                problem.add_integer_var(column.cost, (column.least as i32, column.most as i32))
            } else {
                problem.add_var(column.cost, (column.least, column.most))
            }
        })
        .collect();
    for row in &model.rows {
        let terms: Vec<_> = row.terms.iter().map(|&(column, factor)| (variables[column], factor)).collect();
        if row.least == row.most {
            problem.add_constraint(&terms[..], ComparisonOp::Eq, row.most);
            continue;
        }
        if row.most.is_finite() {
            problem.add_constraint(&terms[..], ComparisonOp::Le, row.most);
        }
        if row.least.is_finite() {
            problem.add_constraint(&terms[..], ComparisonOp::Ge, row.least);
        }
    }
    let mut options = SolveOptions::default();
    options.tolerances.feasibility = 1e-9;
    match problem.solve_with(options) {
        Ok(outcome) => {
            assert!(outcome.is_optimal());
            Some(outcome.solution().unwrap().objective() + model.offset)
        }
        Err(Error::Infeasible) => None,
        Err(other) => panic!("{other}"),
    }
}

fn model(instance: &Instance, options: &Options, form: Form) -> Option<Model> {
    match export::model(instance, options, form) {
        Ok(model) => Some(model),
        Err(ExportError::Empty) => None,
        Err(other) => panic!("{other}"),
    }
}

/// The optimum of each form of a call's model according to microlp, beside that of the answer, in thousands of euros.
fn opinions(value: &Value, options: &Options) -> (Option<f64>, [Option<f64>; 3]) {
    let instance = Instance::new(parse(value)).unwrap_or_else(|faults| panic!("{faults:?}"));
    let options = Options { gap_ppm: 0, proposals: 1, ..options.clone() };
    let answer = solve(&instance, &options).unwrap();
    let ours = answer.proposals.first().map(|best| best.costs.objective_cents as f64 / 100_000.0);
    assert_ne!(answer.status, Status::Unknown);
    let of = |form| model(&instance, &options, form).and_then(|model| second_opinion(&model));
    (ours, [Form::Whole, Form::Compact, Form::Pairs].map(of))
}

fn compare(value: &Value, options: &Options) -> Result<(), TestCaseError> {
    let (ours, [whole, divisible, pairs]) = opinions(value, options);
    // An overhead is rounded up to the cent in the answer.
    let cent = 1.01e-5 * f64::from(u8::from(value["call"]["coordination"]["overhead_percent"] != json!(0))) + 1e-6;
    prop_assert_eq!(ours.is_some(), whole.is_some());
    if let (Some(ours), Some(whole)) = (ours, whole) {
        prop_assert!((ours - whole).abs() <= cent, "{ours} {whole}");
    }
    prop_assert_eq!(divisible.is_some(), pairs.is_some());
    if let (Some(divisible), Some(pairs)) = (divisible, pairs) {
        prop_assert!((divisible - pairs).abs() <= 1e-6, "{divisible} {pairs}");
        prop_assert!(whole.is_none_or(|whole| divisible <= whole + 1e-6));
    }
    Ok(())
}

prop_compose! {
    /// A call with every kind of rule in force: those of the enumerated calls, and conditions, pools, families, smallest shares, locks.
    fn ruled_call()(
        mut value in call(),
        credentials in prop::collection::vec(any::<bool>(), 4),
        families in prop::collection::vec(0..3_usize, 4),
        pooled in prop::collection::vec(any::<bool>(), 4),
        scope in prop::sample::select(vec!["each_member", "lead", "any_member", "performer"]),
        least in (prop::option::of(1..3_u32), prop::option::of(5..30_u8), 1..3_u32),
        tree in any::<bool>(),
    ) -> Value {
        let count = value["actors"].as_array().unwrap().len();
        for a in 0..count {
            let actor = &mut value["actors"][a];
            actor["legal_family"] = json!(["association", "company", "cooperative"][families[a]]);
            if credentials[a] {
                actor["credentials"] = json!([{ "code": "esus" }]);
            }
            if pooled[a] {
                actor["capabilities"][0]["pool"] = json!("shared");
            }
        }
        if credentials.iter().any(|&has| has) {
            value["call"]["eligibility"] =
                json!([{ "id": "label", "criterion": { "kind": "credential", "code": "esus" }, "scope": scope }]);
        }
        value["call"]["group"]["minimum_legal_families"] = json!(least.0);
        value["call"]["group"]["minimum_share_percent"] = json!(least.1);
        value["call"]["group"]["minimum_members"] = json!(least.2.min(value["call"]["group"]["maximum_members"].as_u64().unwrap_or(9) as u32));
        if tree {
            // Places that the same actors serve, so that there is something to merge.
            value["territories"] = json!([
                { "id": "t" }, { "id": "t1", "parent": "t", "population": 2 }, { "id": "t2", "parent": "t", "population": 1 }
            ]);
            for lot in value["call"]["lots"].as_array_mut().unwrap() {
                for need in lot["needs"].as_array_mut().unwrap() {
                    need["spread"] = json!("population");
                }
            }
        }
        value
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_optimiser_comes_to_the_same(value in ruled_call(), off in prop::option::of(prop::sample::select(&RuleId::ALL[..]))) {
        compare(&value, &Options { disabled_rules: off.into_iter().collect(), ..Options::default() })?;
    }
}

#[test]
fn another_optimiser_comes_to_the_same_on_samples() {
    let shape = Shape { actors: 14, needs: 4, communes: 12, services: 4, spread: true };
    for seed in 1..=2 {
        let value = serde_json::to_value(sample::problem(&shape, seed)).unwrap();
        let instance = Instance::new(parse(&value)).unwrap();
        let options = Options { gap_ppm: 0, proposals: 1, ..Options::default() };
        let answer = solve(&instance, &options).unwrap();
        let opinion = second_opinion(&export::model(&instance, &options, Form::Compact).unwrap());
        // Whole units cost at most a little more than divisible ones, and never less.
        match (answer.proposals.first(), opinion) {
            (Some(best), Some(least)) => {
                let ours = best.costs.objective_cents as f64 / 100_000.0;
                assert!(least <= ours + 1e-6 && ours <= least * 1.001 + 1e-3, "{seed}: {ours} {least}");
            }
            (ours, opinion) => assert!(ours.is_none() && opinion.is_none(), "{seed}"),
        }
    }
}

#[test]
fn a_written_model_is_the_model() {
    let instance = Instance::new(sample::problem(&Shape::LYON, 1)).unwrap();
    let path = std::env::temp_dir().join(format!("attelage-{}.mps", std::process::id()));
    export::write(&instance, &Options::default(), Form::Compact, &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let section = |from: &str, to: &str| {
        let lines = text.lines().skip_while(|line| !line.starts_with(from)).skip(1);
        lines.take_while(|line| !line.starts_with(to)).count()
    };
    let model = export::model(&instance, &Options::default(), Form::Compact).unwrap();
    // The objective is a row of the file.
    assert_eq!(section("ROWS", "COLUMNS"), model.rows.len() + 1);
    let nowhere = export::write(&instance, &Options::default(), Form::Compact, std::path::Path::new("/nowhere/x.mps"));
    assert!(matches!(nowhere, Err(ExportError::Refused)));
}
