//! `/v1/calls`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post, put};
use sea_orm::ConnectionTrait;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{Call, CallKind, CallStatus, NewCall, store, validate};
use crate::app::App;
use crate::body::Body;
use crate::database::{begin_read, begin_write};
use crate::once::Once;
use crate::page::{Page, Pager};
use crate::problem::Problem;
use crate::resource::{missed, required_version};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
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

/// Lists calls, oldest first.
#[utoipa::path(tag = "calls", params(ListCalls),
    responses((status = 200, description = "A page of calls", body = Page<Call>)))]
#[get("/calls")]
async fn list_calls(app: Data<App>, request: HttpRequest, query: Query<ListCalls>) -> Result<impl Responder, Problem> {
    let ListCalls { funder, status, kind, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let filter = store::Filter { funder, status, kind };
    let calls = store::page(&begin_read(&app.db).await?, &filter, &pager.slice(), pager.after_id()?).await?;
    pager.page(calls, |call: &Call| call.id.to_string())
}

/// Drafts a call.
#[utoipa::path(tag = "calls", request_body = NewCall,
    responses((status = 201, description = "Drafted", body = Call)))]
#[post("/calls")]
async fn create_call(app: Data<App>, once: Once, Body(new): Body<NewCall>) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        Problem::check(validate::faults(tx, &new).await?)?;
        let id = Uuid::now_v7();
        store::insert(tx, id, &new).await?;
        let call = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
        Ok(call.created("/v1/calls"))
    })
    .await
}

/// Reads a call.
#[utoipa::path(tag = "calls", params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "The call", body = Call)))]
#[get("/calls/{id}")]
async fn get_call(app: Data<App>, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let call = store::find(&begin_read(&app.db).await?, *id).await?.ok_or_else(Problem::not_found)?;
    Ok(call.found())
}

/// Replaces the version of a draft named by `If-Match`.
#[utoipa::path(tag = "calls", request_body = NewCall,
    params(("id" = Uuid, Path, description = "Id of the call"),
        ("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "Replaced", body = Call)))]
#[put("/calls/{id}")]
async fn replace_call(
    app: Data<App>,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(new): Body<NewCall>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = begin_write(&app.db).await?;
    draft_only(&tx, *id).await?;
    Problem::check(validate::faults(&tx, &new).await?)?;
    if !store::replace(&tx, *id, &new, version).await? {
        return Err(missed(true));
    }
    let call = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(call.found())
}

/// Deletes a draft, with its runs.
#[utoipa::path(tag = "calls",
    params(("id" = Uuid, Path, description = "Id of the call"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/calls/{id}")]
async fn delete_call(app: Data<App>, request: HttpRequest, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = begin_write(&app.db).await?;
    draft_only(&tx, *id).await?;
    if !store::delete(&tx, *id, version).await? {
        return Err(missed(true));
    }
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Publishes a draft: from then on it no longer changes.
#[utoipa::path(tag = "calls", params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "Published", body = Call)))]
#[post("/calls/{id}/publish")]
async fn publish_call(app: Data<App>, once: Once, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| advance(tx, *id, CallStatus::Draft, CallStatus::Published).await).await
}

/// Closes a published call.
#[utoipa::path(tag = "calls", params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "Closed", body = Call)))]
#[post("/calls/{id}/close")]
async fn close_call(app: Data<App>, once: Once, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| advance(tx, *id, CallStatus::Published, CallStatus::Closed).await).await
}

async fn advance(
    tx: &impl ConnectionTrait,
    id: Uuid,
    from: CallStatus,
    to: CallStatus,
) -> Result<HttpResponse, Problem> {
    let moved = store::advance(tx, id, from, to).await?;
    let call = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    if !moved {
        let detail =
            format!("the call is {}: only a {} one can become {}", word(call.value.status), word(from), word(to));
        return Err(Problem::conflict(detail));
    }
    Ok(call.found())
}

/// Refuses a call that is no longer a draft.
async fn draft_only(db: &impl ConnectionTrait, id: Uuid) -> Result<(), Problem> {
    let call = store::find(db, id).await?.ok_or_else(Problem::not_found)?;
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
