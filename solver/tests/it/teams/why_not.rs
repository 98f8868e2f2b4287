//! Why an actor is not in the best consortium.

use attelage_solver::{Options, Refusal, Remedy, Reply, Verdict, WhyNot};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{least, mistakes, question, verified};
use crate::brute_force::{NAMES, call, enumerate};
use crate::support::{actor, lyon, need, parse, problem};

fn why_not(problem: &Value, actor: &str) -> WhyNot {
    match question(problem, &Options::default(), json!({ "why_not": { "actor": actor } })) {
        Reply::WhyNot(told) => *told,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, rng_seed: RngSeed::Fixed(14), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_regret_and_the_cost_at_which_it_enters_are_those_of_the_enumeration(value in call(), i in 0..4_usize) {
        prop_assume!(i < parse(&value).actors.len());
        let consortia = enumerate(&parse(&value));
        let told = why_not(&value, NAMES[i]);
        let Some(best) = least(&consortia, |_| true) else {
            prop_assert_eq!(told.verdict, Verdict::NoAnswer);
            return Ok(());
        };
        prop_assert_eq!(told.best_cents, Some(best));
        let with = least(&consortia, |set| set.contains(&i));
        match told.verdict {
            Verdict::Member | Verdict::Equal => prop_assert_eq!(with, Some(best)),
            Verdict::Excluded | Verdict::NoFit => prop_assert_eq!(with, None),
            Verdict::Dearer => prop_assert!(with.unwrap() > best),
            other => prop_assert!(false, "{:?}", other),
        }
        if let Some(proposal) = &told.proposal {
            prop_assert!(verified(&value, proposal).contains(&i));
            prop_assert_eq!(Some(proposal.regret_cents), with.map(|with| with - best));
            prop_assert!(told.bound_cents.is_none_or(|bound| bound <= proposal.regret_cents));
        }
        for remedy in &told.remedies {
            match remedy {
                Remedy::Rebate { cents } => prop_assert_eq!(Some(best + cents), with),
                Remedy::UnitCost { capability, now_cents, enters_at_cents } => {
                    prop_assert!(enters_at_cents < now_cents);
                    for (cost, enters) in [(*enters_at_cents, true), (enters_at_cents + 1, false)] {
                        let mut cheaper = value.clone();
                        for c in cheaper["actors"][i]["capabilities"].as_array_mut().unwrap() {
                            if c["id"] == json!(capability) {
                                c["unit_cost_cents"] = json!(cost);
                            }
                        }
                        let with = least(&enumerate(&parse(&cheaper)), |set| set.contains(&i));
                        prop_assert_eq!(with.is_some_and(|with| with <= best), enters);
                    }
                }
                Remedy::Condition { .. } => prop_assert!(false),
            }
        }
    }
}

#[test]
fn a_certificate_would_put_the_generalist_in() {
    let told = why_not(&lyon(), "generalist");
    assert_eq!(told.verdict, Verdict::Dearer);
    let workshops = told.needs.iter().find(|fit| fit.need == "workshops").unwrap();
    let rule = Refusal::Eligibility { rule: "certified-training".into() };
    assert_eq!((workshops.reachable, workshops.lacks.as_ref()), (0, Some(&rule)));
    let Some(Remedy::Condition { eligibility, enough, saves_cents }) = told.remedies.last() else { panic!("{told:?}") };
    assert_eq!((eligibility.as_str(), *enough), ("certified-training", true));
    assert!(*saves_cents > 0);
}

#[test]
fn a_dearer_double_hears_its_price() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("double", &[("a", 10, 120)])]);
    let told = why_not(&problem(json!([need("a", 10)]), actors), "double");
    assert_eq!((told.verdict, told.bound_cents), (Verdict::Dearer, Some(20)));
    let double = Remedy::UnitCost { capability: "double/a".into(), now_cents: 120, enters_at_cents: 100 };
    assert_eq!(told.remedies, [Remedy::Rebate { cents: 20 }, double]);
}

#[test]
fn who_has_nothing_to_do_with_the_call_is_told_so() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("other", &[("c", 10, 120)])]);
    let told = why_not(&problem(json!([need("a", 10)]), actors), "other");
    assert_eq!(told.verdict, Verdict::NoFit);
    assert_eq!(told.needs[0].lacks, Some(Refusal::Service));
    assert!(told.remedies.is_empty());
    assert_eq!(mistakes(&lyon(), &Options::default(), json!({ "why_not": { "actor": "nobody" } })), ["/actor"]);
}
