//! `/v1/calls/{id}/runs` and `/v1/runs`.

use std::time::Duration;

use actix_web::http::header::{HeaderName, LOCATION};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use attelage_solver::{Proposal, Reply};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{Run, RunOptions, RunState, runner, store};
use crate::app::App;
use crate::body::Body;
use crate::calls;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const LONGEST_WAIT: u64 = 60;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(start_run).service(list_runs).service(get_run).service(list_proposals).service(get_reply);
}

/// Starts a computation on the call and its market as they are now.
///
/// With `Prefer: wait=N` the answer comes when the run is over, or after N seconds (60 at most).
#[utoipa::path(tag = "runs", request_body = RunOptions,
    params(("id" = Uuid, Path, description = "Id of the call"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the end")),
    responses((status = 200, description = "Over", body = Run), (status = 202, description = "Under way; look again at `Location`", body = Run)))]
#[post("/calls/{id}/runs")]
async fn start_run(
    app: Data<App>,
    request: HttpRequest,
    id: Path<Uuid>,
    Body(options): Body<RunOptions>,
) -> Result<HttpResponse, Problem> {
    let row = runner::launch(&app, *id, options).await?;
    let run = runner::wait(&app, row.id, preferred_wait(&request)).await?;
    let mut response = if runner::is_over(run.state) { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(response.insert_header((LOCATION, format!("/v1/runs/{}", run.id))).json(run))
}

/// Lists the runs of a call, oldest first.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the call"), Paging),
    responses((status = 200, description = "A page of runs", body = Page<Run>)))]
#[get("/calls/{id}/runs")]
async fn list_runs(
    app: Data<App>,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    if calls::store::find(&app.db, *id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let rows = store::page(&app.db, *id, &pager.slice(), pager.after_id()?).await?;
    let runs = rows.into_iter().map(store::view).collect::<Result<Vec<Run>, _>>()?;
    pager.page(runs, |run: &Run| run.id.to_string())
}

/// Reads a run: where it stands, what it achieved, its proof.
#[utoipa::path(tag = "runs",
    params(("id" = Uuid, Path, description = "Id of the run"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the end")),
    responses((status = 200, description = "The run", body = Run)))]
#[get("/runs/{id}")]
async fn get_run(app: Data<App>, request: HttpRequest, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let run = runner::wait(&app, *id, preferred_wait(&request)).await?;
    Ok(HttpResponse::Ok().json(run))
}

/// Lists the proposals of a run, best first.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the run"), Paging),
    responses((status = 200, description = "A page of proposals", body = Page<Proposal>)))]
#[get("/runs/{id}/proposals")]
async fn list_proposals(
    app: Data<App>,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    if store::find(&app.db, *id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let after = pager.slice().after.map(|rank| rank.parse::<i32>()).transpose();
    let after = after.map_err(|_| Problem::malformed(vec![Fault::parameter("cursor", "not of this list")]))?;
    let proposals = store::proposals(&app.db, *id, &pager.slice(), after).await?;
    pager.page(proposals, |proposal: &Proposal| proposal.rank.to_string())
}

/// Reads the reply of a run that asked another question than who should answer together.
#[utoipa::path(tag = "runs", params(("id" = Uuid, Path, description = "Id of the run")),
    responses((status = 200, description = "The reply, of the kind of the question", body = Reply)))]
#[get("/runs/{id}/reply")]
async fn get_reply(app: Data<App>, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let row = store::find(&app.db, *id).await?.ok_or_else(Problem::not_found)?;
    match (row.reply, row.state) {
        (Some(reply), _) => Ok(HttpResponse::Ok().json(reply)),
        (None, RunState::Succeeded) => {
            Err(Problem::conflict(format!("this run lists consortia: read them at /v1/runs/{id}/proposals")))
        }
        (None, RunState::Failed) => Err(Problem::conflict("this run has failed: it has no reply")),
        (None, RunState::Queued | RunState::Running) => Err(Problem::conflict("this run is not over yet")),
    }
}

/// Seconds that the caller is ready to wait (RFC 7240); an unreadable preference is no preference.
fn preferred_wait(request: &HttpRequest) -> Duration {
    let headers = request.headers().get_all(PREFER).filter_map(|value| value.to_str().ok());
    let wait = headers
        .flat_map(|value| value.split(','))
        .find_map(|preference| preference.trim().strip_prefix("wait=")?.parse::<u64>().ok());
    Duration::from_secs(wait.unwrap_or(0).min(LONGEST_WAIT))
}
