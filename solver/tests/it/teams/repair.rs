//! How to mend a team.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use attelage_solver::{Options, Repair, RepairKind, Reply, Status};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{indices, least, mistakes, names, question, verified};
use crate::brute_force::{NAMES, call, enumerate};
use crate::support::{lyon, parse};

fn repair(problem: &Value, options: &Options, team: &[&str], departed: &[&str]) -> Repair {
    match question(problem, options, json!({ "repair": { "team": team, "departed": departed } })) {
        Reply::Repair(told) => told,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(13), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_keeps_most_then_adds_fewest_then_costs_least(value in call(), mask in 1..16_usize, gone in 0..4_usize) {
        let actors = parse(&value).actors.len();
        let team: BTreeSet<usize> = (0..actors).filter(|i| mask >> i & 1 == 1).collect();
        prop_assume!(team.contains(&gone));
        let consortia = enumerate(&parse(&value));
        let told = repair(&value, &Options::default(), &names(&team), &[NAMES[gone]]);
        let mut rest = team.clone();
        rest.remove(&gone);
        let possible = consortia.iter().filter(|(set, _)| !set.contains(&gone));
        let first = possible.min_by_key(|(set, cost)| (Reverse(set.intersection(&rest).count()), set.len(), **cost));
        let Some((set, cost)) = first else {
            prop_assert_eq!(told.status, Status::Infeasible);
            prop_assert!(told.plans.is_empty() && told.infeasibility.is_some());
            return Ok(());
        };
        prop_assert_eq!(told.status, Status::Optimal);
        prop_assert_eq!(told.rest_suffices, Some(consortia.contains_key(&rest)));
        prop_assert_eq!(told.before_cents, consortia.get(&team).copied());
        let cheapest = least(&consortia, |set| !set.contains(&gone)).unwrap();
        let kinds: Vec<RepairKind> = told.plans.iter().map(|plan| plan.kind).collect();
        let both = vec![RepairKind::KeepsMost, RepairKind::Cheapest];
        prop_assert_eq!(kinds, if cheapest < *cost { both } else { vec![RepairKind::KeepsMost] });
        let plan = &told.plans[0];
        prop_assert_eq!(plan.proposal.costs.objective_cents, *cost);
        prop_assert_eq!(plan.staying.len(), set.intersection(&rest).count());
        prop_assert_eq!(plan.joining.len(), set.difference(&team).count());
        for plan in &told.plans {
            let found = verified(&value, &plan.proposal);
            prop_assert_eq!(indices(&plan.staying), &found & &rest);
            prop_assert_eq!(indices(&plan.leaving), &rest - &found);
            prop_assert_eq!(indices(&plan.joining), &found - &team);
            prop_assert_eq!(plan.proposal.regret_cents, plan.proposal.costs.objective_cents - cheapest);
            prop_assert_eq!(plan.extra_cents, told.before_cents.map(|before| plan.proposal.costs.objective_cents - before));
        }
        if let Some(second) = told.plans.get(1) {
            prop_assert_eq!(second.proposal.costs.objective_cents, cheapest);
        }
    }
}

#[test]
fn nobody_replaces_the_only_trainer() {
    let told = repair(&lyon(), &Options::default(), &["refurbisher", "trainer"], &["trainer"]);
    assert_eq!((told.status, told.rest_suffices), (Status::Infeasible, Some(false)));
    assert_eq!(told.infeasibility.unwrap().unmet_needs[0].need, "workshops");
}

#[test]
fn a_member_locked_out_has_departed_and_one_locked_in_joins() {
    let mut problem = lyon();
    problem["actors"][3]["credentials"] = json!([{ "code": "qualiopi" }]);
    let options = Options { locked_out: vec!["trainer".into()], ..Options::default() };
    let told = repair(&problem, &options, &["refurbisher", "trainer"], &[]);
    assert_eq!(told.plans[0].joining, ["generalist"]);
    assert_eq!(told.remaining, ["refurbisher"]);
    let options = Options { locked_in: vec!["generalist".into()], ..Options::default() };
    let told = repair(&problem, &options, &["refurbisher", "trainer"], &["trainer"]);
    assert_eq!((told.plans[0].joining.as_slice(), told.rest_suffices), (&["generalist".to_owned()][..], Some(true)));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let query = json!({ "repair": { "team": ["trainer", "nobody"], "departed": ["district", "nobody"] } });
    assert_eq!(mistakes(&lyon(), &Options::default(), query), ["/departed/1", "/team/1", "/departed/0"]);
    let locked = Options { locked_in: vec!["trainer".into()], ..Options::default() };
    let query = json!({ "repair": { "team": ["trainer"], "departed": ["trainer"] } });
    assert_eq!(mistakes(&lyon(), &locked, query), ["/departed/0"]);
}
