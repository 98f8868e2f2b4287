//! `/v1/interests`.

use std::collections::BTreeSet;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Audience, Interest, NewInterest, news, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::calls::{self, CallStatus};
use crate::database::begin_read;
use crate::once::Once;
use crate::organisations;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};
use crate::resource::{missed, required_version};
use crate::visibility::Veil;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(list_interests)
        .service(create_interest)
        .service(get_interest)
        .service(replace_interest)
        .service(delete_interest);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListInterests {
    /// Only in this call.
    call: Option<Uuid>,
    /// Only of this organisation.
    organisation: Option<Uuid>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists the interests that you may know of, oldest first: your own, and those that are shown to you.
#[utoipa::path(tag = "partners", params(ListInterests),
    responses((status = 200, description = "A page of interests", body = Page<Interest>)))]
#[get("/interests")]
pub(crate) async fn list_interests(
    app: Data<App>,
    veil: Data<Veil>,
    caller: Caller,
    request: HttpRequest,
    query: Query<ListInterests>,
) -> Result<impl Responder, Problem> {
    let ListInterests { call, organisation, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let filter = store::Filter { call, organisation };
    let interests = store::page(&db, &caller, &filter, &pager.slice(), pager.after_id()?).await?;
    let own = caller.own_among(&db, interests.iter().map(|interest| interest.value.organisation)).await?;
    pager
        .page(interests, |interest: &Interest| interest.id.to_string())?
        .try_map(|interest| interest.seen(&veil, &caller, own.get(&interest.value.organisation).copied()))
}

/// Declares interest in a published call, to whom you choose. An organisation has one interest in a call.
#[utoipa::path(tag = "partners", request_body = NewInterest,
    responses((status = 201, description = "Declared", body = Interest)))]
#[post("/interests")]
pub(crate) async fn create_interest(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewInterest>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let mut faults = faults(tx, &caller, &new).await?;
        faults.extend(caller.fault_of_owner(tx, "/organisation", new.organisation).await?);
        Problem::check(faults)?;
        let id = Uuid::now_v7();
        store::insert(tx, id, &new).await?;
        let interest = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
        let recorded = recorded(tx, id, None, Some(&interest.value)).await?.version(interest.version);
        Ok((interest.created("/v1/interests")?, recorded))
    })
    .await
}

/// Reads an interest. For those whom it is not shown to, it is not there.
#[utoipa::path(tag = "partners", params(("id" = Uuid, Path, description = "Id of the interest")),
    responses((status = 200, description = "The interest", body = Interest)))]
#[get("/interests/{id}")]
pub(crate) async fn get_interest(
    app: Data<App>,
    veil: Data<Veil>,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let interest = store::find_visible(&db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    let own = caller.own_among(&db, [interest.value.organisation]).await?;
    interest.shown(&veil, &caller, own.first().copied())
}

/// Replaces the version of an interest named by `If-Match`.
#[utoipa::path(tag = "partners", request_body = NewInterest,
    params(("id" = Uuid, Path, description = "Id of the interest"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Interest)))]
#[put("/interests/{id}")]
pub(crate) async fn replace_interest(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewInterest>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = own_interest(&tx, &caller, *id).await?;
    let mut faults = faults(&tx, &caller, &new).await?;
    let stays = "an interest stays with its call and its organisation: declare another one there";
    for (pointer, moved) in
        [("/call", before.value.call != new.call), ("/organisation", before.value.organisation != new.organisation)]
    {
        faults.extend(moved.then(|| Fault::at(pointer, stays)));
    }
    Problem::check(faults)?;
    if !store::replace(&tx, *id, &new, version).await? {
        return Err(missed(true));
    }
    let interest = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    let recorded = recorded(&tx, *id, Some(&before.value), Some(&interest.value)).await?;
    tx.commit(recorded.version(interest.version)).await?;
    interest.found()
}

/// Withdraws an interest.
#[utoipa::path(tag = "partners",
    params(("id" = Uuid, Path, description = "Id of the interest"),
        ("If-Match" = String, Header, description = "`ETag` of the version to withdraw")),
    responses((status = 204, description = "Withdrawn")))]
#[delete("/interests/{id}")]
pub(crate) async fn delete_interest(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = own_interest(&tx, &caller, *id).await?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(true));
    }
    let recorded = recorded(&tx, *id, Some(&before.value), None).await?;
    tx.commit(recorded).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The log of nobody else tells of an interest: not that of the funder, nor of those whom it is shown to.
async fn recorded(
    db: &impl ConnectionTrait,
    id: Uuid,
    before: Option<&NewInterest>,
    after: Option<&NewInterest>,
) -> Result<Recorded, Problem> {
    let recorded = Recorded::of("interest", id);
    let Some(interest) = after.or(before) else { return Ok(recorded) };
    let funder = calls::store::funder(db, interest.call).await?.ok_or_else(Problem::not_found)?;
    Ok(news::told(recorded.concerning([interest.organisation]), id, funder, before, after))
}

/// An interest that the caller may change. One that they may not even see is not there.
async fn own_interest(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Interest, Problem> {
    let interest = store::find_visible(db, caller, id).await?.ok_or_else(Problem::not_found)?;
    caller.require(db, interest.value.organisation, Role::Editor).await?;
    Ok(interest)
}

/// All faults of an interest about to be written. Up to four queries.
async fn faults(db: &impl ConnectionTrait, caller: &Caller, new: &NewInterest) -> Result<Vec<Fault>, DbErr> {
    let mut faults = Vec::new();
    match calls::store::find_visible(db, caller, new.call).await? {
        None => faults.push(Fault::at("/call", "there is no such call")),
        Some(call) if call.value.status != CallStatus::Published => {
            faults.push(Fault::at("/call", "this call is not open: interest is in a published one"));
        }
        Some(call) => {
            let known: BTreeSet<&str> = call.value.written.lots.iter().map(|lot| lot.code.as_str()).collect();
            let mut seen = BTreeSet::new();
            for (position, code) in new.lots.iter().enumerate() {
                let at = format!("/lots/{position}");
                if !known.contains(code.as_str()) {
                    faults.push(Fault::at(at, format!("the call has no lot `{code}`")));
                } else if !seen.insert(code) {
                    faults.push(Fault::at(at, "this lot is there twice"));
                }
            }
        }
    }
    let chosen = new.audience == Audience::Chosen;
    if chosen && new.chosen.is_empty() {
        faults.push(Fault::at("/chosen", "say who shall learn of it, or choose another audience"));
    } else if !chosen && !new.chosen.is_empty() {
        faults.push(Fault::at("/chosen", "only the audience `chosen` names organisations"));
    }
    let named: Vec<Uuid> = new.chosen.iter().copied().chain([new.organisation]).collect();
    let known = organisations::store::existing(db, &named).await?;
    if !known.contains(&new.organisation) {
        faults.push(Fault::at("/organisation", "there is no such organisation"));
    }
    let mut seen = BTreeSet::new();
    for (position, id) in new.chosen.iter().enumerate() {
        let at = format!("/chosen/{position}");
        if !known.contains(id) {
            faults.push(Fault::at(at, "there is no such organisation"));
        } else if *id == new.organisation {
            faults.push(Fault::at(at, "this is the organisation itself"));
        } else if !seen.insert(id) {
            faults.push(Fault::at(at, "this organisation is there twice"));
        }
    }
    Ok(faults)
}
