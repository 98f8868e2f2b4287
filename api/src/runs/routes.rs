//! `/v1/calls/{id}/runs` and `/v1/runs`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use attelage_solver::portfolio::PortfolioAnswer;
use attelage_solver::{Proposal, Reply};
use serde_json::Value;
use uuid::Uuid;

use super::{Asked, JointRunOptions, Run, RunOptions, RunState, runner, store};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::body::Body;
use crate::calls;
use crate::once::Once;
use crate::page::{Page, Pager, Paging};
use crate::prefer;
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(start_run)
        .service(list_runs)
        .service(start_joint_run)
        .service(get_run)
        .service(list_proposals)
        .service(get_reply)
        .service(get_portfolio);
}

/// Starts a computation on the call and its market as they are now.
///
/// With `Prefer: wait=N` the answer comes when the run is over, or after N seconds (60 at most).
#[utoipa::path(tag = "runs", request_body = RunOptions,
    params(("id" = Uuid, Path, description = "Id of the call"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the end")),
    responses((status = 200, description = "Over", body = Run), (status = 202, description = "Under way; look again at `Location`", body = Run)))]
#[post("/calls/{id}/runs")]
pub(crate) async fn start_run(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
    Body(options): Body<RunOptions>,
) -> Result<HttpResponse, Problem> {
    started(&app, &caller, &request, runner::launch(&app, &caller, &once, *id, options).await?).await
}

/// Starts a computation on several calls at once: who should answer which, so that all together cost least.
///
/// Capacities are shared where contracts overlap. With `Prefer: wait=N` as for a run on one call.
#[utoipa::path(tag = "runs", request_body = JointRunOptions,
    params(("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the end")),
    responses((status = 200, description = "Over", body = Run), (status = 202, description = "Under way; look again at `Location`", body = Run)))]
#[post("/runs")]
pub(crate) async fn start_joint_run(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    Body(options): Body<JointRunOptions>,
) -> Result<HttpResponse, Problem> {
    started(&app, &caller, &request, runner::launch_jointly(&app, &caller, &once, options).await?).await
}

/// The answer to whoever started a run.
pub(crate) async fn started(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    id: Uuid,
) -> Result<HttpResponse, Problem> {
    let run = runner::wait(app, id, prefer::wait(request)).await?;
    saw(caller, id, run.organisation);
    let mut response = if runner::is_over(run.state) { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(response.insert_header((LOCATION, runner::path(run.id))).json(run))
}

/// Notes that somebody is shown a run, or a part of it.
fn saw(caller: &Caller, run: Uuid, organisation: Option<Uuid>) {
    caller.saw("run", run, organisation);
}

/// Lists the runs of a call that you or your organisation asked for, alone or with others, oldest first.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the call"), Paging),
    responses((status = 200, description = "A page of runs", body = Page<Run>)))]
#[get("/calls/{id}/runs")]
pub(crate) async fn list_runs(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    if calls::store::find_visible(&app.db, &caller, *id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let rows = store::page(&app.db, &caller, *id, &pager.slice(), pager.after_id()?).await?;
    let runs = store::views(&app.db, rows).await?;
    let page = pager.page(runs, |run: &Run| run.id.to_string())?;
    page.items().for_each(|run| saw(&caller, run.id, run.organisation));
    Ok(page)
}

/// Reads a run: where it stands, what it achieved, its proof.
#[utoipa::path(tag = "runs",
    params(("id" = Uuid, Path, description = "Id of the run"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the end")),
    responses((status = 200, description = "The run", body = Run)))]
#[get("/runs/{id}")]
pub(crate) async fn get_run(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    store::find_visible(&app.db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    let run = runner::wait(&app, *id, prefer::wait(&request)).await?;
    saw(&caller, run.id, run.organisation);
    Ok(HttpResponse::Ok().json(run))
}

/// Lists the proposals of a run, best first.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the run"), Paging),
    responses((status = 200, description = "A page of proposals", body = Page<Proposal>)))]
#[get("/runs/{id}/proposals")]
pub(crate) async fn list_proposals(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let run = store::find_visible(&app.db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    saw(&caller, run.id, run.organisation_id);
    let after = pager.slice().after.map(|rank| rank.parse::<i32>()).transpose();
    let after = after.map_err(|_| Problem::malformed(vec![Fault::parameter("cursor", "not of this list")]))?;
    let proposals = store::proposals(&app.db, *id, &pager.slice(), after).await?;
    pager.page(proposals, |proposal: &Proposal| proposal.rank.to_string())
}

/// Reads the reply of a run that asked another question than who should answer together.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the run")),
    responses((status = 200, description = "The reply, of the kind of the question", body = Reply)))]
#[get("/runs/{id}/reply")]
pub(crate) async fn get_reply(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let row = store::find_visible(&app.db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    if matches!(row.options, Asked::Jointly(_)) {
        return Err(Problem::conflict(format!("this run is on several calls: read it at /v1/runs/{id}/portfolio")));
    }
    saw(&caller, row.id, row.organisation_id);
    let elsewhere = format!("this run lists consortia: read them at /v1/runs/{id}/proposals");
    kept(row.reply, row.state, elsewhere)
}

/// Reads the answer of a run on several calls: who answers which, and what serving them one after the other would have cost.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the run")),
    responses((status = 200, description = "The calls with their consortia", body = PortfolioAnswer)))]
#[get("/runs/{id}/portfolio")]
pub(crate) async fn get_portfolio(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let row = store::find_visible(&app.db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    saw(&caller, row.id, row.organisation_id);
    let elsewhere = format!("this run is on one call: read it at /v1/runs/{id}/proposals or /v1/runs/{id}/reply");
    match row.options {
        Asked::Jointly(_) => kept(row.reply, row.state, elsewhere),
        Asked::Alone(_) => Err(Problem::conflict(elsewhere)),
    }
}

/// What a run has left in its reply; where it is over without one, `elsewhere` tells where to look.
fn kept(reply: Option<Value>, state: RunState, elsewhere: String) -> Result<HttpResponse, Problem> {
    match (reply, state) {
        (Some(reply), _) => Ok(HttpResponse::Ok().json(reply)),
        (None, RunState::Succeeded) => Err(Problem::conflict(elsewhere)),
        (None, RunState::Failed) => Err(Problem::conflict("this run has failed: it has no reply")),
        (None, RunState::Queued | RunState::Running) => Err(Problem::conflict("this run is not over yet")),
    }
}
