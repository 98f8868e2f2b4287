//! `/v1/bids/{id}/answer`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, get};
use attelage_documents::AnswerDocument;
use uuid::Uuid;

use super::assemble::{Setting, assemble};
use super::format::{Format, Wanted, shown};
use super::store;
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::bids;
use crate::database::begin_read;
use crate::problem::Problem;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(get_bid_answer);
}

/// Reads a bid as a document: who does what, where, when and for how much, with names in the place of ids.
///
/// For programs as JSON; for people, in French, as tagged PDF or as DOCX. Those who read the bid read this.
#[utoipa::path(tag = "bids", params(("id" = Uuid, Path, description = "Id of the bid"), Wanted),
    responses((status = 200, description = "The answer", headers(("Content-Disposition" = String, description = "A name to keep it by")),
        content((AnswerDocument = "application/json"), (String = "application/pdf"),
            (String = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")))))]
#[get("/bids/{id}/answer")]
pub(crate) async fn get_bid_answer(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (call, bid) = bids::reading::read(&db, &app, &caller, *id).await?;
    let sealed =
        bid.sealed.ok_or_else(|| Problem::conflict("the seal of this bid is broken: nothing of it is shown"))?;
    let members = sealed.content.members.iter().map(|member| member.organisation);
    let names = store::names(&db, &call.value.written, members).await?;
    caller.saw("bid", bid.receipt.id, Some(bid.receipt.organisation));
    db.commit().await?;
    let setting = Setting { digest: Some(bid.receipt.digest), ..Setting::default() };
    let answer = assemble(&call, &sealed.content, setting, &names);
    shown(Format::of(&request, &wanted), answer, &format!("reponse-{}", *id)).await
}
