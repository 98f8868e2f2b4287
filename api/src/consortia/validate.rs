//! Rules on plans that the schema cannot express.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::whole::Whole;
use super::{Amount, ConsortiumPlan, NewConsortiumInvitation, Part, Role};
use crate::calls::{NewCall, Per};
use crate::organisations;
use crate::problem::Fault;

/// The needs of some lots of a call, by code, with how much they ask for over the whole contract.
pub fn asked<'a>(call: &'a NewCall, lots: &[String]) -> BTreeMap<&'a str, i128> {
    let months = i128::from(call.duration_months);
    let answered = call.lots.iter().filter(|lot| lots.contains(&lot.code));
    let needs = answered.flat_map(|lot| &lot.needs).map(|need| {
        let quantity = i128::from(need.quantity);
        (need.code.as_str(), if need.per == Per::Year { quantity * months / 12 } else { quantity })
    });
    needs.collect()
}

/// The faults of lots.
pub fn lot_faults(call: &NewCall, lots: &[String]) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    let fault = |(l, code): (usize, &String)| {
        let at = format!("/lots/{l}");
        if !call.lots.iter().any(|lot| lot.code == *code) {
            Some(Fault::at(at, format!("the call has no lot `{code}`")))
        } else if seen.insert(code.clone()) {
            None
        } else {
            Some(Fault::at(at, "this is there twice"))
        }
    };
    lots.iter().enumerate().filter_map(fault).collect()
}

/// The faults of somebody's parts, which stand at `at`; what is delivered of each need adds up in `given`.
pub fn part_faults(
    at: &str,
    parts: &[Part],
    asked: &BTreeMap<&str, i128>,
    given: &mut BTreeMap<String, i128>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (p, part) in parts.iter().enumerate() {
        if !seen.insert(&part.need) {
            faults.push(Fault::at(format!("{at}/{p}/need"), "this is there twice"));
        }
        let Some(whole) = asked.get(part.need.as_str()) else {
            let detail = format!("the lots of the consortium have no need `{}`", part.need);
            faults.push(Fault::at(format!("{at}/{p}/need"), detail));
            continue;
        };
        let before = given.entry(part.need.clone()).or_default();
        *before += i128::from(part.quantity);
        if *before > *whole {
            let detail = format!("with this, {before} are delivered over the whole contract: {whole} are asked for");
            faults.push(Fault::at(format!("{at}/{p}/quantity"), detail));
        }
    }
    faults
}

/// What the plan delivers of each need, but for one organisation.
fn given(whole: &Whole, but: Uuid) -> BTreeMap<String, i128> {
    let mut given = BTreeMap::new();
    for (_, own) in whole.in_plan().filter(|(id, _)| *id != but) {
        for part in &own.parts {
            *given.entry(part.need.clone()).or_default() += i128::from(part.quantity);
        }
    }
    given
}

/// All faults of an invitation. One query.
pub async fn invitation_faults(
    db: &impl ConnectionTrait,
    call: &NewCall,
    whole: &Whole,
    new: &NewConsortiumInvitation,
) -> Result<Vec<Fault>, DbErr> {
    let mut faults = Vec::new();
    if new.organisation == call.funder {
        faults.push(Fault::at("/organisation", "a funder does not answer its own call"));
    } else if !organisations::store::exists(db, new.organisation).await? {
        faults.push(Fault::at("/organisation", "there is no such organisation"));
    }
    if matches!(new.role, Role::GroupLead | Role::SoleTenderer) {
        faults.push(Fault::at("/role", "there is one lead, and it has invited nobody else to lead"));
    }
    if let Some(whom) = new.replaces {
        if !new.alternate {
            faults.push(Fault::at("/replaces", "only an alternate takes the place of another"));
        } else if whole.standing(whom).is_none_or(|standing| !standing.is_in_plan()) {
            faults.push(Fault::at("/replaces", "this organisation is neither a member nor invited"));
        }
    }
    // An alternate may stand by for a part that is taken.
    let mut given = if new.alternate { BTreeMap::new() } else { given(whole, new.organisation) };
    faults.extend(part_faults("/parts", &new.parts, &asked(call, &whole.lots), &mut given));
    Ok(faults)
}

/// All faults of a plan.
pub fn plan_faults(call: &NewCall, whole: &Whole, new: &ConsortiumPlan) -> Vec<Fault> {
    let mut faults = lot_faults(call, &new.lots);
    let asked = asked(call, &new.lots);
    let (mut given, mut named) = (BTreeMap::new(), BTreeSet::new());
    for (m, own) in new.members.iter().enumerate() {
        let at = format!("/members/{m}");
        if !named.insert(own.organisation) {
            faults.push(Fault::at(format!("{at}/organisation"), "this organisation is there twice"));
        } else if whole.standing(own.organisation).is_none_or(|standing| !standing.is_in_plan()) {
            let detail = "this organisation is neither a member nor invited: invite it first";
            faults.push(Fault::at(format!("{at}/organisation"), detail));
        }
        let leads = matches!(own.role, Role::GroupLead | Role::SoleTenderer);
        if leads != (own.organisation == whole.state.lead) {
            faults.push(Fault::at(format!("{at}/role"), "the lead leads, and nobody else"));
        }
        faults.extend(part_faults(&format!("{at}/parts"), &own.parts, &asked, &mut given));
    }
    if whole.in_plan().any(|(id, _)| !named.contains(&id)) {
        let detail = "a member or somebody who is invited is missing: take back the invitation to exclude them";
        faults.push(Fault::at("/members", detail));
    }
    faults
}

/// All faults of what a member asks for its parts: one amount for each of them.
pub fn amount_faults(parts: &[Part], amounts: &[Amount]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (a, amount) in amounts.iter().enumerate() {
        if !parts.iter().any(|part| part.need == amount.need) {
            faults.push(Fault::at(format!("/amounts/{a}/need"), "this is none of its parts"));
        } else if !seen.insert(&amount.need) {
            faults.push(Fault::at(format!("/amounts/{a}/need"), "this is there twice"));
        }
    }
    if parts.iter().any(|part| !seen.contains(&part.need)) {
        faults.push(Fault::at("/amounts", "one amount is needed for each part"));
    }
    faults
}
