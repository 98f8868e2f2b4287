//! Why nobody can answer: conflicts, ways out and shortages, against the enumeration of every set of rules.

mod every_allocation;

use attelage_solver::diagnosis::{Answerability, Constraint, Diagnosis, DiagnosisQuery};
use attelage_solver::sample::{self, Shape};
use attelage_solver::{Instance, Options, Query, Reply, RuleId, Status, ask, solve};
use serde_json::{Value, json};

use crate::support::{actor, lyon, members, need, parse, problem};

fn diagnose_with(value: &Value, options: &Options, relaxations: u32) -> Diagnosis {
    let instance = Instance::new(parse(value)).unwrap();
    let query = Query::Diagnosis(DiagnosisQuery { relaxations });
    match ask(&instance, options, &query, &()).unwrap() {
        Reply::Diagnosis(told) => told,
        other => panic!("{other:?}"),
    }
}

fn diagnose(value: &Value) -> Diagnosis {
    diagnose_with(value, &Options::default(), 3)
}

fn rule(rule: RuleId) -> Constraint {
    Constraint::Rule { rule }
}

fn need_of(id: &str) -> Constraint {
    Constraint::Need { id: id.to_owned() }
}

fn constraints(told: &Diagnosis) -> Vec<Constraint> {
    told.conflict.iter().map(|rule| rule.constraint.clone()).collect()
}

/// The problem and the options without some rules.
fn without(value: &Value, options: &Options, gone: &[Constraint]) -> (Value, Options) {
    let (mut value, mut options) = (value.clone(), options.clone());
    for constraint in gone {
        match constraint {
            Constraint::Rule { rule } => options.disabled_rules.push(*rule),
            Constraint::Eligibility { id } => {
                value["call"]["eligibility"].as_array_mut().unwrap().retain(|rule| rule["id"] != *id);
            }
            Constraint::LockedIn { actor } => options.locked_in.retain(|id| id != actor),
            Constraint::LockedOut { actor } => options.locked_out.retain(|id| id != actor),
            Constraint::Need { id } => {
                let lots = value["call"]["lots"].as_array_mut().unwrap();
                let needs = lots.iter_mut().flat_map(|lot| lot["needs"].as_array_mut().unwrap());
                needs.filter(|need| need["id"] == *id).for_each(|need| need["mandatory"] = json!(false));
            }
        }
    }
    (value, options)
}

/// Whether somebody can answer without some rules, by the whole solver.
fn answerable(value: &Value, options: &Options, gone: &[Constraint]) -> bool {
    let (value, options) = without(value, options, gone);
    let status = solve(&Instance::new(parse(&value)).unwrap(), &options).unwrap().status;
    assert_ne!(status, Status::Unknown);
    status != Status::Infeasible
}

/// Checks everything that a diagnosis claims, with the solver alone: the conflict is one and has nothing idle; each relaxation is
/// enough, and none of its parts is.
fn confirm(value: &Value, options: &Options, told: &Diagnosis, all: &[Constraint]) {
    assert!(told.complete);
    let conflict = constraints(told);
    let others = |kept: &[Constraint]| all.iter().filter(|c| !kept.contains(c)).cloned().collect::<Vec<_>>();
    if !conflict.is_empty() {
        assert!(!answerable(value, options, &others(&conflict)), "{conflict:?}");
        for i in 0..conflict.len() {
            let mut rest = conflict.clone();
            rest.remove(i);
            assert!(told.conflict[i].necessary);
            assert!(answerable(value, options, &others(&rest)), "{:?} is idle", conflict[i]);
        }
    }
    for relaxation in &told.relaxations {
        let set: Vec<Constraint> = relaxation.changes.iter().map(|change| change.constraint.clone()).collect();
        assert!(relaxation.proposal.proof.verified);
        assert!(answerable(value, options, &set), "{set:?}");
        for i in 0..set.len() {
            let mut part = set.clone();
            part.remove(i);
            assert!(!answerable(value, options, &part), "{part:?} is enough");
        }
    }
    assert!(
        told.relaxations
            .windows(2)
            .all(|pair| (pair[0].changes.len(), pair[0].amount_percent)
                <= (pair[1].changes.len(), pair[1].amount_percent))
    );
}

