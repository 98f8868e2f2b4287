//! `/v1/calls/{id}/partner-suggestions` and the questions beside it, `/v1/organisations/{id}/matching-calls`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use uuid::Uuid;

use super::{
    AbsenceExplained, AbsenceQuestion, MatchingCall, PartnerSearch, PartnerSuggestions, TeamDraft, TeamReport, matching,
};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::body::Body;
use crate::calls::market::Market;
use crate::calls::window::Window;
use crate::database::{begin_read, now};
use crate::once::Once;
use crate::page::{Page, Pager, Paging};
use crate::problem::Problem;
use crate::runs::{Run, prompt};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(suggest_partners).service(check_team).service(explain_absence).service(list_matching_calls);
}

/// Suggests partners who complement a team, best first, each with what it would change.
///
/// A partner is worth what the best consortium gains by it: that is computed anew for each of the first, not guessed from likeness. Of
/// others than the one that asks, only what everybody may know counts; your own reservations count for you alone. It is a run, kept with
/// its reply; where it takes too long, the answer is the run.
#[utoipa::path(tag = "partners", request_body = PartnerSearch, params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "Partners, best first", body = PartnerSuggestions), (status = 202, description = "Under way; look again at `Location`", body = Run)))]
#[post("/calls/{id}/partner-suggestions")]
pub(crate) async fn suggest_partners(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
    Body(search): Body<PartnerSearch>,
) -> Result<HttpResponse, Problem> {
    prompt::answer(&app, &caller, &request, once, *id, search).await
}

/// Puts a team to the test: what it covers, which rules it keeps and breaks, who is not necessary, what is missing.
///
/// It is a run, kept with its reply; where it takes too long, the answer is the run.
#[utoipa::path(tag = "partners", request_body = TeamDraft, params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "What the team is worth", body = TeamReport), (status = 202, description = "Under way; look again at `Location`", body = Run)))]
#[post("/calls/{id}/team-checks")]
pub(crate) async fn check_team(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
    Body(team): Body<TeamDraft>,
) -> Result<HttpResponse, Problem> {
    prompt::answer(&app, &caller, &request, once, *id, team).await
}

/// Explains why an organisation is not proposed, as far as you may know, and what would have to change.
///
/// It is a run, kept with its reply; where it takes too long, the answer is the run.
#[utoipa::path(tag = "partners", request_body = AbsenceQuestion, params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "Why not", body = AbsenceExplained), (status = 202, description = "Under way; look again at `Location`", body = Run)))]
#[post("/calls/{id}/absences")]
pub(crate) async fn explain_absence(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
    Body(question): Body<AbsenceQuestion>,
) -> Result<HttpResponse, Problem> {
    prompt::answer(&app, &caller, &request, once, *id, question).await
}

/// Lists the calls that are open now and that an organisation could serve, oldest first, with how much of each it could deliver alone.
///
/// For its own members: it follows from its exact capacities.
#[utoipa::path(tag = "partners", params(("id" = Uuid, Path, description = "Id of the organisation"), Paging),
    responses((status = 200, description = "A page of calls", body = Page<MatchingCall>)))]
#[get("/organisations/{id}/matching-calls")]
pub(crate) async fn list_matching_calls(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    caller.require_inside(&db, *id, Role::Viewer).await?;
    let market = Market::load_around(&Window::new(&db, Some(*id)), &[*id]).await?;
    let limit = usize::try_from(pager.slice().limit).unwrap_or(usize::MAX);
    let calls = matching::page(&db, market, *id, now(), limit, pager.after_id()?).await?;
    let page = pager.page(calls, |matched: &MatchingCall| matched.call.to_string())?;
    page.items().for_each(|matched| caller.saw("matching_call", matched.call, Some(*id)));
    Ok(page)
}
