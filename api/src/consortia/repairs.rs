//! `/v1/consortia/{id}/repairs`: what to do when somebody declined, was late or left.
//!
//! A repair is a run of the solver in the name of the lead, through its window; its plans are told like any reply. To apply one makes a
//! new version of the consortium, with invitations: nobody joins by computation.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, post};
use attelage_solver::{Query, RepairPlan, RepairRequest, Reply};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::acting::{Acting, call_of};
use super::checks::market;
use super::founding::{details, parts_of};
use super::machine::{Event, Invitation, Phase, Refusal, Standing};
use super::whole::Whole;
use super::{Consent, Consortium, Part, RepairChoice, RepairOptions, Role, validate};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::bids::seal::salt;
use crate::body::Body;
use crate::calls::market::Extent;
use crate::once::Once;
use crate::problem::{Fault, Problem};
use crate::runs::runner::About;
use crate::runs::{self, Asked, Run, RunOptions};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(start_repair).service(apply_repair);
}

/// Those who were in the plan and are no more, though they had a part.
fn departed(whole: &Whole) -> impl Iterator<Item = Uuid> + '_ {
    let out = whole.state.members.iter().filter(|(id, own)| {
        let has_part = whole.details.get(*id).is_some_and(|own| !own.parts.is_empty());
        has_part && !own.standing.is_in_plan() && own.standing != Standing::Alternate
    });
    out.map(|(id, _)| *id)
}

/// Whether the phase lets the group be mended.
fn may_be_mended(whole: &Whole) -> Result<(), Refusal> {
    let phase = whole.state.phase;
    let refuse = |why| Err(Refusal::Phase { phase, why });
    match phase {
        Phase::Forming | Phase::Agreed | Phase::Negotiation => Ok(()),
        Phase::Frozen | Phase::Execution if whole.state.has_vacancy() => Ok(()),
        Phase::Filed => refuse("withdraw the answer first"),
        Phase::Frozen | Phase::Execution => refuse("nobody has left it as unable"),
        Phase::Ended => refuse("nothing changes any more"),
    }
}

/// Starts a computation of how to mend a consortium: the least change that restores what is covered, and the cheapest one, each with what
/// it costs more than before.
///
/// Its reply is that of the run. Between candidacy and signature, and during the contract, all who are left stay. With `Prefer: wait=N`
/// as for any run.
#[utoipa::path(tag = "consortia", request_body = RepairOptions,
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the end")),
    responses((status = 200, description = "Over", body = Run), (status = 202, description = "Under way; look again at `Location`", body = Run)))]
#[post("/consortia/{id}/repairs")]
pub(crate) async fn start_repair(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
    Body(options): Body<RepairOptions>,
) -> Result<HttpResponse, Problem> {
    let tx = app.log.begin(&caller).await?;
    let whole = Acting::of_lead(&tx, &caller, *id).await?.whole;
    // Only read: nothing is written that would have to be told.
    tx.commit_all(Vec::new()).await?;
    may_be_mended(&whole)?;
    let question = |problem: &mut attelage_solver::Problem| asked(&whole, options.time_limit_seconds, problem);
    let team = whole.in_plan().map(|(id, _)| id).chain(departed(&whole)).collect();
    let about =
        About { call: whole.call, organisation: Some(whole.state.lead), lots: Vec::new(), extent: Extent::Near(team) };
    let run = runs::runner::launch_about(&app, &caller, &once, about, question).await?;
    runs::routes::started(&app, &caller, &request, run).await
}

/// What the solver is asked: those whom it knows of the plan, and of those who are gone.
fn asked(
    whole: &Whole,
    time_limit_seconds: u32,
    problem: &mut attelage_solver::Problem,
) -> Result<RunOptions, Problem> {
    market::restrict(problem, &whole.lots);
    let able: BTreeSet<&str> =
        problem.actors.iter().filter(|actor| !actor.capabilities.is_empty()).map(|actor| actor.id.as_str()).collect();
    let known = |id: &Uuid| able.contains(id.to_string().as_str());
    let staying: Vec<Uuid> = whole.in_plan().map(|(id, _)| id).filter(known).collect();
    let gone: Vec<Uuid> = departed(whole).filter(known).collect();
    if staying.is_empty() {
        return Err(Problem::conflict("nobody who is left in it has declared a capability for this call"));
    }
    let is_bound = matches!(whole.state.phase, Phase::Frozen | Phase::Execution);
    let ids = |list: &[Uuid]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let leads = |id: &Uuid| *id == whole.state.lead;
    Ok(RunOptions {
        organisation: Some(whole.state.lead),
        locked_in: staying.iter().copied().filter(|id| is_bound || leads(id)).collect(),
        time_limit_seconds,
        question: Query::Repair(RepairRequest {
            team: ids(&[staying, gone.clone()].concat()),
            departed: ids(&gone),
            cheapest: true,
        }),
        ..RunOptions::default()
    })
}

/// Applies a plan of a repair: a new version of the consortium, in which those who join are invited, and those whom the plan does without
/// are excluded. What nobody can be told to do is left to people.
#[utoipa::path(tag = "consortia", request_body = RepairChoice,
    params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 200, description = "Applied", body = Consortium)))]