#[test]
fn a_call_that_somebody_can_answer_has_nothing_to_diagnose() {
    let told = diagnose(&lyon());
    assert_eq!((told.verdict, told.complete), (Answerability::Answerable, true));
    assert!(told.conflict.is_empty() && told.relaxations.is_empty() && told.shortages.is_empty());
}

#[test]
fn a_locked_out_trainer_leaves_three_rules_in_conflict_and_cheap_ways_out() {
    let options = Options { locked_out: vec!["trainer".into()], ..Options::default() };
    let told = diagnose_with(&lyon(), &options, 3);
    let all = [
        Constraint::Eligibility { id: "certified-training".into() },
        rule(RuleId::Size),
        rule(RuleId::Budget),
        rule(RuleId::Treasury),
        rule(RuleId::ActiveMember),
        Constraint::LockedOut { actor: "trainer".into() },
        need_of("kits"),
        need_of("workshops"),
    ];
    assert_eq!(constraints(&told), [all[0].clone(), all[5].clone(), all[7].clone()]);
    confirm(&lyon(), &options, &told, &all);
    // Each rule of the conflict alone is a way out: two without an amount, then the whole need.
    let found: Vec<Vec<&Constraint>> =
        told.relaxations.iter().map(|r| r.changes.iter().map(|change| &change.constraint).collect()).collect();
    assert_eq!(found.len(), 3);
    assert_eq!((found[2].clone(), told.relaxations[2].amount_percent), (vec![&all[7]], 100.0));
    assert_eq!(told.relaxations[2].changes[0].text, "Lower training by 12,000 hours to 0, or make it optional.");
    assert!(told.relaxations[..2].iter().all(|r| r.amount_percent < 1e-9));
    // Nobody who may train is left, whatever the group.
    assert_eq!(told.shortages.len(), 1);
    let shortage = &told.shortages[0];
    assert_eq!((shortage.asked, shortage.available, shortage.missing), (12_000, 0, 12_000));
    assert_eq!(
        (shortage.territories.as_slice(), shortage.publics.as_slice()),
        (&["givors".to_owned(), "lyon".into(), "venissieux".into()][..], &["precarity".to_owned()][..])
    );
    assert!(shortage.near_misses.iter().any(|miss| miss.actor == "trainer"));
}

#[test]
fn amounts_are_the_least_that_will_do() {
    let mut tight = lyon();
    tight["call"]["budget_cents"] = json!(60_000_000);
    let told = diagnose(&tight);
    let budget = told.relaxations.iter().find(|r| r.changes[0].constraint == rule(RuleId::Budget)).unwrap();
    assert_eq!(budget.changes[0].amount, Some(1_800_000));
    assert_eq!(budget.changes[0].text, "Raise the budget by €18,000 to €618,000.");
    assert_eq!(budget.proposal.costs.total_cents, 61_800_000);
    // Or fewer hours: at €32 each, 562.5 of them make up for €18,000.
    let fewer = told.relaxations.iter().find(|r| r.changes[0].constraint == need_of("workshops")).unwrap();
    assert_eq!(fewer.changes[0].amount, Some(563));
}

#[test]
fn a_size_gives_way_by_members() {
    let mut alone = lyon();
    alone["call"]["group"] = json!({ "maximum_members": 1 });
    let told = diagnose(&alone);
    let size = told.relaxations.iter().find(|r| r.changes[0].constraint == rule(RuleId::Size)).unwrap();
    assert_eq!((size.changes[0].amount, size.changes[0].text.as_str()), (Some(1), "Raise maximum_members by 1 to 2."));
    assert_eq!(members(&size.proposal), ["refurbisher", "trainer"]);
}

