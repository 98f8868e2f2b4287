//! `/v1/consortia`.

use std::collections::BTreeSet;

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::acting::{Acting, call_of, own_sight, readable, seen};
use super::founding::{Start, answerable, check_parts, details, founded, start};
use super::machine::{Event, Happened, Invitation, Phase, Who};
use super::whole::Whole;
use super::{
    Consent, Consortium, ConsortiumPlan, ConsortiumSummary, NewConsortium, Part, Role, news, sight, store, validate,
};
use crate::access::{self, Caller, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::bids;
use crate::bids::seal::salt;
use crate::body::Body;
use crate::calls::problem::last_day;
use crate::database::{begin_read, clock};
use crate::filing;
use crate::once::Once;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};
use crate::resource::{etag, etagged, missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(create_consortium)
        .service(list_consortia)
        .service(get_consortium)
        .service(replace_consortium)
        .service(dissolve_consortium)
        .service(complete_consortium);
}

/// What a list of consortia may be narrowed by.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListConsortia {
    /// Of which call.
    call: Option<Uuid>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// As whom something is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadAs {
    /// As which of your organisations; the one that sees most where absent.
    pub(crate) organisation: Option<Uuid>,
}

/// Founds a consortium: by hand, from a proposal of a run of one's own, or with those who stay in a framework that one leads.
///
/// Nobody but those who are invited learns that it exists. Invitations are not told who else is asked.
#[utoipa::path(tag = "consortia", request_body = NewConsortium,
    responses((status = 201, description = "Founded", body = Consortium)))]
#[post("/consortia")]
pub(crate) async fn create_consortium(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewConsortium>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let lead = caller.acting(tx, "/organisation", new.organisation, access::Role::Editor).await?;
        let unnamed = || Problem::invalid(vec![Fault::at("/organisation", "say in whose name you found it")]);
        let lead = lead.ok_or_else(unnamed)?;
        let call = answerable(tx, &caller, new.call, lead).await?;
        let start = start(tx, &caller, &call, lead, &new).await?;
        let now = clock(tx).await?;
        let before = founded(&call, lead, &new)?;
        let (mut whole, mut happened) = (before.clone(), Vec::new());
        for (organisation, Start { role, parts }) in start {
            if organisation != lead {
                let days = new.days_to_answer;
                let event = Event::Invite(Invitation { organisation, days, alternate: false, replaces: None });
                whole.details.insert(organisation, details(role, Vec::new(), Consent::default())?);
                let (after, then) = whole.after(&event, Who::Organisation(lead), now)?;
                whole = after;
                happened.extend(then);
            }
            if let Some(own) = whole.details.get_mut(&organisation) {
                own.parts = parts;
            }
        }
        check_parts(&call.value.written, &whole, &new)?;
        store::insert(tx, &whole).await?;
        let view = seen(tx, &caller, &whole, lead).await?;
        let response = HttpResponse::Created()
            .insert_header((ETAG, etag(view.version)))
            .insert_header((LOCATION, format!("/v1/consortia/{}", whole.id)))
            .json(view);
        Ok((response, founding(&before, &whole, lead, &happened)))
    })
    .await
}

fn founding(before: &Whole, whole: &Whole, lead: Uuid, happened: &[Happened]) -> Recorded {
    let recorded = Recorded::of("consortium", whole.id).concerning([lead]).version(whole.version);
    news::of(before, whole, happened).into_iter().fold(recorded, Recorded::telling)
}

/// Lists the consortia that your organisations lead, belong to, or were invited to, oldest first.
#[utoipa::path(tag = "consortia", params(ListConsortia),
    responses((status = 200, description = "A page of consortia", body = Page<ConsortiumSummary>)))]
#[get("/consortia")]
pub(crate) async fn list_consortia(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<ListConsortia>,
) -> Result<impl Responder, Problem> {
    let ListConsortia { call, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let now = clock(&db).await?;
    let wanted = pager.slice().limit;
    let mut after = pager.after_id()?;
    let mut found: Vec<ConsortiumSummary> = Vec::new();
    // Where the caller only stands by, there is nothing to see: the page goes on behind it.
    loop {
        let wholes = store::page(&db, &caller, call, wanted, after).await?;
        let is_last = u64::try_from(wholes.len()).unwrap_or(u64::MAX) < wanted;
        after = wholes.last().map(|whole| whole.id);
        for whole in wholes {
            let (whole, _) = whole.at(now);
            let reader = own_sight(&db, &caller, &whole).await?;
            found.extend(reader.and_then(|reader| sight::summary(&whole, reader)));
        }
        if is_last || u64::try_from(found.len()).unwrap_or(u64::MAX) >= wanted {
            break;
        }
    }
    pager.page(found, |one: &ConsortiumSummary| one.id.to_string())
}

/// Reads a consortium, as far as one may.
///
/// Whoever is invited reads its own terms; members read each other's contacts and shares once both have accepted, and each other's
/// amounts where both share them.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium"), ReadAs),
    responses((status = 200, description = "The consortium", body = Consortium)))]
#[get("/consortia/{id}")]
pub(crate) async fn get_consortium(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    query: Query<ReadAs>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (whole, reader) = readable(&db, &caller, *id, query.organisation).await?;
    let view = seen(&db, &caller, &whole, reader).await?;
    Ok(etagged(view.version, &view))
}

