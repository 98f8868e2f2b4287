#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::measure::{Facts, compare};
use super::{BidComparison, ComparedOffer, Verdict};
use crate::bids::{Bid, BidReceipt, BidState, Seal, SealedBid};
use crate::calls::{Call, CallState, CallStatus, NewCall};
use crate::organisations::Organisation;
use crate::relations::Relation;
use crate::resource::Stored;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn stored<T>(id: Uuid, value: T) -> Stored<T> {
    Stored { id, version: 1, created_at: Utc::now(), updated_at: Utc::now(), value }
}

fn call(change: impl FnOnce(&mut Value)) -> Call {
    let need = |code: &str, quantity: i64, mandatory: bool| {
        json!({ "code": code, "title": code, "service": "training-daily-tools", "territory": "metropole", "unit": "hour",
            "quantity": quantity, "per": "contract", "mandatory": mandatory, "reference_unit_cost_cents": 100 })
    };
    let mut call = json!({
        "funder": id(9), "title": "Appel", "kind": "grant", "starts_on": "2027-01-01", "duration_months": 12,
        "lots": [
            { "code": "one", "title": "Un", "needs": [need("a", 100, true), need("b", 300, false)] },
            { "code": "two", "title": "Deux", "needs": [need("c", 50, true)] },
        ],
        "award_criteria": [{ "name": "Prix", "weight_percent": 100 }],
    });
    change(&mut call);
    let written: NewCall = serde_json::from_value(call).unwrap();
    stored(id(8), CallState { status: CallStatus::Published, published_at: None, closed_at: None, written })
}

/// A bid of organisations 1 (the lead) and 2 on lot `one`: need, organisation, quantity, amount.
fn bid(parts: &[(&str, u128, i64, i64)]) -> Bid {
    let member = |who: u128, role: &str| json!({ "organisation": id(who), "role": role, "lots": ["one"] });
    let allocations: Vec<Value> = parts
        .iter()
        .map(|(need, who, quantity, cents)| {
            json!({ "need": need, "organisation": id(*who), "quantity": quantity, "amount_cents": cents })
        })
        .collect();
    let content = json!({
        "organisation": id(1), "lots": ["one"], "members": [member(1, "group-lead"), member(2, "group-mem")],
        "allocations": allocations, "amount_cents": parts.iter().map(|part| part.3).sum::<i64>(),
    });
    let receipt = BidReceipt {
        id: id(7),
        call: id(8),
        call_version: 1,
        organisation: id(1),
        state: BidState::Received,
        received_at: Utc::now(),
        ended_at: None,
        digest: String::new(),
    };
    let sealed = SealedBid { content: serde_json::from_value(content).unwrap(), salt: String::new() };
    Bid { receipt, seal: Seal::Intact, sealed: Some(sealed) }
}

fn facts() -> Facts {
    let organisation = |number: u128, home: &str, family: &str, credentials: Value| {
        let written = json!({
            "name": format!("Organisation {number}"), "home_territories": [home], "legal_family": family, "credentials": credentials,
        });
        let own: Organisation = stored(id(number), serde_json::from_value(written).unwrap());
        (own.id, own)
    };
    let known: Relation = stored(
        id(20),
        serde_json::from_value(json!({ "a": id(1), "b": id(2), "kind": "network", "strength_percent": 40 })).unwrap(),
    );
    let qualiopi = json!([{ "code": "qualiopi", "valid_from": "2026-01-01", "valid_to": "2027-06-30" }]);
    Facts {
        organisations: BTreeMap::from([
            organisation(1, "district", "association", qualiopi),
            organisation(2, "elsewhere", "company", json!([])),
        ]),
        relations: vec![known],
        parents: BTreeMap::from([("district".to_owned(), "metropole".to_owned())]),
        services: BTreeMap::from([("training-daily-tools".to_owned(), "training".to_owned())]),
    }
}

fn offer(comparison: &BidComparison) -> &ComparedOffer {
    &comparison.lots[0].bids[0]
}

fn verdict(comparison: &BidComparison, code: &str) -> Option<Verdict> {
    comparison.bids[0].rules.iter().find(|rule| rule.code == code).map(|rule| rule.verdict)
}

#[test]
fn a_lot_tells_coverage_price_cohesion_resilience_and_anchoring() {
    let bid = bid(&[("a", 1, 100, 3_000), ("b", 2, 150, 1_000)]);
    let found = compare(&call(|_| ()), &[bid], &facts());
    let offer = offer(&found);
    // 100 of 100 and 150 of 300 hours, each worth as much: 250 of 400.
    assert_eq!((offer.amount_cents, offer.coverage_percent), (4_000, 62.5));
    assert_eq!((offer.gaps.len(), offer.gaps[0].need.as_str(), offer.gaps[0].missing), (1, "b", 150));
    assert_eq!(offer.cohesion_percent, Some(40.0));
    // Without the first: 150 of 400; without the second: 100 of 400.
    assert_eq!((offer.resilience_percent, offer.worst_loss), (25.0, Some(id(2))));
    // The first lives in a district of the territory.
    assert!((offer.anchoring_percent - 75.0).abs() < 1e-9);
    assert!(found.lots[1].bids.is_empty() && found.award_criteria.len() == 1);
    let members = &found.bids[0].members;
    assert_eq!((members[0].only_supplier_of.clone(), members[0].share_percent), (vec!["a".to_owned()], 75.0));
}

