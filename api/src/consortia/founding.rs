//! How a consortium begins: by hand, from a proposal, or with a framework.

use std::collections::BTreeMap;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::machine::State;
use super::whole::{Details, Whole};
use super::{Consent, NewConsortium, Origin, Part, Role, validate};
use crate::access::Caller;
use crate::bids::seal::salt;
use crate::calls::{self, Call, CallStatus, NewCall};
use crate::frameworks;
use crate::organisations;
use crate::page::Slice;
use crate::problem::{Fault, Problem};
use crate::runs;

/// With what an organisation begins.
pub struct Start {
    /// What it is.
    pub role: Role,
    /// What it delivers.
    pub parts: Vec<Part>,
}

fn refuse(at: &str, detail: &str) -> Problem {
    Problem::invalid(vec![Fault::at(at, detail)])
}

/// Who begins, and with what; the lead is among them.
///
/// # Errors
/// What is wrong with where they come from.
pub async fn start(
    db: &impl ConnectionTrait,
    caller: &Caller,
    call: &Call,
    lead: Uuid,
    new: &NewConsortium,
) -> Result<BTreeMap<Uuid, Start>, Problem> {
    let comes_along = !new.parts.is_empty();
    match (new.proposal, new.framework) {
        (Some(_), Some(_)) => Err(refuse("/framework", "a consortium begins with a proposal or with a framework")),
        (Some(_), None) if comes_along => Err(refuse("/parts", "the proposal says what the lead delivers")),
        (None, Some(_)) if comes_along => Err(refuse("/parts", "the framework says what the lead delivers")),
        (Some(origin), None) => {
            let plan = proposed(db, caller, call, lead, origin).await?;
            Ok(plan.into_iter().map(|(id, parts)| (id, Start { role: Role::GroupMem, parts })).collect())
        }
        (None, Some(framework)) => kept(db, caller, call, lead, new, framework).await,
        (None, None) => {
            let own = Start { role: Role::GroupLead, parts: new.parts.clone() };
            Ok(BTreeMap::from([(lead, own)]))
        }
    }
}

/// Those who stay in a framework and are still there, each with what it did before of what the call asks for.
async fn kept(
    db: &impl ConnectionTrait,
    caller: &Caller,
    call: &Call,
    lead: Uuid,
    new: &NewConsortium,
    framework: Uuid,
) -> Result<BTreeMap<Uuid, Start>, Problem> {
    let no_framework = || refuse("/framework", "there is no such framework that you lead");
    let whole = frameworks::store::find(db, framework).await?.ok_or_else(no_framework)?;
    // Of a framework that the caller has no part in, nothing shows; of one that another of their organisations leads, that it does.
    if whole.row.lead_id != lead {
        let leads = caller.may(db, whole.row.lead_id, crate::access::Role::Editor).await?;
        let other = || refuse("/organisation", "another organisation leads this framework");
        return Err(if leads { other() } else { no_framework() });
    }
    if whole.row.ended_at.is_some() {
        return Err(Problem::conflict("the framework is over"));
    }
    let staying: Vec<Uuid> = whole.staying().filter(|id| *id != call.value.written.funder).collect();
    let there = organisations::store::existing(db, &staying).await?;
    let lots = answered(call, new);
    let mut asked = validate::asked(&call.value.written, &lots);
    // The lead first, then by id: what is asked for is given out once.
    let mut order: Vec<Uuid> = there;
    order.sort_unstable_by_key(|id| (*id != lead, *id));
    let mut start = BTreeMap::new();
    for organisation in order {
        let Some(own) = whole.members.get(&organisation) else { continue };
        let role = if organisation == lead { Role::GroupLead } else { own.role };
        let parts = frameworks::again::parts(&own.parts.0, whole.row.months, &call.value.written, &mut asked);
        start.insert(organisation, Start { role, parts });
    }
    Ok(start)
}

/// The lots that it answers.
fn answered(call: &Call, new: &NewConsortium) -> Vec<String> {
    let all = || call.value.written.lots.iter().map(|lot| lot.code.clone()).collect();
    if new.lots.is_empty() { all() } else { new.lots.clone() }
}

/// A call that an organisation can answer now.
///
/// # Errors
/// Why it cannot.
pub async fn answerable(db: &impl ConnectionTrait, caller: &Caller, call: Uuid, lead: Uuid) -> Result<Call, Problem> {
    let found = calls::store::find_visible(db, caller, call).await?;
    let Some(call) = found.filter(|call| call.value.status != CallStatus::Draft) else {
        return Err(Problem::invalid(vec![Fault::at("/call", "there is no such call, or it is not published")]));
    };
    if call.value.status == CallStatus::Closed {
        return Err(Problem::conflict("the call is closed: it takes no answers"));
    }
    if call.value.written.answers_due_at.is_some_and(|due| due <= crate::database::now()) {
        return Err(Problem::conflict("answers to this call were due before now"));
    }
    if call.value.written.funder == lead {
        return Err(Problem::invalid(vec![Fault::at("/organisation", "a funder does not answer its own call")]));
    }
    Ok(call)
}

