//! Whether a hand-made team can answer.

use std::collections::BTreeSet;

use attelage_solver::{Options, Reply, RuleId, Status, TeamCheck};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{indices, least, mistakes, names, question, verified};
use crate::brute_force::{call, enumerate};
use crate::support::{actor, lyon, need, parse, problem};

fn check(problem: &Value, team: &[&str]) -> TeamCheck {
    match question(problem, &Options::default(), json!({ "check": { "team": team } })) {
        Reply::Check(told) => told,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(12), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_team_is_judged_as_by_enumeration(value in call(), mask in 1..16_usize) {
        let actors = parse(&value).actors.len();
        let team: BTreeSet<usize> = (0..actors).filter(|i| mask >> i & 1 == 1).collect();
        prop_assume!(!team.is_empty());
        let consortia = enumerate(&parse(&value));
        let told = check(&value, &names(&team));
        prop_assert_eq!(told.best_cents, least(&consortia, |_| true));
        if let Some(&cost) = consortia.get(&team) {
            prop_assert_eq!(told.status, Status::Optimal);
            let proposal = told.proposal.as_ref().unwrap();
            prop_assert_eq!(verified(&value, proposal), team.clone());
            prop_assert_eq!(proposal.costs.objective_cents, cost);
            prop_assert_eq!(proposal.regret_cents, cost - told.best_cents.unwrap());
            prop_assert!(told.broken.is_empty() && told.completion.is_none());
            for &i in &team {
                let mut others = team.clone();
                others.remove(&i);
                let found = told.redundant.iter().find(|r| indices(&[&r.actor]).contains(&i)).map(|r| cost - r.saves_cents);
                prop_assert_eq!(found, consortia.get(&others).copied());
            }
            return Ok(());
        }
        prop_assert_eq!(told.status, Status::Infeasible);
        prop_assert!(!told.broken.is_empty() || told.together.len() > 1, "{:?}", told);
        // The rule that is told gives way, and nothing less will do.
        for broken in told.broken.iter().filter(|broken| broken.enough) {
            match broken.name.rule {
                RuleId::Budget => {
                    let over = broken.changes[0].cents.unwrap();
                    for (more, admissible) in [(over, true), (over - 1, false)] {
                        let mut raised = value.clone();
                        raised["call"]["budget_cents"] = json!(value["call"]["budget_cents"].as_i64().unwrap() + more);
                        prop_assert_eq!(enumerate(&parse(&raised)).contains_key(&team), admissible);
                    }
                }
                RuleId::Size => {
                    let mut raised = value.clone();
                    let most = value["call"]["group"]["maximum_members"].as_u64().unwrap();
                    raised["call"]["group"]["maximum_members"] = json!(most + broken.changes[0].quantity.unwrap());
                    prop_assert!(enumerate(&parse(&raised)).contains_key(&team));
                }
                RuleId::Incompatibility => {
                    let mut freed = value.clone();
                    freed["incompatibilities"] = json!([]);
                    prop_assert!(enumerate(&parse(&freed)).contains_key(&team));
                }
                RuleId::Preference => {
                    let mut freed = value.clone();
                    freed["preferences"] = json!([]);
                    prop_assert!(!broken.changes.is_empty() && enumerate(&parse(&freed)).contains_key(&team));
                }
                RuleId::Connected => {
                    prop_assert!(!broken.changes.is_empty());
                    let mut joined = value.clone();
                    let relations = joined["relations"].as_array_mut().unwrap();
                    for change in &broken.changes {
                        let own = change.actor.as_deref().unwrap();
                        for other in names(&team).into_iter().filter(|other| *other != own) {
                            let known = |r: &Value| [[own, other], [other, own]].contains(&[r["a"].as_str().unwrap(), r["b"].as_str().unwrap()]);
                            if !relations.iter().any(known) {
                                relations.push(json!({ "a": own, "b": other }));
                            }
                        }
                    }
                    prop_assert!(enumerate(&parse(&joined)).contains_key(&team));
                }
                RuleId::LotSize | RuleId::FewHands => {
                    prop_assert_eq!(broken.changes.len(), 1);
                    let by = broken.changes[0].quantity.unwrap();
                    for (by, admissible) in [(by, true), (by - 1, false)] {
                        let mut wider = value.clone();
                        let lot = &mut wider["call"]["lots"][0];
                        if broken.name.rule == RuleId::FewHands {
                            prop_assert_eq!(broken.changes[0].need.as_deref(), Some("a"));
                            lot["needs"][0]["maximum_suppliers"] = json!(lot["needs"][0]["maximum_suppliers"].as_u64().unwrap() + by);
                        } else {
                            prop_assert_eq!(broken.changes[0].lot.as_deref(), Some("first"));
                            let few = broken.changes[0].text.contains("too few");
                            let field = if few { "minimum_members" } else { "maximum_members" };
                            let asked = lot[field].as_u64().unwrap();
                            lot[field] = json!(if few { asked - by } else { asked + by });
                        }
                        prop_assert_eq!(enumerate(&parse(&wider)).contains_key(&team), admissible);
                    }
                }
                RuleId::Treasury => {
                    let mut richer = value.clone();
                    let short = broken.changes[0].cents.unwrap();
                    let cash = value["actors"][0]["available_cash_cents"].as_i64().unwrap();
                    richer["actors"][0]["available_cash_cents"] = json!(cash + short);
                    prop_assert!(enumerate(&parse(&richer)).contains_key(&team));
                }
                RuleId::Capacity => {
                    let mut larger = value.clone();
                    for change in &broken.changes {
                        for a in larger["actors"].as_array_mut().unwrap() {
                            for c in a["capabilities"].as_array_mut().unwrap() {
                                if c["id"] == json!(change.capability) {
                                    c["capacity_per_year"] = json!(c["capacity_per_year"].as_u64().unwrap() + change.quantity.unwrap());
                                }
                            }
                        }
                    }
                    prop_assert!(enumerate(&parse(&larger)).contains_key(&team));
                }
                RuleId::Demand => {
                    let mut softer = value.clone();
                    for lot in softer["call"]["lots"].as_array_mut().unwrap() {
                        for need in lot["needs"].as_array_mut().unwrap() {
                            need["mandatory"] = json!(false);
                        }
                    }
                    prop_assert!(enumerate(&parse(&softer)).contains_key(&team));
                }
                _ => {}
            }
        }
        let more = consortia.keys().filter(|set| set.is_superset(&team)).map(BTreeSet::len).min();
        let completion = told.completion.as_ref().unwrap();
        match more {
            None => prop_assert_eq!(completion.status, Status::Infeasible),
            Some(size) => {
                let proposal = completion.proposal.as_ref().unwrap();
                let found = verified(&value, proposal);
                prop_assert_eq!((found.len(), found.is_superset(&team)), (size, true));
                let cheapest = least(&consortia, |set| set.len() == size && set.is_superset(&team));
                prop_assert_eq!(Some(proposal.costs.objective_cents), cheapest);
                prop_assert_eq!(completion.joining.len(), size - team.len());
            }
        }
    }
}

#[test]
fn every_rule_that_is_broken_is_told_with_the_least_change() {
    // x and y do not work together; y has no certificate for b; they have 2 units too few for a.
    let mut value = problem(
        json!([need("a", 10), need("b", 4)]),
        json!([
            actor("x", &[("a", 8, 100)]),
            actor("y", &[("b", 4, 100)]),
            actor("z", &[("a", 9, 300), ("b", 9, 300)])
        ]),
    );
    value["incompatibilities"] = json!([{ "a": "x", "b": "y" }]);
    value["call"]["eligibility"] = json!([
        { "id": "quality", "criterion": { "kind": "credential", "code": "q" }, "scope": "performer", "services": ["b"] },
        { "id": "weight", "criterion": { "kind": "turnover", "minimum_cents": 500 }, "scope": "sum_over_members" }
    ]);
    value["call"]["group"] = json!({ "minimum_legal_families": 2 });
    value["actors"][0]["turnover_cents"] = json!(300);
    value["actors"][0]["legal_family"] = json!("company");
    let told = check(&value, &["x", "y"]);
    assert_eq!(told.status, Status::Infeasible);
    let texts: Vec<(RuleId, Option<&str>, bool, &str)> = told
        .broken
        .iter()
        .map(|b| (b.name.rule, b.name.eligibility.as_deref(), b.alone, b.changes[0].text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [
            (RuleId::Eligibility, Some("quality"), true, "y would have to meet \"quality\"."),
            (RuleId::Eligibility, Some("weight"), true, "The turnovers of the members are €2 short of \"weight\"."),
            (RuleId::LegalFamilies, None, true, "The members have 1 legal families: 1 more are asked for."),
            (RuleId::Incompatibility, None, true, "x and y do not work together."),
            (RuleId::Demand, None, true, "2 hours of a in t would be missing."),
        ]
    );
    assert!(told.broken.iter().all(|broken| !broken.enough));
    assert_eq!(told.unmet_needs.len(), 1);
    assert_eq!(told.completion.unwrap().status, Status::Infeasible);
}

#[test]
fn rules_on_who_is_there_and_on_how_many_work_are_measured() {
    let three = |capacity: u64| {
        let of = |id: &str| actor(id, &[("a", capacity, 100)]);
        problem(json!([need("a", 10)]), json!([of("w"), of("x"), of("y"), of("z")]))
    };
    let mut value = three(4);
    value["call"]["lots"][0]["maximum_members"] = json!(2);
    value["call"]["lots"][0]["needs"][0]["maximum_suppliers"] = json!(1);
    value["call"]["group"] = json!({ "connected": true });
    value["relations"] = json!([{ "a": "x", "b": "y" }]);
    value["preferences"] = json!([{ "actor": "x", "only_with": ["w"] }]);
    let told = check(&value, &["x", "y", "z"]);
    let texts = |told: &TeamCheck| -> Vec<(RuleId, bool, bool, String)> {
        let all = told.broken.iter();
        all.map(|b| (b.name.rule, b.alone, b.enough, b.changes[0].text.clone())).collect()
    };
    assert_eq!(
        texts(&told),
        [
            (RuleId::Preference, true, false, "x joins only with w, who is not a member.".to_owned()),
            (RuleId::Connected, true, false, "z has no relation with the other members.".to_owned()),
            (RuleId::LotSize, true, false, "1 member too many would work for the lot lot.".to_owned()),
            (RuleId::FewHands, true, false, "2 members too many would deliver a.".to_owned()),
        ]
    );
    let mut value = three(20);
    value["call"]["lots"][0]["minimum_members"] = json!(4);
    let told = check(&value, &["x", "y"]);
    let few = "2 members too few would work for the lot lot.".to_owned();
    assert_eq!(texts(&told), [(RuleId::LotSize, true, true, few)]);
    assert_eq!(told.completion.unwrap().joining, ["w", "z"]);
}

#[test]
fn rules_that_clash_only_together_are_told_as_a_smallest_set() {
    // For y to carry two fifths it must do 2 of 10: 1,400 cents. With 1, which 1,300 pay for, it carries a quarter.
    let mut value =
        problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 300)])]));
    value["call"]["budget_cents"] = json!(1300);
    value["call"]["group"] = json!({ "minimum_share_percent": 40 });
    let told = check(&value, &["x", "y"]);
    assert_eq!(told.status, Status::Infeasible);
    let clash = [RuleId::Budget, RuleId::MinimumShare, RuleId::Demand];
    assert_eq!(told.together.iter().map(|name| name.rule).collect::<Vec<_>>(), clash);
    // Each of them gives way by itself as little as it can: by 100 cents, by two fifths of 1,200 less 300, by 1 unit.
    let least: Vec<_> = told
        .broken
        .iter()
        .map(|b| (b.name.rule, b.enough, b.alone, b.changes[0].cents, b.changes[0].quantity))
        .collect();
    let told_of = |rule, cents, quantity| (rule, true, false, cents, quantity);
    assert_eq!(
        least,
        [
            told_of(RuleId::Budget, Some(100), None),
            told_of(RuleId::MinimumShare, Some(180), None),
            told_of(RuleId::Demand, None, Some(1)),
        ]
    );
}

#[test]
fn a_team_of_the_golden_call_is_admissible_and_another_lacks_hours() {
    let told = check(&lyon(), &["refurbisher", "trainer"]);
    assert_eq!((told.status, told.proposal.unwrap().regret_cents), (Status::Optimal, 0));
    assert!(told.redundant.is_empty());
    let told = check(&lyon(), &["refurbisher", "generalist"]);
    let condition = &told.broken[0];
    assert_eq!((condition.name.rule, condition.enough), (RuleId::Eligibility, true));
    assert_eq!(condition.changes[0].actor.as_deref(), Some("generalist"));
    let completion = told.completion.unwrap();
    assert_eq!(completion.joining, ["trainer"]);
}

#[test]
fn a_team_must_contain_whom_the_options_lock_in() {
    let locked =
        Options { locked_in: vec!["trainer".into()], locked_out: vec!["district".into()], ..Options::default() };
    let query = json!({ "check": { "team": ["district"] } });
    assert_eq!(mistakes(&lyon(), &locked, query), ["/team/0", "/team"]);
}
