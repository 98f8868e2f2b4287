//! The checker finds what was changed behind the solver's back.

use attelage_solver::{Problem, Proposal, Role, RuleId, check};
use serde_json::json;

use crate::support::{actor, lyon, need, parse, problem, solve_value};

type Change<T> = fn(&mut T);

fn good() -> (Problem, Proposal) {
    let answer = solve_value(&lyon());
    (parse(&lyon()), answer.proposals[0].clone())
}

/// The rules that a change of the best proposal breaks; `None` for contradictions.
fn broken(change: impl FnOnce(&mut Proposal)) -> Vec<Option<RuleId>> {
    let (problem, mut proposal) = good();
    assert_eq!(check(&problem, &proposal), []);
    change(&mut proposal);
    check(&problem, &proposal).into_iter().map(|violation| violation.rule).collect()
}

/// The rules that the best proposal breaks under a changed problem.
fn broken_under(change: impl FnOnce(&mut Problem)) -> Vec<Option<RuleId>> {
    let (mut problem, proposal) = good();
    change(&mut problem);
    check(&problem, &proposal).into_iter().map(|violation| violation.rule).collect()
}

#[test]
fn every_tampered_field_is_noticed() {
    let changes: [(&str, Change<Proposal>); 19] = [
        ("quantity", |p| p.allocations[0].quantity += 1),
        ("by_year", |p| p.allocations[0].by_year[0] += 1),
        ("amount", |p| p.allocations[0].amount_cents -= 1),
        ("actor", |p| p.allocations[0].actor = "district".into()),
        ("capability", |p| p.allocations[0].capability = "generalist/laptops".into()),
        ("need", |p| p.allocations[0].need = "nothing".into()),
        ("lot", |p| p.allocations[0].lot = "training".into()),
        ("territory", |p| p.allocations[0].territory = "nowhere".into()),
        ("assumed", |p| p.allocations[0].assumed = true),
        ("removed", |p| drop(p.allocations.remove(0))),
        ("member", |p| drop(p.members.remove(0))),
        ("twice", |p| p.members.push(p.members[0].clone())),
        ("role", |p| p.members[0].role = Role::GroupMember),
        ("share", |p| p.members[0].share_percent += 0.01),
        ("member amount", |p| p.members[0].amount_cents += 1),
        ("lots", |p| p.members[0].lots.clear()),
        ("covered", |p| p.needs[0].covered -= 1),
        ("order", |p| p.needs.swap(0, 1)),
        ("cohesion", |p| p.cohesion.known_pairs = 0),
    ];
    for (what, change) in changes {
        assert!(!broken(change).is_empty(), "{what}");
    }
    for change in [
        |p: &mut Proposal| p.costs.services_cents -= 1,
        |p: &mut Proposal| p.costs.fixed_cents -= 1,
        |p: &mut Proposal| p.costs.coordination_cents -= 1,
        |p: &mut Proposal| p.costs.total_cents -= 1,
        |p: &mut Proposal| p.costs.unmet_cents += 1,
        |p: &mut Proposal| p.costs.objective_cents -= 1,
    ] {
        assert_eq!(broken(change), [None]);
    }
}

#[test]
fn work_at_an_unknown_cost_is_noticed() {
    let (mut problem, proposal) = good();
    problem.actors[1].capabilities[0].unit_cost_cents = None;
    problem.call.lots[1].needs[0].reference_unit_cost_cents = None;
    let messages: Vec<String> = check(&problem, &proposal).into_iter().map(|violation| violation.message).collect();
    assert!(messages.iter().any(|message| message.contains("has no known cost")), "{messages:?}");
}

#[test]
fn every_broken_rule_is_named() {
    let changes: [(RuleId, Change<Problem>); 10] = [
        (RuleId::Budget, |p| p.call.budget_cents = Some(64_799_999)),
        (RuleId::Size, |p| p.call.group.maximum_members = Some(1)),
        (RuleId::MaximumShare, |p| p.call.group.maximum_share_percent = Some(60)),
        (RuleId::MinimumShare, |p| p.call.group.minimum_share_percent = Some(45)),
        (RuleId::LegalFamilies, |p| p.call.group.minimum_legal_families = Some(3)),
        (RuleId::Treasury, |p| p.actors[0].available_cash_cents = Some(10_000)),
        (RuleId::Capacity, |p| p.actors[0].capabilities[0].capacity_per_year = Some(499)),
        (RuleId::MinimumQuantity, |p| p.actors[0].capabilities[0].minimum_quantity = 2001),
        (RuleId::Eligibility, |p| p.actors[1].credentials.clear()),
        (RuleId::Incompatibility, |p| {
            p.incompatibilities = serde_json::from_str(r#"[{ "a": "trainer", "b": "refurbisher" }]"#).unwrap();
        }),
    ];
    for (rule, change) in changes {
        assert!(broken_under(change).contains(&Some(rule)), "{rule:?}");
    }
}

#[test]
fn an_idle_member_a_missed_need_and_a_shared_pool_are_named() {
    let lost = broken(|p| {
        let all: u64 = p.allocations.iter().filter(|w| w.need == "kits").map(|w| w.quantity).sum();
        p.allocations.retain(|w| w.need != "kits");
        p.needs[0].covered -= all;
    });
    assert!(lost.contains(&Some(RuleId::Demand)));
    let idle = broken(|p| p.allocations.retain(|w| w.actor != "trainer"));
    assert!(idle.contains(&Some(RuleId::ActiveMember)));
    let pooled = broken_under(|p| {
        for (actor, capability) in [(0, 1), (1, 0)] {
            p.actors[actor].capabilities[capability].pool = Some("group".into());
        }
        p.actors[1].capabilities[0].capacity_per_year = Some(3001);
    });
    assert!(pooled.contains(&Some(RuleId::Pool)));
    let own = broken_under(|p| {
        p.actors[0].capabilities.iter_mut().for_each(|capability| capability.pool = Some("own".into()));
    });
    assert_eq!(own, [], "one actor's own capabilities add up");
}

#[test]
fn a_dearer_hub_is_named() {
    let actors = ["x", "y", "z"].map(|id| actor(id, &[("a", 4, 100)]));
    let mut problem = problem(json!([need("a", 12)]), json!(actors));
    problem["call"]["coordination"] = json!({ "per_new_pair_cents": 100, "between": "lead" });
    problem["relations"] = json!([{ "a": "y", "b": "x" }, { "a": "z", "b": "y" }]);
    let mut told = solve_value(&problem).proposals.remove(0);
    assert_eq!(told.members.iter().find(|member| member.role == Role::GroupLead).unwrap().actor, "y");
    for member in &mut told.members {
        member.role = if member.actor == "x" { Role::GroupLead } else { Role::GroupMember };
    }
    told.costs.coordination_cents += 100;
    told.costs.total_cents += 100;
    told.costs.objective_cents += 100;
    let messages: Vec<String> = check(&parse(&problem), &told).into_iter().map(|found| found.message).collect();
    assert_eq!(messages, ["cost of coordinating with the lead: Some(100) told, Some(0) counted"]);
}

#[test]
fn absurd_amounts_are_violations_and_no_panic() {
    let (problem, mut absurd) = good();
    for work in &mut absurd.allocations {
        work.quantity = u64::MAX;
    }
    absurd.members[0].share_percent = 1e300;
    let gap = json!({ "territory": "lyon", "quantity": u64::MAX, "reason": "rule", "text": "", "near_misses": [] });
    absurd.needs[0].gaps = vec![serde_json::from_value(gap).unwrap(); 2];
    assert!(!check(&problem, &absurd).is_empty());
}
