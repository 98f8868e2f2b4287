//! Whether a decision decides what there is to decide.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{DecisionOnLot, NewDecision, Outcome};
use crate::bids::Bid;
use crate::calls::NewCall;
use crate::problem::Fault;

/// All faults of a decision, where they stand in it. O(lots × bids).
pub fn faults(call: &NewCall, bids: &[Bid], new: &NewDecision) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let lots_of: BTreeMap<Uuid, &[String]> =
        bids.iter().filter_map(|bid| Some((bid.receipt.id, bid.sealed.as_ref()?.content.lots.as_slice()))).collect();
    for (l, lot) in new.lots.iter().enumerate() {
        let at = format!("/lots/{l}");
        if !call.lots.iter().any(|own| own.code == lot.lot) {
            faults.push(Fault::at(format!("{at}/lot"), format!("the call has no lot `{}`", lot.lot)));
        }
        if !seen.insert(lot.lot.as_str()) {
            faults.push(Fault::at(format!("{at}/lot"), "this is there twice"));
        }
        lot_faults(&at, lot, &lots_of, &mut faults);
    }
    faults
}

fn lot_faults(at: &str, lot: &DecisionOnLot, lots_of: &BTreeMap<Uuid, &[String]>, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for (b, own) in lot.bids.iter().enumerate() {
        let at = format!("{at}/bids/{b}/bid");
        if !seen.insert(own.bid) {
            faults.push(Fault::at(at, "this is there twice"));
        } else if lots_of.get(&own.bid).is_none_or(|lots| !lots.contains(&lot.lot)) {
            faults.push(Fault::at(at, "no bid on this lot that stands and is intact has this id"));
        }
    }
    let forgotten = lots_of.iter().filter(|(bid, lots)| lots.contains(&lot.lot) && !seen.contains(*bid)).count();
    if forgotten > 0 {
        let detail = format!("{forgotten} more bids on this lot stand: say of each what becomes of it, and why");
        faults.push(Fault::at(format!("{at}/bids"), detail));
    }
    let chosen = lot.bids.iter().any(|own| own.chosen);
    match (lot.outcome, chosen) {
        (Outcome::Awarded, false) => faults.push(Fault::at(format!("{at}/outcome"), "no bid on this lot is chosen")),
        (Outcome::NoAward, true) => faults.push(Fault::at(format!("{at}/outcome"), "a bid on this lot is chosen")),
        _ => {}
    }
}
