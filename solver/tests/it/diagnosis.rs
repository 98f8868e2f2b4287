//! Why nobody can answer: conflicts, ways out and shortages, against the enumeration of every set of rules.

use std::collections::BTreeSet;

use attelage_solver::diagnosis::{Answerability, Concession, Constraint, Diagnosis, DiagnosisQuery};
use attelage_solver::sample::{self, Shape};
use attelage_solver::{Instance, Options, Problem, Query, Reply, RuleId, Status, ask, solve};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
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

/// Actors with capacities for `a` and for `b`, their cost, and whether they have the label; needs of these quantities.
fn tight(actors: &[(u64, u64, i64, bool)], quantities: (u64, u64), smallest: u64) -> Value {
    let actors = actors.iter().enumerate().map(|(i, &(a, b, cost, labelled))| {
        let mut actor = actor(["x", "y", "z"][i], &[("a", a, cost * 100), ("b", b, cost * 150)]);
        actor["capabilities"][0]["minimum_quantity"] = json!(smallest.min(a));
        actor["capabilities"][1]["fixed_cost_cents"] = json!(cost * 50);
        if labelled {
            actor["credentials"] = json!([{ "code": "label" }]);
        }
        actor
    });
    problem(json!([need("a", quantities.0), need("b", quantities.1)]), json!(actors.collect::<Vec<_>>()))
}

prop_compose! {
    fn tight_call()(
        capacities in prop::collection::vec((1..4_u64, 1..4_u64, 1..5_i64, any::<bool>()), 2..=3),
        quantities in (1..7_u64, 1..7_u64),
        budget in 200..3000_i64,
        most in 1..3_u32,
        least in 1..3_u32,
        share in prop::option::of(50..80_u8),
        label in 0..5_u8,
        smallest in 0..4_u64,
        lock in prop::option::of(0..3_usize),
        veto in any::<bool>(),
    ) -> (Value, Options) {
        let (count, mut value) = (capacities.len(), tight(&capacities, quantities, smallest));
        value["call"]["budget_cents"] = json!(budget);
        value["call"]["group"] = json!({
            "minimum_members": least.min(most), "maximum_members": most, "maximum_share_percent": share
        });
        if label > 0 {
            let scope = ["each_member", "any_member", "lead", "performer"][usize::from(label) - 1];
            value["call"]["eligibility"] =
                json!([{ "id": "label", "criterion": { "kind": "credential", "code": "label" }, "scope": scope }]);
        }
        if veto {
            value["incompatibilities"] = json!([{ "a": "x", "b": "y" }]);
        }
        let locked_out = lock.filter(|&i| i < count).map(|i| ["x", "y", "z"][i].to_owned()).into_iter().collect();
        (value, Options { locked_out, proposals: 1, ..Options::default() })
    }
}

/// The rules that one whole allocation breaks, by trying every allocation with every choice of idle members: only the smallest
/// sets, each a way out.
fn ways_out(value: &Value, options: &Options) -> BTreeSet<BTreeSet<Constraint>> {
    let problem = parse(value);
    let needs = &problem.call.lots[0].needs;
    let slots: Vec<(usize, usize)> = (0..problem.actors.len()).flat_map(|i| [(i, 0), (i, 1)]).collect();
    let mut quantity = vec![0; slots.len()];
    let mut sets: BTreeSet<BTreeSet<Constraint>> = BTreeSet::new();
    loop {
        let done = |n: usize| slots.iter().zip(&quantity).filter(|(slot, _)| slot.1 == n).map(|(_, q)| q).sum::<u64>();
        if done(0) <= needs[0].quantity && done(1) <= needs[1].quantity {
            for joined in 1..1 << problem.actors.len() {
                sets.extend(broken(&problem, value, options, &quantity, joined));
            }
        }
        let next = slots
            .iter()
            .enumerate()
            .find(|(at, (i, n))| quantity[*at] < problem.actors[*i].capabilities[*n].capacity_per_year.unwrap());
        let Some((at, _)) = next else { break };
        quantity[at] += 1;
        quantity[..at].fill(0);
    }
    let smallest = sets.iter().filter(|set| !sets.iter().any(|other| other.len() < set.len() && other.is_subset(set)));
    smallest.cloned().collect()
}

