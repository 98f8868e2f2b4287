//! `/v1/calls`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use sea_orm::ConnectionTrait;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Call, CallKind, CallStatus, NewCall, store, validate};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::bids;
use crate::body::Body;
use crate::database::begin_read;
use crate::events::{EventType, News};
use crate::once::Once;
use crate::page::{Page, Pager};
use crate::problem::{Fault, Problem};
use crate::resource::{missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(list_calls)
        .service(create_call)
        .service(get_call)
        .service(replace_call)
        .service(delete_call)
        .service(publish_call)
        .service(close_call);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListCalls {
    /// Only of this funder.
    funder: Option<Uuid>,
    /// Only those that stand here.
    status: Option<CallStatus>,
    /// Only grants or only contracts.
    kind: Option<CallKind>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists calls, oldest first. Drafts are seen by their funder only.
#[utoipa::path(tag = "calls", params(ListCalls),
    responses((status = 200, description = "A page of calls", body = Page<Call>)))]
#[get("/calls")]
pub(crate) async fn list_calls(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<ListCalls>,
) -> Result<impl Responder, Problem> {
    let ListCalls { funder, status, kind, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let filter = store::Filter { funder, status, kind };
    let calls = store::page(&begin_read(&app.db).await?, &caller, &filter, &pager.slice(), pager.after_id()?).await?;
    pager.page(calls, |call: &Call| call.id.to_string())
}

/// Drafts a call.
#[utoipa::path(tag = "calls", request_body = NewCall,
    responses((status = 201, description = "Drafted", body = Call)))]
#[post("/calls")]
pub(crate) async fn create_call(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewCall>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let mut faults: Vec<Fault> = validate::faults(tx, &new).await?;
        faults.extend(caller.fault_of_owner(tx, "/funder", new.funder).await?);
        Problem::check(faults)?;
        let id = Uuid::now_v7();
        store::insert(tx, id, &new).await?;
        let call = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
        Ok((call.created("/v1/calls")?, recorded(&call).version(call.version)))
    })
    .await
}

/// Reads a call.
#[utoipa::path(tag = "calls", params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "The call", body = Call)))]
#[get("/calls/{id}")]
pub(crate) async fn get_call(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    store::find_visible(&db, &caller, *id).await?.ok_or_else(Problem::not_found)?.found()
}

/// Replaces the version of a draft named by `If-Match`.
#[utoipa::path(tag = "calls", request_body = NewCall,
    params(("id" = Uuid, Path, description = "Id of the call"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Call)))]
#[put("/calls/{id}")]
pub(crate) async fn replace_call(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewCall>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = own_call(&tx, &caller, *id).await?;
    draft_only(&before)?;
    let mut faults: Vec<Fault> = validate::faults(&tx, &new).await?;
    let known = !faults.iter().any(|fault| fault.pointer.as_deref() == Some("/funder"));
    if known && before.value.written.funder != new.funder {
        faults.push(Fault::at("/funder", "a call stays with its funder: draft another one there"));
    }
    Problem::check(faults)?;
    if !store::replace(&tx, *id, &new, version).await? {
        return Err(missed(true));
    }
    let call = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    tx.commit(recorded(&call).version(call.version)).await?;
    call.found()
}

/// Deletes a draft, with its runs.
#[utoipa::path(tag = "calls",
    params(("id" = Uuid, Path, description = "Id of the call"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/calls/{id}")]
pub(crate) async fn delete_call(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let before = own_call(&tx, &caller, *id).await?;
    draft_only(&before)?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(true));
    }
    tx.commit(recorded(&before)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn recorded(call: &Call) -> Recorded {
    Recorded::of("call", call.id).concerning([call.value.written.funder])
}

/// Publishes a draft: from then on it no longer changes.
#[utoipa::path(tag = "calls", params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "Published", body = Call)))]
#[post("/calls/{id}/publish")]
pub(crate) async fn publish_call(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| advance(tx, &caller, *id, CallStatus::Draft, CallStatus::Published).await).await
}

/// Closes a published call.
#[utoipa::path(tag = "calls", params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "Closed", body = Call)))]
#[post("/calls/{id}/close")]
pub(crate) async fn close_call(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| advance(tx, &caller, *id, CallStatus::Published, CallStatus::Closed).await).await
}

/// What everybody is told of a call; by mail its funder, and those whose bid stands.
async fn news(tx: &impl ConnectionTrait, call: &Call, kind: EventType) -> Result<News, Problem> {
    let bidders = bids::store::standing(tx, call.id).await?;
    Ok(News::of(kind, "call", call.id, bidders.into_iter().chain([call.value.written.funder])).to_everybody())
}

async fn advance(
    tx: &impl ConnectionTrait,
    caller: &Caller,
    id: Uuid,
    from: CallStatus,
    to: CallStatus,
) -> Result<(HttpResponse, Recorded), Problem> {
    own_call(tx, caller, id).await?;
    let moved = store::advance(tx, id, from, to).await?;
    let call = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    if !moved {
        let detail =
            format!("the call is {}: only a {} one can become {}", word(call.value.status), word(from), word(to));
        return Err(Problem::conflict(detail));
    }
    let kind = if to == CallStatus::Published { EventType::CallPublished } else { EventType::CallClosed };
    let news = news(tx, &call, kind).await?;
    Ok((call.found()?, recorded(&call).version(call.version).telling(news)))
}

/// A call that the caller may change. One that they may not even see is not there.
async fn own_call(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Call, Problem> {
    let call = store::find_visible(db, caller, id).await?.ok_or_else(Problem::not_found)?;
    caller.require(db, call.value.written.funder, Role::Editor).await?;
    Ok(call)
}

/// Refuses a call that is no longer a draft.
fn draft_only(call: &Call) -> Result<(), Problem> {
    match call.value.status {
        CallStatus::Draft => Ok(()),
        status => {
            Err(Problem::conflict(format!("the call is {}: only a draft can be changed or deleted", word(status))))
        }
    }
}

const fn word(status: CallStatus) -> &'static str {
    match status {
        CallStatus::Draft => "draft",
        CallStatus::Published => "published",
        CallStatus::Closed => "closed",
    }
}
