//! What there is to compare.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::rules::judge;
use super::{BidComparison, ComparedBid, ComparedGap, ComparedLot, ComparedMember, ComparedOffer};
use crate::answers::coverage::{coverage, mean, percent};
use crate::bids::{Allocation, Bid, BidContent};
use crate::calls::{Call, Lot, NewCall};
use crate::organisations::Organisation;
use crate::relations::Relation;

/// What is public of those who bid.
pub struct Facts {
    /// The members of all bids, and those that lend them certificates.
    pub organisations: BTreeMap<Uuid, Organisation>,
    /// Who knows whom.
    pub relations: Vec<Relation>,
    /// The parent of every territory that has one.
    pub parents: BTreeMap<String, String>,
    /// The service above every service that has one.
    pub services: BTreeMap<String, String>,
}

impl Facts {
    /// What an organisation is called; its id where it is gone.
    pub fn name(&self, organisation: Uuid) -> String {
        let known = self.organisations.get(&organisation);
        known.map_or_else(|| organisation.to_string(), |known| known.value.name.clone())
    }

    /// Whether an organisation is at home in a territory, or in a part of it. O(depth of the tree).
    pub fn is_at_home(&self, organisation: Uuid, territory: &str) -> bool {
        let homes = self.organisations.get(&organisation).into_iter().flat_map(|own| &own.value.home_territories);
        homes.into_iter().any(|home| {
            let mut seen = BTreeSet::new();
            let mut place = Some(home);
            while let Some(here) = place.filter(|here| seen.insert(here.as_str())) {
                if here == territory {
                    return true;
                }
                place = self.parents.get(here);
            }
            false
        })
    }

    /// How well two organisations know each other on the first day of a contract, in percent.
    fn strength(&self, a: Uuid, b: Uuid, call: &NewCall) -> i64 {
        let of_pair = self.relations.iter().filter(|own| {
            let own = &own.value;
            (own.a, own.b) == (a.min(b), a.max(b)) && own.since.is_none_or(|since| since <= call.starts_on)
        });
        of_pair.map(|own| i64::from(own.value.strength_percent)).max().unwrap_or(0)
    }

    /// Mean strength over all pairs of some organisations; `None` where there is no pair. O(pairs × relations).
    fn cohesion(&self, members: &[Uuid], call: &NewCall) -> Option<f64> {
        let pairs: Vec<(Uuid, Uuid)> =
            members.iter().enumerate().flat_map(|(i, a)| members[i + 1..].iter().map(move |b| (*a, *b))).collect();
        let sum: i64 = pairs.iter().map(|(a, b)| self.strength(*a, *b, call)).sum();
        let count = i128::try_from(pairs.len()).unwrap_or(i128::MAX);
        (count > 0).then(|| percent(sum.into(), count * 100))
    }

    /// Whether everybody reaches everybody through relations among them.
    pub fn is_connected(&self, members: &[Uuid], call: &NewCall) -> bool {
        let mut reached: BTreeSet<Uuid> = members.first().copied().into_iter().collect();
        loop {
            let next: Vec<Uuid> = members
                .iter()
                .filter(|id| !reached.contains(id) && reached.iter().any(|known| self.strength(**id, *known, call) > 0))
                .copied()
                .collect();
            if next.is_empty() {
                return reached.len() == members.len();
            }
            reached.extend(next);
        }
    }
}

/// Sets the bids of a call side by side. O(bids × lots × members × parts).
#[must_use]
pub fn compare(call: &Call, bids: &[Bid], facts: &Facts) -> BidComparison {
    let written = &call.value.written;
    let whole: Vec<(Uuid, &BidContent)> =
        bids.iter().filter_map(|bid| Some((bid.receipt.id, &bid.sealed.as_ref()?.content))).collect();
    let broken = bids.iter().filter(|bid| bid.sealed.is_none()).map(|bid| bid.receipt.id).collect();
    let lots = written.lots.iter().map(|lot| {
        let on_it = whole.iter().filter(|(_, content)| content.lots.contains(&lot.code));
        ComparedLot {
            code: lot.code.clone(),
            title: lot.title.clone(),
            bids: on_it.map(|(bid, content)| offer(*bid, content, written, lot, facts)).collect(),
        }
    });
    BidComparison {
        call: call.id,
        call_version: call.version,
        award_criteria: written.award_criteria.clone(),
        lots: lots.collect(),
        bids: whole.iter().map(|(bid, content)| compared(*bid, content, written, facts)).collect(),
        broken,
    }
}

fn compared(bid: Uuid, content: &BidContent, call: &NewCall, facts: &Facts) -> ComparedBid {
    let organisation = content.organisation.unwrap_or_default();
    let members = content.members.iter().map(|member| {
        let id = member.organisation;
        let shared = |need: &str| content.allocations.iter().any(|part| part.need == need && part.organisation != id);
        let own = content.allocations.iter().filter(|part| part.organisation == id);
        let amount_cents = content.amount_of(id);
        ComparedMember {
            organisation: id,
            name: facts.name(id),
            role: member.role,
            amount_cents,
            share_percent: part_of(amount_cents, content.amount_cents),
            only_supplier_of: own.filter(|part| !shared(&part.need)).map(|part| part.need.clone()).collect(),
        }
    });
    ComparedBid {
        bid,
        organisation,
        name: facts.name(organisation),
        amount_cents: content.amount_cents,
        lots: content.lots.clone(),
        members: members.collect(),
        rules: judge(content, call, facts),
    }
}

fn part_of(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { percent(part.into(), whole.into()) }
}

fn offer(bid: Uuid, content: &BidContent, call: &NewCall, lot: &Lot, facts: &Facts) -> ComparedOffer {
    let codes = [lot.code.clone()];
    let territory: BTreeMap<&str, &str> =
        lot.needs.iter().map(|need| (need.code.as_str(), need.territory.as_str())).collect();
    let parts: Vec<&Allocation> =
        content.allocations.iter().filter(|part| territory.contains_key(part.need.as_str())).collect();
    let needs = coverage(call, &codes, &parts);
    let members: BTreeSet<Uuid> =
        content.members.iter().filter(|own| own.lots.contains(&lot.code)).map(|own| own.organisation).collect();
    let members: Vec<Uuid> = members.into_iter().collect();
    let left_without = |gone: Uuid| {
        let left: Vec<&Allocation> = parts.iter().filter(|part| part.organisation != gone).copied().collect();
        mean(&coverage(call, &codes, &left))
    };
    let losses = members.iter().map(|member| (left_without(*member), *member));
    let worst = losses.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let amount_cents: i64 = parts.iter().map(|part| part.amount_cents).sum();
    let local = parts.iter().filter(|part| {
        territory.get(part.need.as_str()).is_some_and(|place| facts.is_at_home(part.organisation, place))
    });
    let gaps = needs.iter().filter(|own| own.delivered < own.asked).map(|own| ComparedGap {
        need: own.need.code.clone(),
        missing: own.asked - own.delivered,
        mandatory: own.need.mandatory,
    });
    ComparedOffer {
        bid,
        amount_cents,
        coverage_percent: mean(&needs),
        gaps: gaps.collect(),
        cohesion_percent: facts.cohesion(&members, call),
        resilience_percent: worst.map_or(0.0, |(left, _)| left),
        worst_loss: worst.map(|(_, member)| member),
        anchoring_percent: part_of(local.map(|part| part.amount_cents).sum(), amount_cents),
    }
}
