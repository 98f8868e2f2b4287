//! Whether a bid answers its call.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{BidContent, Role};
use crate::calls::{Need, NewCall, Per};
use crate::organisations;
use crate::problem::Fault;

/// All faults of a bid of an organisation on a call. One query.
pub async fn faults(
    db: &impl ConnectionTrait,
    call: &NewCall,
    bidder: Uuid,
    bid: &BidContent,
) -> Result<Vec<Fault>, DbErr> {
    let mut faults = own_faults(call, bidder, bid);
    let named: Vec<Uuid> = bid.members.iter().map(|member| member.organisation).collect();
    let known = organisations::store::existing(db, &named).await?;
    let unknown = named.iter().enumerate().filter(|(_, id)| !known.contains(id));
    faults
        .extend(unknown.map(|(m, _)| Fault::at(format!("/members/{m}/organisation"), "there is no such organisation")));
    Ok(faults)
}

/// The faults that need no database.
fn own_faults(call: &NewCall, bidder: Uuid, bid: &BidContent) -> Vec<Fault> {
    let mut faults = Vec::new();
    if bidder == call.funder {
        faults.push(Fault::at("/organisation", "a funder does not answer its own call"));
    }
    lot_faults(call, bid, &mut faults);
    member_faults(bidder, bid, &mut faults);
    allocation_faults(call, bid, &mut faults);
    let services: i128 = bid.allocations.iter().map(|part| i128::from(part.amount_cents)).sum();
    let sum = services + i128::from(bid.coordination_cents);
    if sum != i128::from(bid.amount_cents) {
        faults.push(Fault::at("/amount_cents", format!("the allocations, with the coordination, come to {sum}")));
    }
    faults
}

/// A fault at every place where something is there for the second time.
fn repeated<T: Ord>(values: impl Iterator<Item = T>, at: impl Fn(usize) -> String, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for (place, value) in values.enumerate() {
        if !seen.insert(value) {
            faults.push(Fault::at(at(place), "this is there twice"));
        }
    }
}

fn lot_faults(call: &NewCall, bid: &BidContent, faults: &mut Vec<Fault>) {
    repeated(bid.lots.iter(), |l| format!("/lots/{l}"), faults);
    for (l, code) in bid.lots.iter().enumerate() {
        if !call.lots.iter().any(|lot| lot.code == *code) {
            faults.push(Fault::at(format!("/lots/{l}"), format!("the call has no lot `{code}`")));
        } else if !bid.members.iter().any(|member| member.lots.contains(code)) {
            faults.push(Fault::at(format!("/lots/{l}"), format!("no member works for lot `{code}`")));
        }
    }
    for (m, member) in bid.members.iter().enumerate() {
        repeated(member.lots.iter(), |l| format!("/members/{m}/lots/{l}"), faults);
        for (l, code) in member.lots.iter().enumerate().filter(|(_, code)| !bid.lots.contains(code)) {
            let detail = format!("`{code}` is not among the lots of the bid");
            faults.push(Fault::at(format!("/members/{m}/lots/{l}"), detail));
        }
    }
}

/// One organisation answers alone, or one leads a group of at least two: the bidder.
fn member_faults(bidder: Uuid, bid: &BidContent, faults: &mut Vec<Fault>) {
    let of = |member: &super::Member| member.organisation;
    repeated(bid.members.iter().map(of), |m| format!("/members/{m}/organisation"), faults);
    let heads = |role: Role| matches!(role, Role::GroupLead | Role::SoleTenderer);
    if !bid.members.iter().any(|member| member.organisation == bidder && heads(member.role)) {
        let detail = "the bidder takes part, as `sole-tenderer` or as `group-lead`";
        faults.push(Fault::at("/members", detail));
    }
    for (m, member) in bid.members.iter().enumerate() {
        if heads(member.role) && member.organisation != bidder {
            faults.push(Fault::at(format!("/members/{m}/role"), "only the bidder answers alone or leads"));
        }
    }
    let alone = bid.members.iter().any(|member| member.role == Role::SoleTenderer);
    let group = bid.members.iter().position(|member| member.role == Role::GroupMem);
    match (alone, group) {
        (true, Some(m)) => {
            faults.push(Fault::at(format!("/members/{m}/role"), "who answers alone has no group: only `subcont`"));
        }
        (false, None) => faults.push(Fault::at("/members", "a group has at least one `group-mem` besides its lead")),
        _ => {}
    }
}

fn allocation_faults(call: &NewCall, bid: &BidContent, faults: &mut Vec<Fault>) {
    let asked = asked(call, bid);
    let mut given: BTreeMap<&str, i128> = BTreeMap::new();
    repeated(
        bid.allocations.iter().map(|part| (&part.need, part.organisation)),
        |a| format!("/allocations/{a}"),
        faults,
    );
    for (a, part) in bid.allocations.iter().enumerate() {
        let at = format!("/allocations/{a}");
        let member = bid.members.iter().find(|member| member.organisation == part.organisation);
        if member.is_none() {
            faults.push(Fault::at(format!("{at}/organisation"), "only members deliver"));
        }
        let Some((lot, _, whole)) = asked.get(part.need.as_str()) else {
            let detail = format!("the lots of the bid have no need `{}`", part.need);
            faults.push(Fault::at(format!("{at}/need"), detail));
            continue;
        };
        if member.is_some_and(|member| !member.lots.iter().any(|own| own == lot)) {
            let detail = format!("this member does not work for lot `{lot}`");
            faults.push(Fault::at(format!("{at}/organisation"), detail));
        }
        let before = given.entry(part.need.as_str()).or_default();
        *before += i128::from(part.quantity);
        if *before > *whole {
            let detail = format!("with this, {before} are delivered over the whole contract: {whole} are asked for");
            faults.push(Fault::at(format!("{at}/quantity"), detail));
        }
    }
    for (code, (_, need, whole)) in &asked {
        let given = given.get(code).copied().unwrap_or_default();
        if need.mandatory && given < *whole {
            let detail = format!("need `{code}` must be met in full: {whole} over the whole contract, not {given}");
            faults.push(Fault::at("/allocations", detail));
        }
    }
}

/// The needs of the lots that a bid answers, by code: their lot, and how much they ask for over the whole contract.
fn asked<'a>(call: &'a NewCall, bid: &BidContent) -> BTreeMap<&'a str, (&'a str, &'a Need, i128)> {
    let months = i128::from(call.duration_months);
    let lots = call.lots.iter().filter(|lot| bid.lots.contains(&lot.code));
    let needs = lots.flat_map(|lot| lot.needs.iter().map(move |need| (lot.code.as_str(), need)));
    needs
        .map(|(lot, need)| {
            let quantity = i128::from(need.quantity);
            let whole = if need.per == Per::Year { quantity * months / 12 } else { quantity };
            (need.code.as_str(), (lot, need, whole))
        })
        .collect()
}