/// The rules that an allocation breaks with these members; nothing if somebody works who is no member.
fn broken(
    problem: &Problem,
    value: &Value,
    options: &Options,
    quantity: &[u64],
    joined: u32,
) -> Option<BTreeSet<Constraint>> {
    let (call, actors) = (&problem.call, &problem.actors);
    let member = |i: &usize| joined & (1 << i) != 0;
    let works = |i: &usize| quantity[2 * i] + quantity[2 * i + 1] > 0;
    let all = 0..actors.len();
    if all.clone().any(|i| works(&i) && !member(&i)) {
        return None;
    }
    let cost = |i: usize| -> i64 {
        let unit = |k: usize| actors[i].capabilities[k].unit_cost_cents.unwrap();
        quantity[2 * i] as i64 * unit(0) + quantity[2 * i + 1] as i64 * unit(1)
    };
    let services: i64 = all.clone().map(cost).sum();
    let used = all.clone().filter(|i| quantity[2 * i + 1] > 0);
    let fixed: i64 = used.map(|i| actors[i].capabilities[1].fixed_cost_cents).sum();
    let labelled = |i: &usize| !actors[*i].credentials.is_empty();
    let (size, group) = (joined.count_ones(), &call.group);
    let condition = match value["call"]["eligibility"][0]["scope"].as_str() {
        Some("each_member") => all.clone().filter(member).any(|i| !labelled(&i)),
        Some("any_member" | "lead") => !all.clone().filter(member).any(|i| labelled(&i)),
        Some("performer") => all.clone().filter(works).any(|i| !labelled(&i)),
        _ => false,
    };
    let least = |i: &usize| (1..actors[*i].capabilities[0].minimum_quantity).contains(&quantity[2 * i]);
    let share =
        group.maximum_share_percent.is_some_and(|most| all.clone().any(|i| cost(i) * 100 > i64::from(most) * services));
    let covered = |n: usize| (0..actors.len()).map(|i| quantity[2 * i + n]).sum::<u64>();
    let mut set = BTreeSet::new();
    for (is_broken, constraint) in [
        (services + fixed > call.budget_cents.unwrap(), rule(RuleId::Budget)),
        (size < group.minimum_members || size > group.maximum_members.unwrap(), rule(RuleId::Size)),
        (all.clone().any(|i| member(&i) && !works(&i)), rule(RuleId::ActiveMember)),
        (all.clone().any(|i| least(&i)), rule(RuleId::MinimumQuantity)),
        (share, rule(RuleId::MaximumShare)),
        (!problem.incompatibilities.is_empty() && joined & 3 == 3, rule(RuleId::Incompatibility)),
        (condition, Constraint::Eligibility { id: "label".into() }),
        (covered(0) < call.lots[0].needs[0].quantity, need_of("a")),
        (covered(1) < call.lots[0].needs[1].quantity, need_of("b")),
    ] {
        if is_broken {
            set.insert(constraint);
        }
    }
    for locked in &options.locked_out {
        if all.clone().any(|i| member(&i) && actors[i].id == *locked) {
            set.insert(Constraint::LockedOut { actor: locked.clone() });
        }
    }
    Some(set)
}

/// A diagnosis finds all ways out that enumeration finds, the smallest first, and a conflict that all of them meet.
fn agrees(value: &Value, options: &Options) {
    let ways = ways_out(value, options);
    let told = diagnose_with(value, options, 10);
    assert!(told.complete);
    assert_eq!(told.verdict == Answerability::Answerable, ways.contains(&BTreeSet::new()));
    if told.verdict == Answerability::Answerable {
        return;
    }
    // The ways out are the smallest sets, fewest rules first; all of them where there are not too many.
    let changed = |changes: &[Concession]| changes.iter().map(|change| change.constraint.clone()).collect();
    let found: Vec<BTreeSet<Constraint>> = told.relaxations.iter().map(|way| changed(&way.changes)).collect();
    assert!(found.iter().all(|set| ways.contains(set)), "{found:?} of {ways:?}");
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), ways.len().min(10));
    let most = found.last().map_or(0, BTreeSet::len);
    assert!(ways.iter().all(|way| way.len() >= most || found.contains(way)));
    assert!(told.relaxations.iter().all(|way| way.proposal.proof.verified));
    // Every way out meets the conflict, and without any one of its rules some way out does not.
    let conflict: BTreeSet<Constraint> = constraints(&told).into_iter().collect();
    assert!(ways.iter().all(|way| !way.is_disjoint(&conflict)));
    for one in &conflict {
        assert!(ways.iter().any(|way| way.intersection(&conflict).all(|other| other == one)), "{one:?} is idle");
    }
}

#[test]
fn no_way_out_is_lost() {
    // The optimiser's enumeration of rows of few binaries called the sixth way out here, and all after it, impossible.
    let mut value = tight(&[(2, 1, 4, true), (1, 1, 4, false), (2, 1, 3, true)], (1, 1), 2);
    value["call"]["budget_cents"] = json!(240);
    value["call"]["group"] = json!({ "minimum_members": 2, "maximum_members": 2 });
    value["call"]["eligibility"] =
        json!([{ "id": "label", "criterion": { "kind": "credential", "code": "label" }, "scope": "each_member" }]);
    agrees(&value, &Options { locked_out: vec!["x".to_owned()], proposals: 1, ..Options::default() });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_diagnosis_finds_what_the_enumeration_of_every_allocation_finds((value, options) in tight_call()) {
        agrees(&value, &options);
    }
}
