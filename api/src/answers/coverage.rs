//! How much of what a call asks for an answer delivers.

use std::collections::BTreeMap;

use crate::bids::Allocation;
use crate::calls::{Lot, Need, NewCall, Per};

/// A need with what it asks for over the whole contract, and how much of it is delivered.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// Its lot.
    pub lot: &'a Lot,
    /// The need.
    pub need: &'a Need,
    /// How much is asked.
    pub asked: i64,
    /// How much is delivered: no more than that.
    pub delivered: i64,
    /// What it counts for in means: its worth, where every need of the call has one.
    weight: i128,
}

/// The needs of some lots, in the order of the call, with what `delivered` meets of them. O(needs + parts).
pub fn coverage<'a>(call: &'a NewCall, lots: &[String], delivered: &[&Allocation]) -> Vec<Covered<'a>> {
    let mut given: BTreeMap<&str, i64> = BTreeMap::new();
    for part in delivered {
        let sum = given.entry(&part.need).or_default();
        *sum = sum.saturating_add(part.quantity);
    }
    let price = |need: &Need| need.reference_unit_cost_cents.unwrap_or(0).max(need.unmet_cost_cents);
    let all_priced = call.lots.iter().flat_map(|lot| &lot.needs).all(|need| price(need) > 0);
    let chosen = call.lots.iter().filter(|lot| lots.contains(&lot.code));
    let needs = chosen.flat_map(|lot| lot.needs.iter().map(move |need| (lot, need)));
    needs
        .map(|(lot, need)| {
            let asked = whole(call, need);
            let delivered = given.get(need.code.as_str()).copied().unwrap_or(0).min(asked);
            let weight = if all_priced { i128::from(asked) * i128::from(price(need)) } else { 1 };
            Covered { lot, need, asked, delivered, weight }
        })
        .collect()
}

/// What a need asks for over the whole contract.
fn whole(call: &NewCall, need: &Need) -> i64 {
    let all = match need.per {
        Per::Contract => i128::from(need.quantity),
        Per::Year => i128::from(need.quantity) * i128::from(call.duration_months) / 12,
    };
    i64::try_from(all).unwrap_or(i64::MAX)
}

/// One number in percent of another, cut to two decimals; 100 of nothing.
#[must_use]
pub fn percent(part: i128, whole: i128) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "at most 10000 where part is of the whole")]
    let hundredths = if whole == 0 { 10_000 } else { part * 10_000 / whole } as f64;
    hundredths / 100.0
}

impl Covered<'_> {
    /// The covered part.
    #[must_use]
    pub fn percent(&self) -> f64 {
        percent(self.delivered.into(), self.asked.into())
    }
}

/// Mean of the coverage of some needs, weighted by what they are worth; by their number where some have no price.
#[must_use]
pub fn mean(needs: &[Covered]) -> f64 {
    // In millionths of each weight, so that nothing is lost that two decimals could show.
    let share = |need: &Covered| {
        if need.asked == 0 {
            need.weight * 1_000_000
        } else {
            need.weight * 1_000_000 / i128::from(need.asked) * i128::from(need.delivered)
        }
    };
    let all: i128 = needs.iter().map(|need| need.weight * 1_000_000).sum();
    if needs.iter().all(|need| need.delivered == need.asked) {
        return percent(1, 1);
    }
    percent(needs.iter().map(share).sum(), all)
}
