//! From the plan of a consortium to its bid.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::bids::{self, Allocation, BidContent, Member};
use crate::calls::NewCall;
use crate::consortia::whole::Whole;
use crate::consortia::{Part, Role};

/// The bid of a consortium; nothing while an amount is open. Relied-on entities deliver nothing, and are in no bid. O(members × parts).
#[must_use]
pub fn content(whole: &Whole, call: &NewCall) -> Option<BidContent> {
    let lot_of: BTreeMap<&str, &str> =
        call.lots.iter().flat_map(|lot| lot.needs.iter().map(|need| (need.code.as_str(), lot.code.as_str()))).collect();
    let taking_part = || whole.in_plan().filter(|(_, own)| own.role != Role::Oeron || !own.parts.is_empty());
    let members = taking_part().map(|(organisation, own)| Member {
        organisation,
        role: role(whole.role(organisation).unwrap_or(own.role)),
        lots: lots(whole, &own.parts, &lot_of),
    });
    let mut allocations = Vec::new();
    for (organisation, own) in taking_part() {
        for part in &own.parts {
            allocations.push(allocation(organisation, part)?);
        }
    }
    let services: i64 = allocations.iter().map(|part| part.amount_cents).sum();
    Some(BidContent {
        organisation: Some(whole.state.lead),
        lots: whole.lots.clone(),
        members: members.collect(),
        allocations,
        coordination_cents: whole.coordination_cents,
        amount_cents: services.saturating_add(whole.coordination_cents),
        note: None,
    })
}

fn allocation(organisation: Uuid, part: &Part) -> Option<Allocation> {
    let amount_cents = part.amount_cents?;
    Some(Allocation { need: part.need.clone(), organisation, quantity: part.quantity, amount_cents })
}

/// The lots that somebody works for: those of its parts; all where it has none, as a lead that only coordinates.
fn lots(whole: &Whole, parts: &[Part], lot_of: &BTreeMap<&str, &str>) -> Vec<String> {
    let own: BTreeSet<&str> = parts.iter().filter_map(|part| lot_of.get(part.need.as_str()).copied()).collect();
    let works = |lot: &&String| own.is_empty() || own.contains(lot.as_str());
    whole.lots.iter().filter(works).cloned().collect()
}

const fn role(role: Role) -> bids::Role {
    match role {
        Role::GroupLead => bids::Role::GroupLead,
        Role::GroupMem => bids::Role::GroupMem,
        Role::SoleTenderer => bids::Role::SoleTenderer,
        Role::Subcont | Role::Oeron => bids::Role::Subcont,
    }
}
