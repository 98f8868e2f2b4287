#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use attelage_solver::{Infeasibility, Proposal};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Context, Report, render, render_variant};
use crate::runs::{Asked, Run, RunCall, RunOptions, RunResult, RunState};

fn context() -> Context {
    let call = json!({
        "funder": Uuid::nil(), "title": "A call", "kind": "contract", "starts_on": "2027-01-01", "duration_months": 24,
        "budget_cents": 10_000_000,
        "lots": [{ "code": "l", "title": "Equipment", "needs": [
            { "code": "fix", "title": "Refurbishing", "service": "s", "territory": "69", "unit": "device", "quantity": 500 },
            { "code": "help", "title": "Help", "service": "s", "territory": "69", "unit": "session", "quantity": 10,
              "per": "contract", "mandatory": false, "spread": "population" },
        ] }],
        "group_policy": { "maximum_members": 3 },
        "money_policy": { "coordination_per_member_cents": 100_000, "coordination_per_new_pair_cents": 50_000 }
    });
    let names = |pairs: &[(&str, &str)]| pairs.iter().map(|&(id, name)| (id.to_owned(), name.to_owned())).collect();
    Context {
        call: serde_json::from_value(call).unwrap(),
        organisations: names(&[("00000000-0000-0000-0000-000000000000", "The funder"), ("z", "Zoé")]),
        territories: names(&[("69", "Rhône"), ("69003", "Albigny"), ("69029", "Bron")]),
    }
}

fn run(result: Option<RunResult>) -> Run {
    let started = Utc::now();
    Run {
        id: Uuid::nil(),
        organisation: None,
        calls: vec![RunCall { call: Uuid::nil(), version: 1 }],
        state: RunState::Succeeded,
        progress: None,
        attempts: 1,
        options: Asked::Alone(RunOptions::default()),
        fingerprint: String::new(),
        result,
        objective_cents: None,
        bound_cents: None,
        infeasibility: None,
        report: None,
        engine: Some("a solver".to_owned()),
        failure: None,
        created_at: started,
        started_at: Some(started),
        finished_at: Some(started + TimeDelta::milliseconds(42)),
    }
}

fn member(actor: &str, name: &str, role: &str, share: f64, cents: i64, reason: &str) -> Value {
    json!({
        "actor": actor, "name": name, "role": role, "lots": ["l"], "amount_cents": cents, "share_percent": share,
        "necessity": { "kind": "indispensable" }, "reasons": [{ "kind": "unique", "text": reason }]
    })
}

fn gap(territory: &str, quantity: u64, reason: &str, lacks: &str) -> Value {
    json!({
        "territory": territory, "quantity": quantity, "reason": reason, "text": format!("{quantity} missing in {territory}."),
        "near_misses": [{ "actor": "z", "lacks": { "kind": lacks } }]
    })
}

fn proposal() -> Value {
    let work = |actor: &str, need: &str, quantity: u64, cents: i64| {
        json!({
            "actor": actor, "capability": "k", "lot": "l", "need": need, "territory": "69", "quantity": quantity,
            "by_year": [], "amount_cents": cents, "assumed": false
        })
    };
    let cover = |need: &str, quantity: u64, covered: u64, percent: f64, gaps: Value| json!({ "need": need, "lot": "l", "quantity": quantity, "covered": covered, "coverage_percent": percent, "gaps": gaps });
    json!({
        "rank": 1,
        "members": [
            member("e", "Émile", "group-lead", 75.0, 6_000_000, "Émile brings 700 devices."),
            member("w", "Wanda", "group-mem", 25.0, 2_000_000, "Wanda brings the rest."),
        ],
        "allocations": [
            work("e", "fix", 600, 5_000_000), work("e", "fix", 100, 1_000_000), work("w", "fix", 300, 1_500_000),
            work("w", "help", 4, 12_345),
        ],
        "needs": [
            cover("fix", 1000, 1000, 100.0, json!([])),
            cover("help", 10, 4, 40.0, json!([gap("69003", 5, "no_supplier", "territory"), gap("69029", 1, "too_costly", "public")])),
        ],
        "coverage_percent": 97.55,
        "costs": {
            "services_cents": 7_512_345, "fixed_cents": 487_655, "coordination_cents": 250_000, "total_cents": 8_250_000,
            "unmet_cents": 3_000, "objective_cents": 8_253_000
        },
        "regret_cents": 0,
        "cohesion": { "known_pairs": 1, "pairs": 1 },
        "proof": { "optimal": true, "bound_cents": 8_253_000, "gap_cents": 0, "gap_percent": 0.0, "verified": true },
        "assumptions": []
    })
}

fn page(run: &Run, proposals: &[Value]) -> String {
    let proposals: Vec<Proposal> =
        proposals.iter().map(|value| serde_json::from_value(value.clone()).unwrap()).collect();
    render(&Report { context: &context(), run, proposals: &proposals })
}