/// Replaces the plan of the version named by `If-Match`: who does what, in which form. All signatures are void then, and whoever is
/// invited accepts its new terms.
#[utoipa::path(tag = "consortia", request_body = ConsortiumPlan,
    params(("id" = Uuid, Path, description = "Id of the consortium"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Consortium)))]
#[put("/consortia/{id}")]
pub(crate) async fn replace_consortium(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<ConsortiumPlan>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let mut acting = Acting::of_lead(&tx, &caller, *id).await?;
    if acting.version() != version {
        return Err(missed(true));
    }
    let call = call_of(&tx, &acting.whole).await?;
    Problem::check(validate::plan_faults(&call.value.written, &acting.whole, &new))?;
    let of = planned(&mut acting.whole, new)?;
    acting.done(&Event::Change { of })?;
    let recorded = acting.keep(&tx).await?;
    let answer = acting.answer(&tx, &caller).await?;
    tx.commit(recorded).await?;
    Ok(answer)
}

/// Writes a plan into a consortium; gives those whose own terms it changes.
fn planned(whole: &mut Whole, new: ConsortiumPlan) -> Result<BTreeSet<Uuid>, Problem> {
    let ConsortiumPlan { name, form, lots, coordination_cents, members } = new;
    // The form says for what each is liable.
    let mut changed: BTreeSet<Uuid> =
        if form == whole.form { BTreeSet::new() } else { whole.in_plan().map(|(id, _)| id).collect() };
    (whole.name, whole.form, whole.lots, whole.coordination_cents) = (name, form, lots, coordination_cents);
    for one in members {
        let leads = one.organisation == whole.state.lead;
        let Some(own) = whole.details.get_mut(&one.organisation) else { continue };
        let role = if leads { Role::GroupLead } else { one.role };
        let kept = |part: &Part| own.parts.iter().find(|old| old.need == part.need && old.quantity == part.quantity);
        let offers = one.parts.iter().any(|part| part.amount_cents.is_some());
        let parts: Vec<Part> = one
            .parts
            .iter()
            .map(|part| Part { amount_cents: part.amount_cents.or_else(|| kept(part)?.amount_cents), ..part.clone() })
            .collect();
        if own.role == role && own.parts == parts {
            continue;
        }
        // Amounts that the lead writes over a member's own are its offer: only those that it leaves alone stay secret.
        if offers && !leads {
            let all_offered = parts.iter().zip(&one.parts).all(|(_, written)| written.amount_cents.is_some());
            if own.own_prices && !all_offered {
                let detail = "this member has settled its own amounts: write all of them, or none";
                return Err(Problem::invalid(vec![Fault::at("/members", detail)]));
            }
            own.own_prices = false;
        }
        (own.role, own.parts, own.salt) = (role, parts, salt()?);
        changed.insert(one.organisation);
    }
    Ok(changed)
}

/// Dissolves a consortium, in the version named by `If-Match`. Its members, and those who were invited, are told.
///
/// Between candidacy and signature, and during the contract, only where the lead has become unable for reasons not its own. An answer that
/// is not decided on yet is withdrawn with it; once the bids are open, the funder is told.
#[utoipa::path(tag = "consortia",
    params(("id" = Uuid, Path, description = "Id of the consortium"), Dissolution,
        ("If-Match" = String, Header, description = "`ETag` of the version to dissolve")),
    responses((status = 204, description = "Dissolved")))]
#[delete("/consortia/{id}")]
pub(crate) async fn dissolve_consortium(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Dissolution>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    // The call comes before the consortium, wherever both are locked.
    let call = store::call_of(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    bids::store::lock(&tx, call).await?;
    let mut acting = Acting::of_lead(&tx, &caller, *id).await?;
    if acting.version() != version {
        return Err(missed(true));
    }
    let is_undecided = matches!(acting.whole.state.phase, Phase::Frozen | Phase::Negotiation);
    acting.done(&Event::Dissolve { unable: query.unable })?;
    let mut recorded = acting.keep(&tx).await?;
    if is_undecided {
        recorded = filing::follow::withdrawn(&tx, call, *id, acting.now, recorded).await?;
    }
    tx.commit(recorded).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends a consortium whose contract is fulfilled: from the day after its last one on, by the database's clock.
///
/// A contract that ends earlier does so between its parties, not here: a lead that has become unable dissolves the consortium.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium")),
    responses((status = 200, description = "Over", body = Consortium)))]
#[post("/consortia/{id}/complete")]
pub(crate) async fn complete_consortium(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let mut acting = Acting::of_lead(tx, &caller, *id).await?;
        acting.done(&Event::Complete)?;
        let call = call_of(tx, &acting.whole).await?;
        let last = last_day(&call.value.written);
        if last.is_none_or(|last| acting.now.date_naive() <= last) {
            let until = last.map_or_else(String::new, |last| format!(" until {last}"));
            return Err(Problem::conflict(format!("the contract runs{until}: it is fulfilled after that day")));
        }
        let recorded = acting.keep(tx).await?;
        Ok((acting.answer(tx, &caller).await?, recorded))
    })
    .await
}

/// Why a consortium is dissolved.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Dissolution {
    /// Whether the lead has become unable for reasons not its own.
    #[serde(default)]
    unable: bool,
}