/// A consortium of its lead alone.
///
/// # Errors
/// Only internal ones.
pub fn founded(call: &Call, lead: Uuid, new: &NewConsortium) -> Result<Whole, Problem> {
    let written = &call.value.written;
    Ok(Whole {
        id: Uuid::now_v7(),
        version: 1,
        call: call.id,
        call_version: call.version,
        name: new.name.clone(),
        form: new.form,
        lots: answered(call, new),
        coordination_cents: new.coordination_cents,
        state: State::new(lead, calls::is_negotiated(written), written.answers_due_at),
        details: BTreeMap::from([(lead, details(Role::GroupLead, new.parts.clone(), new.consent)?)]),
    })
}

/// What is settled for an organisation that has said nothing yet.
///
/// # Errors
/// Only internal ones.
pub fn details(role: Role, parts: Vec<Part>, consent: Consent) -> Result<Details, Problem> {
    Ok(Details { role, parts, own_prices: false, salt: salt()?, consent, message: None, reason: None })
}

/// Whether the lots are there, and nobody delivers more of them than is asked for.
///
/// # Errors
/// All faults.
pub fn check_parts(call: &NewCall, whole: &Whole, new: &NewConsortium) -> Result<(), Problem> {
    let mut faults = validate::lot_faults(call, &whole.lots);
    let asked = validate::asked(call, &whole.lots);
    let mut given = BTreeMap::new();
    for (_, own) in whole.in_plan() {
        let at = match (new.proposal, new.framework) {
            (Some(_), _) => "/proposal",
            (None, Some(_)) => "/framework",
            (None, None) => "/parts",
        };
        faults.extend(validate::part_faults(at, &own.parts, &asked, &mut given));
    }
    Problem::check(faults)
}

/// Who does what by a proposal of a run that the caller may read.
async fn proposed(
    db: &impl ConnectionTrait,
    caller: &Caller,
    call: &Call,
    lead: Uuid,
    origin: Origin,
) -> Result<BTreeMap<Uuid, Vec<Part>>, Problem> {
    let no_run = || refuse("/proposal/run", "there is no such run of this call");
    let run = runs::store::find_visible(db, caller, origin.run).await?.ok_or_else(no_run)?;
    if run.call_id != call.id {
        return Err(no_run());
    }
    let slice = Slice { after: None, limit: 1 };
    let found = runs::store::proposals(db, origin.run, &slice, Some(origin.rank - 1)).await?.pop();
    let found = found.filter(|proposal| i64::from(proposal.rank) == i64::from(origin.rank));
    let proposal = found.ok_or_else(|| refuse("/proposal/rank", "the run has no proposal of this rank"))?;
    let plan = parts_of(&proposal)?;
    if !plan.contains_key(&lead) {
        return Err(refuse("/organisation", "the lead takes part in the proposal"));
    }
    Ok(plan)
}

/// What each member of a proposal delivers over the contract, for what the proposal counts: what its services cost, and with the first of
/// them what it costs to take part.
///
/// # Errors
/// Only internal ones.
pub fn parts_of(proposal: &attelage_solver::Proposal) -> Result<BTreeMap<Uuid, Vec<Part>>, Problem> {
    let mut plan: BTreeMap<Uuid, Vec<Part>> = BTreeMap::new();
    for member in &proposal.members {
        let organisation: Uuid = member.actor.parse().map_err(Problem::internal)?;
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = member.amount_cents;
        for own in proposal.allocations.iter().filter(|own| own.actor == member.actor) {
            let quantity = i64::try_from(own.quantity).map_err(Problem::internal)?;
            rest -= own.amount_cents;
            if let Some(part) = parts.iter_mut().find(|part| part.need == own.need) {
                part.quantity += quantity;
                part.amount_cents = part.amount_cents.map(|cents| cents + own.amount_cents);
            } else {
                parts.push(Part { need: own.need.clone(), quantity, amount_cents: Some(own.amount_cents) });
            }
        }
        if let Some(first) = parts.first_mut() {
            first.amount_cents = first.amount_cents.map(|cents| cents + rest);
        }
        plan.insert(organisation, parts);
    }
    Ok(plan)
}