#[test]
fn a_shortage_is_shared_by_the_needs_whose_suppliers_have_too_little() {
    // x alone serves a and b, with 10; y serves c, with enough.
    let mut both = actor("x", &[("a", 10, 100)]);
    both["capabilities"][0]["services"] = json!(["a", "b"]);
    let told = diagnose(&problem(
        json!([need("a", 6), need("b", 7), need("c", 5)]),
        json!([both, actor("y", &[("c", 5, 1)])]),
    ));
    assert_eq!(told.shortages.len(), 1);
    let shortage = &told.shortages[0];
    assert_eq!(shortage.needs, ["a", "b"]);
    assert_eq!((shortage.asked, shortage.available, shortage.missing), (13, 10, 3));
    assert_eq!(shortage.suppliers, ["x"]);
    assert_eq!(constraints(&told), [need_of("a"), need_of("b")]);
    assert_eq!(told.relaxations[0].changes[0].amount, Some(3));
}

#[test]
fn a_budget_is_in_conflict_with_as_many_needs_as_it_takes() {
    let mut tight = sample::problem(&Shape::of(30, 8), 3);
    let options = Options { proposals: 1, gap_ppm: 1000, ..Options::default() };
    let best = solve(&Instance::new(tight.clone()).unwrap(), &options).unwrap();
    tight.call.budget_cents = Some(best.proposals[0].costs.total_cents / 3);
    let value = serde_json::to_value(&tight).unwrap();
    let told = diagnose_with(&value, &options, 0);
    let needs = tight.call.lots[0].needs.iter().filter(|need| need.mandatory);
    let mut all: Vec<Constraint> = needs.map(|need| need_of(&need.id)).collect();
    all.extend([RuleId::Size, RuleId::Budget, RuleId::MinimumQuantity, RuleId::ActiveMember].map(rule));
    let conflict = constraints(&told);
    assert!(conflict.contains(&rule(RuleId::Budget)) && (3..all.len()).contains(&conflict.len()), "{conflict:?}");
    confirm(&value, &options, &told, &all);
}

#[test]
fn shares_contradict_the_number_of_members() {
    let mut shared = lyon();
    shared["call"]["eligibility"] = json!([]);
    for group in [
        json!({ "minimum_members": 3, "minimum_share_percent": 34 }),
        json!({ "maximum_members": 2, "maximum_share_percent": 49 }),
    ] {
        shared["call"]["group"] = group;
        let told = diagnose_with(&shared, &Options::default(), 0);
        let conflict = constraints(&told);
        let share = [RuleId::MinimumShare, RuleId::MaximumShare].map(rule);
        assert!(conflict.contains(&rule(RuleId::Size)), "{conflict:?}");
        assert!(share.iter().any(|share| conflict.contains(share)), "{conflict:?}");
        assert!(told.complete && told.conflict.iter().all(|rule| rule.necessary));
    }
}

#[test]
fn without_any_actor_there_is_no_conflict_of_rules() {
    let told = diagnose(&problem(json!([need("a", 10)]), json!([])));
    assert_eq!((told.verdict, told.complete), (Answerability::NotAnswerable, true));
    assert!(told.conflict.is_empty() && told.relaxations.is_empty());
    assert_eq!(told.shortages[0].missing, 10);
}

#[test]
fn a_limit_that_comes_first_is_told() {
    let options = Options { work_limit: Some(0), ..Options::default() };
    let told = diagnose_with(&lyon(), &options, 3);
    assert_eq!((told.verdict, told.complete), (Answerability::Unknown, false));
}

#[test]
fn too_many_relaxations_are_refused() {
    let instance = Instance::new(parse(&lyon())).unwrap();
    let query = Query::Diagnosis(DiagnosisQuery { relaxations: 11 });
    let error = ask(&instance, &Options::default(), &query, &()).unwrap_err();
    assert_eq!(error.faults[0].path, "/question/diagnosis/relaxations");
}