#[test]
fn a_proposal_is_told_in_full_and_the_others_in_a_line() {
    let mut second = proposal();
    second["rank"] = json!(2);
    second["members"].as_array_mut().unwrap().pop();
    second["regret_cents"] = json!(1_234_500);
    second["costs"]["total_cents"] = json!(9_484_500);
    let expected = "\
Call: A call
────────────
  The funder, contract of 24 months from 2027-01-01, budget 100 000.00 €
  Answering together is allowed, at most 3 members; coordination costs 1 000.00 € per member and 500.00 € per
  pair that is new.

  Need              Asked for  Lot                    Where
  Refurbishing  1 000 devices  Equipment  mandatory   Rhône
  Help            10 sessions  Equipment  wished for  Rhône, by population

Proposal 1: Émile + Wanda
─────────────────────────
  Who    Role     Share       Amount  Lots
  Émile  lead    75.0 %  60 000.00 €  Equipment
  Wanda  member  25.0 %  20 000.00 €  Equipment

  Need          Covered  By        Quantity       Amount
  Refurbishing    100 %  Émile  700 devices  60 000.00 €
                         Wanda  300 devices  15 000.00 €
  Help             40 %  Wanda   4 sessions     123.45 €

  Cost
  Services      75 123.45 €
  Fixed costs    4 876.55 €
  Coordination   2 500.00 €  1 pair of members, 1 already known to each other
  Total         82 500.00 €  of a budget of 100 000.00 €: 17 500.00 € left

  What is missing
    - Help: 5 sessions. No actor offers it to that public in Albigny.
    - Help: 1 session. Covering it would cost more than the funder says it is worth in Bron.

  Why they complement each other
    - Émile brings 700 devices.
    - Wanda brings the rest.

  How good it is
    - Optimal, proven: no consortium costs less than 82 530.00 €, counting 30.00 € that the uncovered wishes
      are worth. Every quantity, cost and rule was checked again by code that does not know the model.
    - Computed in 42 ms by a solver.

Alternatives
────────────
  Rank        Total  Covered     Worse by  Members
     2  94 845.00 €   97.5 %  12 345.00 €  Émile
  Worse by: what it costs more, and what it leaves uncovered more, at its worth.
";
    assert_eq!(page(&run(Some(RunResult::Optimal)), &[proposal(), second]), expected);
}

#[test]
fn what_is_not_proven_or_not_verified_is_said_loudly() {
    let mut weak = proposal();
    weak["proof"] = json!({ "optimal": false, "bound_cents": 8_000_000, "gap_cents": 253_000, "gap_percent": 3.066, "verified": false });
    weak["assumptions"] = json!([{ "actor": "e", "capability": "k", "what": "unit_cost", "value": 1, "text": "A unit cost is assumed." }]);
    let page = page(&run(Some(RunResult::Feasible)), &[weak]);
    assert!(page.contains("Not proven best: at most 2 530.00 € (3.07 %) above the best one"), "{page}");
    assert!(page.contains("It has NOT passed the independent"), "{page}");
    assert!(page.contains("- A unit cost is assumed."), "{page}");
    assert!(!page.contains("Optimal") && !page.contains("Alternatives"), "{page}");
}

#[test]
fn a_proposal_without_gaps_says_that_nothing_is_missing() {
    let mut whole = proposal();
    whole["needs"][1]["gaps"] = json!([]);
    assert!(page(&run(Some(RunResult::Optimal)), &[whole]).contains("- Nothing: every need is covered in full."));
}

#[test]
fn many_places_are_counted_rather_than_listed() {
    let mut wide = proposal();
    let places: Vec<Value> = (0..20).map(|place| gap(&format!("p{place:02}"), 1, "no_supplier", "territory")).collect();
    wide["needs"][1]["gaps"] = json!(places);
    let page = page(&run(Some(RunResult::Optimal)), &[wide]);
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("- Help: 20 sessions. No actor offers it to that public in p00, p01,"), "{page}");
    assert!(words.contains("p10, p11 and 8 places more."), "{page}");
}

fn infeasibility() -> Infeasibility {
    serde_json::from_value(json!({
        "summary": "Nobody can answer.",
        "unmet_needs": [{
            "need": "fix", "lot": "l", "quantity": 1000, "covered": 250, "coverage_percent": 25.0,
            "gaps": [gap("69", 750, "capacity", "territory")]
        }],
        "blocking_rules": [{ "rule": "size", "text": "Allow 4 members." }],
        "closest": proposal()
    }))
    .unwrap()
}

#[test]
fn where_nobody_can_answer_the_page_says_what_falls_who_is_near_and_what_to_relax() {
    let run = Run { infeasibility: Some(infeasibility()), ..run(Some(RunResult::Infeasible)) };
    let expected = "\
Without Wanda
─────────────
  Nobody can answer.

  Need that falls      Asked for      Missing  Covered
  Refurbishing     1 000 devices  750 devices     25 %

  Why they fall
    - 750 missing in 69.
    - Nearest to Refurbishing: Zoé (not there).

  Who comes closest
    - Émile + Wanda: 97.5 % of the call for 82 500.00 €.

  What the call would have to relax: one of these is enough
    - Allow 4 members.
";
    let context = context();
    assert_eq!(render_variant("Without Wanda", &Report { context: &context, run: &run, proposals: &[] }), expected);
}

#[test]
fn a_variant_that_has_an_answer_is_told_in_a_line() {
    let context = context();
    let best: Proposal = serde_json::from_value(proposal()).unwrap();
    let run = run(Some(RunResult::Optimal));
    let page = render_variant("Without Zoé", &Report { context: &context, run: &run, proposals: &[best] });
    assert_eq!(page, "Without Zoé\n───────────\n  Émile + Wanda: 97.5 % of the call for 82 500.00 €.\n");
}

#[test]
fn a_run_without_answer_says_why() {
    assert!(page(&run(Some(RunResult::Unknown)), &[]).contains("The time limit came before any proposal or proof."));
    let failed = Run { failure: Some("the solver stopped".to_owned()), ..run(None) };
    assert!(page(&failed, &[]).contains("The computation failed: the solver stopped."));
}