#[post("/consortia/{id}/repairs/apply")]
pub(crate) async fn apply_repair(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(choice): Body<RepairChoice>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let mut acting = Acting::of_lead(tx, &caller, *id).await?;
        may_be_mended(&acting.whole)?;
        let plan = chosen(tx, &caller, &acting.whole, choice).await?;
        mend(&mut acting, &plan, choice.days_to_answer)?;
        let call = call_of(tx, &acting.whole).await?;
        fits(&call.value.written, &acting.whole)?;
        let recorded = acting.keep(tx).await?;
        Ok((acting.answer(tx, &caller).await?, recorded))
    })
    .await
}

/// The plan that was chosen, if it is of the consortium as it stands.
async fn chosen(
    db: &impl ConnectionTrait,
    caller: &Caller,
    whole: &Whole,
    choice: RepairChoice,
) -> Result<RepairPlan, Problem> {
    let no_run = || Problem::invalid(vec![Fault::at("/run", "there is no repair of this consortium with this id")]);
    let run = runs::store::find_visible(db, caller, choice.run).await?.ok_or_else(no_run)?;
    if run.organisation_id != Some(whole.state.lead) || run.call_id != whole.call {
        return Err(no_run());
    }
    let Asked::Alone(RunOptions { question: Query::Repair(asked), .. }) = &run.options else { return Err(no_run()) };
    let Some(document) = run.reply else {
        return Err(Problem::conflict("the run has no reply: wait for its end"));
    };
    let Ok(Reply::Repair(repair)) = serde_json::from_value(document) else { return Err(no_run()) };
    let gone: BTreeSet<&String> = asked.departed.iter().collect();
    let then: BTreeSet<String> = asked.team.iter().filter(|id| !gone.contains(id)).cloned().collect();
    let able: BTreeSet<String> = whole.in_plan().map(|(id, _)| id.to_string()).collect();
    let left: BTreeSet<String> = departed(whole).map(|id| id.to_string()).collect();
    if !then.is_subset(&able) || gone.iter().any(|id| !left.contains(*id)) {
        return Err(Problem::conflict("the consortium has changed since: start another repair"));
    }
    let plan = usize::try_from(choice.plan).ok().and_then(|plan| repair.plans.into_iter().nth(plan.checked_sub(1)?));
    plan.ok_or_else(|| Problem::invalid(vec![Fault::at("/plan", "the repair has no such plan")]))
}

/// Does what a plan says.
fn mend(acting: &mut Acting, plan: &RepairPlan, days: i32) -> Result<(), Problem> {
    let parsed =
        |ids: &[String]| ids.iter().map(|id| id.parse().map_err(Problem::internal)).collect::<Result<Vec<Uuid>, _>>();
    for organisation in parsed(&plan.leaving)? {
        acting.done(&Event::Rescind(organisation))?;
    }
    let mut wanted = parts_of(&plan.proposal)?;
    for organisation in parsed(&plan.joining)? {
        // Somebody may have moved up in the meantime.
        if acting.whole.standing(organisation).is_some_and(Standing::is_in_plan) {
            continue;
        }
        acting.done(&Event::Invite(Invitation { organisation, days, alternate: false, replaces: None }))?;
        let parts = wanted.remove(&organisation).unwrap_or_default();
        acting.whole.details.insert(organisation, details(Role::GroupMem, parts, Consent::default())?);
    }
    let mut changed = BTreeSet::new();
    for (organisation, parts) in wanted {
        let Some(own) = acting.whole.details.get_mut(&organisation) else { continue };
        let own_prices = own.own_prices;
        let kept =
            |part: &Part| own.parts.iter().find(|old| old.need == part.need && old.quantity == part.quantity).cloned();
        // What a member settled for another quantity is to be settled again.
        let anew = |part: Part| Part { amount_cents: part.amount_cents.filter(|_| !own_prices), ..part };
        let parts: Vec<Part> = parts.into_iter().map(|part| kept(&part).unwrap_or_else(|| anew(part))).collect();
        let same = parts.iter().all(|part| own.parts.contains(part)) && parts.len() == own.parts.len();
        if !same {
            (own.parts, own.salt) = (parts, salt()?);
            changed.insert(organisation);
        }
    }
    if !changed.is_empty() {
        acting.done(&Event::Change { of: changed })?;
    }
    Ok(())
}

/// Whether nobody is asked for more than there is to do: members of whom the solver knows nothing keep their parts.
fn fits(call: &crate::calls::NewCall, whole: &Whole) -> Result<(), Problem> {
    let asked = validate::asked(call, &whole.lots);
    let mut given = BTreeMap::new();
    let mut faults = whole.in_plan().flat_map(|(_, own)| validate::part_faults("", &own.parts, &asked, &mut given));
    if faults.next().is_none() {
        return Ok(());
    }
    let detail =
        "members who have declared no capability deliver what the plan gives to others: write the plan by hand";
    Err(Problem::conflict(detail))
}
