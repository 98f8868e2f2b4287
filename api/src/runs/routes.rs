//! `/v1/calls/{id}/runs` and `/v1/runs`.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post};
use attelage_solver::portfolio::PortfolioAnswer;
use attelage_solver::{Proposal, Reply};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Asked, JointRunOptions, Run, RunOptions, RunState, RunSummary, cancel, follow, runner, store};
use crate::access::guard::{Pass, look_again};
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
        .service(get_portfolio)
        .service(cancel_run)
        .service(follow_run)
        .service(list_all_runs);
}

/// How long a cancellation waits for its effect.
const UNTIL_CANCELLED: Duration = Duration::from_secs(2);

/// Starts a computation on the call and its market as they are now.
///
/// What your organisation has asked before on equal data is not computed again: the answer is the run of then, while it is not over, and for
/// a day where its result is proven. Where more time could give a better result, another run is started; one with another time limit always is.
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
/// Capacities are shared where contracts overlap. Equal questions are computed once, as those on one call. With `Prefer: wait=N` as for a run on one call.
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
    let run = waited(app, request, id).await?;
    saw(caller, id, run.organisation);
    let mut response = if run.state.is_over() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(response.insert_header((LOCATION, runner::path(run.id))).json(run))
}

/// A run, once it is over or the caller has waited enough.
async fn waited(app: &App, request: &HttpRequest, id: Uuid) -> Result<Run, Problem> {
    let wait = prefer::wait(request);
    let run = follow::wait(app, id, wait).await?;
    if !wait.is_zero() {
        look_again(app, request).await?;
    }
    Ok(run)
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
    let run = waited(&app, &request, *id).await?;
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
        (None, RunState::Cancelled) => Err(Problem::conflict("this run was cancelled before it had a reply")),
        (None, RunState::Queued | RunState::Running) => Err(Problem::conflict("this run is not over yet")),
    }
}

/// Cancels a run: one that waits at once, one that is being computed within moments. What was found until then is kept; a run that is over
/// stays as it is.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the run")),
    responses((status = 200, description = "Over", body = Run), (status = 202, description = "Is being ended; look again", body = Run)))]
#[delete("/runs/{id}")]
pub(crate) async fn cancel_run(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    cancel::cancel(&app, &caller, *id).await?;
    let run = follow::wait(&app, *id, UNTIL_CANCELLED).await?;
    saw(&caller, run.id, run.organisation);
    Ok(if run.state.is_over() { HttpResponse::Ok() } else { HttpResponse::Accepted() }.json(run))
}

/// Follows a run, as server-sent events: `run` with the whole of it now and each time it changes, `end` with its last state.
///
/// The stream ends with the run, and where you may no longer see it. Comments keep it open. Begin again where it breaks off: the first event
/// says where the run stands.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the run")),
    responses((status = 200, description = "Events, the data of each a run in JSON", content_type = "text/event-stream", body = String)))]
#[get("/runs/{id}/events")]
pub(crate) async fn follow_run(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let run = store::find_visible(&app.db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    let place = app.followers.enter(&caller.name())?;
    saw(&caller, run.id, run.organisation_id);
    let events = follow::events(app.get_ref().clone(), Pass::of(&request)?, run.id, place);
    // Proxies that gather what they pass on would keep the events back.
    let head = ("x-accel-buffering", "no");
    Ok(HttpResponse::Ok().content_type("text/event-stream").insert_header(head).streaming(events))
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunFilter {
    /// Only those in this state: `failed` lists what was given up.
    state: Option<RunState>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists the runs of everybody, oldest first: not who asked, nor what.
#[utoipa::path(tag = "runs", params(RunFilter), responses((status = 200, description = "A page of runs", body = Page<RunSummary>)))]
#[get("/runs")]
pub(crate) async fn list_all_runs(
    app: Data<App>,
    request: HttpRequest,
    query: Query<RunFilter>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let runs = store::page_in(&app.db, query.state, &pager.slice(), pager.after_id()?).await?;
    pager.page(runs, |run: &RunSummary| run.id.to_string())
}