#[test]
fn who_is_not_the_only_supplier_of_anything_is_seen() {
    let found = compare(&call(|_| ()), &[bid(&[("a", 1, 90, 1), ("a", 2, 10, 1), ("b", 1, 300, 1)])], &facts());
    let members = &found.bids[0].members;
    assert_eq!((members[0].only_supplier_of.len(), members[1].only_supplier_of.len()), (1, 0));
}

#[test]
fn a_broken_bid_is_named_and_nothing_of_it_is_shown() {
    let whole = bid(&[("a", 1, 100, 1)]);
    let broken = Bid { seal: Seal::Broken, sealed: None, ..whole };
    let found = compare(&call(|_| ()), &[broken], &facts());
    assert_eq!((found.broken, found.bids.len(), found.lots[0].bids.len()), (vec![id(7)], 0, 0));
}

#[test]
fn rules_are_judged_by_what_is_public() {
    let bid = || bid(&[("a", 1, 100, 3_000), ("b", 2, 150, 1_000)]);
    let cases: [(Value, &str, Verdict); 14] = [
        (json!({ "group_policy": { "minimum_members": 2 } }), "size", Verdict::Kept),
        (json!({ "group_policy": { "maximum_members": 1 } }), "size", Verdict::Broken),
        (json!({ "group_policy": { "maximum_share_percent": 75 } }), "largest_share", Verdict::Kept),
        (json!({ "group_policy": { "maximum_share_percent": 74 } }), "largest_share", Verdict::Broken),
        (json!({ "group_policy": { "minimum_share_percent": 26 } }), "smallest_share", Verdict::Broken),
        (json!({ "group_policy": { "minimum_legal_families": 2 } }), "legal_families", Verdict::Kept),
        (json!({ "group_policy": { "minimum_legal_families": 3 } }), "legal_families", Verdict::Broken),
        (json!({ "group_policy": { "connected": true } }), "connected", Verdict::Kept),
        (json!({ "budget_cents": 4_000 }), "budget", Verdict::Kept),
        (json!({ "budget_cents": 3_999 }), "budget", Verdict::Broken),
        (
            rule(json!({ "criterion": "turnover", "scope": "lead", "minimum_cents": 1 })),
            "eligibility:r",
            Verdict::Unknown,
        ),
        (
            rule(json!({ "criterion": "credential", "scope": "lead", "credential": "qualiopi" })),
            "eligibility:r",
            Verdict::Kept,
        ),
        (
            rule(json!({ "criterion": "credential", "scope": "each_member", "credential": "qualiopi" })),
            "eligibility:r",
            Verdict::Broken,
        ),
        (
            rule(json!({ "criterion": "home_territory", "scope": "any_member", "territory": "metropole" })),
            "eligibility:r",
            Verdict::Kept,
        ),
    ];
    for (change, code, expected) in cases {
        let call = call(|call| call.as_object_mut().unwrap().extend(change.as_object().unwrap().clone()));
        assert_eq!(verdict(&compare(&call, &[bid()], &facts()), code), Some(expected), "{change}");
    }
    let nothing_asked = compare(&call(|_| ()), &[bid()], &facts());
    assert!(nothing_asked.bids[0].rules.is_empty(), "{:?}", nothing_asked.bids[0].rules);
}

fn rule(mut rule: Value) -> Value {
    rule["code"] = json!("r");
    json!({ "eligibility": [rule] })
}

#[test]
fn a_condition_on_who_does_a_service_looks_at_those_who_do_it() {
    let performer = rule(json!({
        "criterion": "credential", "scope": "performer", "credential": "qualiopi", "services": ["training"],
    }));
    let judged = |call: &Call, bid: Bid, facts: &Facts| verdict(&compare(call, &[bid], facts), "eligibility:r");
    let call = call(|call| call.as_object_mut().unwrap().extend(performer.as_object().unwrap().clone()));
    assert_eq!(judged(&call, bid(&[("a", 1, 100, 1)]), &facts()), Some(Verdict::Kept), "the second does nothing");
    assert_eq!(judged(&call, bid(&[("a", 2, 100, 1)]), &facts()), Some(Verdict::Broken));
    let mut linked = call.clone();
    linked.value.written.eligibility[0].accept_linked = true;
    let mut lent = facts();
    let link = json!([{ "to": id(2), "kind": "same_group", "shares_credentials": true, "shares_capacity": false }]);
    lent.organisations.get_mut(&id(1)).unwrap().value.links = serde_json::from_value(link).unwrap();
    assert_eq!(judged(&linked, bid(&[("a", 2, 100, 1)]), &lent), Some(Verdict::Kept));
    assert_eq!(judged(&call, bid(&[("a", 2, 100, 1)]), &lent), Some(Verdict::Broken), "the call does not accept it");
    linked.value.written.starts_on = "2027-07-01".parse().unwrap();
    assert_eq!(judged(&linked, bid(&[("a", 1, 100, 1)]), &lent), Some(Verdict::Broken), "it has run out by then");
}
