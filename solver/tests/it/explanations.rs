//! What each member brings, in data and in sentences.

use attelage_solver::{Necessity, Options, Proposal, Reason, ReasonKind, RuleId};
use serde_json::json;

use crate::support::{actor, lyon, members, need, problem, solve_value, solve_with, without};

fn reasons<'p>(proposal: &'p Proposal, actor: &str, kind: ReasonKind) -> Vec<&'p Reason> {
    let member = proposal.members.iter().find(|member| member.actor == actor).unwrap();
    member.reasons.iter().filter(|reason| reason.kind == kind).collect()
}

#[test]
fn a_complementary_member_brings_what_no_other_has() {
    let answer = solve_value(&lyon());
    let told = reasons(&answer.proposals[0], "refurbisher", ReasonKind::Unique);
    assert_eq!(
        told[0].text,
        "Second Souffle brings 2,000 devices of refurbishing in Métropole de Lyon that no other member has."
    );
    assert_eq!(
        (told[0].need.as_deref(), told[0].quantity, told[0].unit.as_deref()),
        (Some("kits"), Some(2000), Some("device"))
    );
}

#[test]
fn what_is_unique_is_counted_after_the_others_share_the_work_anew() {
    // y alone can do b, and a too; x can do a. Without y, x takes all of a: only b falls.
    let actors = json!([actor("x", &[("a", 10, 200)]), actor("y", &[("a", 4, 100), ("b", 5, 100)])]);
    let answer = solve_value(&problem(json!([need("a", 10), need("b", 5)]), actors));
    let best = &answer.proposals[0];
    let y: Vec<_> = reasons(best, "y", ReasonKind::Unique).iter().map(|r| (r.need.clone(), r.quantity)).collect();
    assert_eq!(y, [(Some("b".to_owned()), Some(5))]);
    let x: Vec<_> = reasons(best, "x", ReasonKind::Unique).iter().map(|r| (r.need.clone(), r.quantity)).collect();
    assert_eq!(x, [(Some("a".to_owned()), Some(6))]);
    let saved = reasons(best, "y", ReasonKind::Cheaper);
    assert_eq!(saved[0].text, "y delivers 4 hours of a for €4 less than the other members would.");
    assert_eq!(saved[0].actors, ["x"]);
}

#[test]
fn a_replaceable_member_says_by_whom_and_at_what_price() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("b", 10, 100)]), actor("z", &[("b", 10, 250)])]);
    let answer = solve_value(&problem(json!([need("a", 10), need("b", 10)]), actors));
    let best = &answer.proposals[0];
    assert_eq!(members(best), ["x", "y"]);
    let y = best.members.iter().find(|m| m.actor == "y").unwrap();
    assert_eq!(y.necessity, Necessity::Replaceable { regret_cents: 1500, by: vec!["z".into()], superfluous: false });
    assert_eq!(reasons(best, "y", ReasonKind::ReplaceableBy)[0].text, "y could be replaced by z, for €15 more.");
    let x = best.members.iter().find(|m| m.actor == "x").unwrap();
    assert_eq!(x.necessity, Necessity::Indispensable);
}

#[test]
fn a_superfluous_member_is_called_so() {
    // The second member only makes it cheaper.
    let actors = json!([actor("x", &[("a", 10, 300)]), actor("y", &[("a", 5, 100)])]);
    let answer = solve_value(&problem(json!([need("a", 10)]), actors));
    let best = &answer.proposals[0];
    assert_eq!(members(best), ["x", "y"]);
    let y = best.members.iter().find(|m| m.actor == "y").unwrap();
    assert_eq!(y.necessity, Necessity::Replaceable { regret_cents: 1000, by: vec![], superfluous: true });
    assert!(reasons(best, "y", ReasonKind::Unique).is_empty());
    assert_eq!(reasons(best, "x", ReasonKind::Unique)[0].quantity, Some(5));
}

#[test]
fn the_member_that_meets_a_rule_is_named() {
    let mut actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 300)])]);
    actors[1]["credentials"] = json!([{ "code": "esus" }]);
    actors[1]["legal_family"] = json!("association");
    actors[0]["legal_family"] = json!("company");
    let mut problem = problem(json!([need("a", 10)]), actors);
    problem["call"]["group"] = json!({ "minimum_legal_families": 2 });
    problem["call"]["eligibility"] = json!([
        { "id": "label", "criterion": { "kind": "credential", "code": "esus" }, "scope": "any_member" },
        { "id": "head", "criterion": { "kind": "credential", "code": "esus" }, "scope": "lead" }
    ]);
    let answer = solve_value(&problem);
    let told: Vec<&str> =
        reasons(&answer.proposals[0], "y", ReasonKind::MeetsRule).iter().map(|r| r.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "Among the members, only y makes the group meet the condition \"label\".",
            "Among the members, only y may lead under the condition \"head\".",
            "Only with y (association) does the group have 2 legal families.",
        ]
    );
    // Whoever may lead is no reason where the rule on the lead is switched off.
    let answer = solve_with(&problem, &without(RuleId::Lead));
    let told = reasons(&answer.proposals[0], "y", ReasonKind::MeetsRule);
    assert!(told.len() == 2 && told.iter().all(|reason| !reason.text.contains("lead")), "{told:?}");
}

#[test]
fn the_report_counts_the_graphs() {
    let report = solve_value(&lyon()).report;
    assert_eq!((report.actors, report.relevant_actors, report.cells, report.merged_cells), (4, 3, 5, 3));
    assert_eq!((report.coverage_components, report.relation_components), (2, 2));
    assert_eq!(report.forced_actors, ["trainer"]);
}

#[test]
fn a_dearer_twin_is_dominated() {
    let actors = json!([
        actor("x", &[("a", 10, 100)]),
        actor("y", &[("a", 9, 200)]),
        actor("z", &[("a", 10, 100)]),
        actor("w", &[("b", 5, 100)])
    ]);
    let mut problem = problem(json!([need("a", 10), need("b", 5)]), actors);
    assert_eq!(solve_value(&problem).report.dominated_actors, 2);
    problem["relations"] = json!([{ "a": "w", "b": "y" }]);
    assert_eq!(solve_value(&problem).report.dominated_actors, 1, "y knows w, so that nobody can stand in for it");
}

#[test]
fn whoever_is_locked_in_may_still_be_needless() {
    let problem =
        problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 300)])]));
    let locked = Options { locked_in: vec!["y".to_owned()], ..Options::default() };
    let answer = solve_with(&problem, &locked);
    for proposal in &answer.proposals {
        let y = proposal.members.iter().find(|member| member.actor == "y").unwrap();
        assert!(matches!(y.necessity, Necessity::Replaceable { .. }), "{:?}", y.necessity);
    }
    assert!(!answer.proposals.is_empty());
}
