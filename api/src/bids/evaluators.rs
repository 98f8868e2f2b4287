//! `/v1/calls/{id}/evaluators`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, put};
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::{CallEvaluator, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::database::begin_read;
use crate::page::{Page, Pager, Paging};
use crate::problem::Problem;
use crate::{calls, identity};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_evaluators).service(get_evaluator).service(put_evaluator).service(delete_evaluator);
}

/// The funder of a call, for its owners alone: for others than its members it is as if nothing were there.
async fn funders_only(db: &impl ConnectionTrait, caller: &Caller, call: Uuid) -> Result<Uuid, Problem> {
    let call = calls::store::find_visible(db, caller, call).await?.ok_or_else(Problem::not_found)?;
    let funder = call.value.written.funder;
    caller.require_inside(db, funder, Role::Owner).await?;
    Ok(funder)
}

/// Says that it has changed who evaluates a call.
fn recorded(call: Uuid, funder: Uuid, person: Uuid) -> Recorded {
    Recorded::of("call", call).concerning([funder]).with(json!({ "evaluator": person }))
}

/// Lists the people whom a call names as its evaluators. The owners of the funder evaluate without being named.
#[utoipa::path(tag = "bids", params(("id" = Uuid, Path, description = "Id of the call"), Paging),
    responses((status = 200, description = "A page of evaluators", body = Page<CallEvaluator>)))]
#[get("/calls/{id}/evaluators")]
pub(crate) async fn list_evaluators(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let funder = funders_only(&db, &caller, *id).await?;
    let evaluators = store::evaluators(&db, *id, &pager.slice(), pager.after_id()?).await?;
    let page = pager.page(evaluators, |evaluator: &CallEvaluator| evaluator.person.to_string())?;
    page.items().for_each(|evaluator| caller.saw("evaluator", evaluator.person, Some(funder)));
    Ok(page)
}

/// Reads whether a call names somebody.
#[utoipa::path(tag = "bids",
    params(("id" = Uuid, Path, description = "Id of the call"), ("person" = Uuid, Path, description = "Id of the person")),
    responses((status = 200, description = "An evaluator", body = CallEvaluator)))]
#[get("/calls/{id}/evaluators/{person}")]
pub(crate) async fn get_evaluator(
    app: Data<App>,
    caller: Caller,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (call, person) = path.into_inner();
    let db = begin_read(&app.db).await?;
    let funder = funders_only(&db, &caller, call).await?;
    let evaluator = store::find_evaluator(&db, call, person).await?.ok_or_else(Problem::not_found)?;
    caller.saw("evaluator", person, Some(funder));
    Ok(HttpResponse::Ok().json(evaluator))
}

/// Names a person with an account, who may then open and read the bids of a call.
///
/// It has no effect for somebody who belongs to a bidder.
#[utoipa::path(tag = "bids",
    params(("id" = Uuid, Path, description = "Id of the call"), ("person" = Uuid, Path, description = "Id of the person")),
    responses((status = 200, description = "Named before", body = CallEvaluator),
        (status = 201, description = "Named", body = CallEvaluator)))]
#[put("/calls/{id}/evaluators/{person}")]
pub(crate) async fn put_evaluator(
    app: Data<App>,
    caller: Caller,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (call, person) = path.into_inner();
    let tx = app.log.begin(&caller).await?;
    let funder = funders_only(&tx, &caller, call).await?;
    identity::store::person(&tx, person).await?.ok_or_else(Problem::not_found)?;
    let is_new = store::insert_evaluator(&tx, call, person).await?;
    let evaluator = store::find_evaluator(&tx, call, person).await?.ok_or_else(Problem::not_found)?;
    tx.commit(recorded(call, funder, person)).await?;
    let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(evaluator))
}

/// Names a person no longer: at once they read no bids of the call.
#[utoipa::path(tag = "bids",
    params(("id" = Uuid, Path, description = "Id of the call"), ("person" = Uuid, Path, description = "Id of the person")),
    responses((status = 204, description = "No longer named")))]
#[delete("/calls/{id}/evaluators/{person}")]
pub(crate) async fn delete_evaluator(
    app: Data<App>,
    caller: Caller,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (call, person) = path.into_inner();
    let tx = app.log.begin(&caller).await?;
    let funder = funders_only(&tx, &caller, call).await?;
    if !store::delete_evaluator(&tx, call, person).await? {
        return Err(Problem::not_found());
    }
    tx.commit(recorded(call, funder, person)).await?;
    Ok(HttpResponse::NoContent().finish())
}
