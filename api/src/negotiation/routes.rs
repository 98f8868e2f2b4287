//! `/v1/bids/{id}/change-requests` and `/v1/bids/{id}/revisions`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::{ChangeRequest, NewChangeRequest, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::bids::entity::Model as BidRow;
use crate::bids::{self, BidContent, BidReceipt, BidState};
use crate::body::Body;
use crate::calls::{self, Call};
use crate::database::{begin_read, clock};
use crate::decisions;
use crate::events::{EventType, News};
use crate::filing;
use crate::once::{self, Once};
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(ask_changes).service(list_change_requests).service(create_bid_revision);
}

/// Asks the bidder to change an opened bid, until a deadline.
///
/// For evaluators and the owners of the funder, in person, before a decision, where the call says that the procedure is
/// negotiated: otherwise bids stay as they were opened.
#[utoipa::path(tag = "decisions", request_body = NewChangeRequest, params(("id" = Uuid, Path, description = "Id of the bid")),
    responses((status = 201, description = "Asked", body = ChangeRequest)))]
#[post("/bids/{id}/change-requests")]
pub(crate) async fn ask_changes(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewChangeRequest>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let asked_by = caller.person()?;
        let bid = bids::store::find(tx, *id).await?.ok_or_else(Problem::not_found)?;
        bids::store::lock(tx, bid.call_id).await?;
        let (call, _) = bids::reading::evaluated(tx, &caller, bid.call_id).await?;
        let bid = bids::store::find(tx, *id).await?.ok_or_else(Problem::not_found)?;
        let asked_at = clock(tx).await?;
        may_change(tx, &call, &bid).await?;
        if store::open(tx, *id).await?.is_some_and(|open| open.due_at > asked_at) {
            return Err(Problem::conflict("this bid has a change request that waits for its answer"));
        }
        if new.due_at <= asked_at {
            return Err(Problem::invalid(vec![Fault::at("/due_at", "the bidder needs time to answer")]));
        }
        let request = ChangeRequest {
            id: Uuid::now_v7(),
            bid: *id,
            call: call.id,
            asked_by,
            asked_at,
            due_at: new.due_at,
            text: new.text.clone(),
            answered_by: None,
            answered_at: None,
        };
        store::insert(tx, bid.organisation_id, &request).await?;
        let told = News::of(EventType::AnswerChangesRequested, "bid", *id, [bid.organisation_id]);
        let told = told.with(json!({ "call": call.id, "change_request": request.id }));
        let concerned = [call.value.written.funder, bid.organisation_id];
        let recorded = Recorded::of("change_request", request.id).concerning(concerned).telling(told);
        Ok((HttpResponse::Created().json(request), recorded))
    })
    .await
}

/// Refuses what the procedure, the bid or a decision does not allow any more.
async fn may_change(db: &impl ConnectionTrait, call: &Call, bid: &BidRow) -> Result<(), Problem> {
    if !calls::is_negotiated(&call.value.written) {
        let detail = "this call is decided on without negotiation: bids stay as they were opened";
        return Err(Problem::conflict(detail));
    }
    if bid.state != BidState::Received {
        return Err(Problem::conflict("this bid has been replaced or withdrawn"));
    }
    if decisions::store::latest(db, call.id).await?.is_some() {
        return Err(Problem::conflict("a decision has been recorded: bids do not change any more"));
    }
    Ok(())
}

/// Lists what was asked of a bidder on the call of a bid, oldest first. Those who read the bid read this.
#[utoipa::path(tag = "decisions", params(("id" = Uuid, Path, description = "Id of the bid"), Paging),
    responses((status = 200, description = "A page of change requests", body = Page<ChangeRequest>)))]
#[get("/bids/{id}/change-requests")]
pub(crate) async fn list_change_requests(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let (call, bid) = bids::reading::read(&db, &app, &caller, *id).await?;
    let bidder = bid.receipt.organisation;
    let after = pager.after_id()?;
    let asked = store::page(&db, call.id, bidder, &pager.slice(), after).await?;
    let page = pager.page(asked, |own: &ChangeRequest| own.id.to_string())?;
    page.items().for_each(|own| caller.saw("change_request", own.id, Some(bidder)));
    Ok(page)
}

/// Answers a change request with a new bid, in the place of the one that it is about.
///
/// Until its deadline, by the database's clock. Evaluators read the new bid at once; the earlier one is kept.
#[utoipa::path(tag = "decisions", request_body = BidContent, params(("id" = Uuid, Path, description = "Id of the bid that was to change")),
    responses((status = 201, description = "Received", body = BidReceipt)))]
#[post("/bids/{id}/revisions")]
pub(crate) async fn create_bid_revision(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<BidContent>,
) -> Result<HttpResponse, Problem> {
    let bid = bids::store::find(&app.db, *id).await?.ok_or_else(Problem::not_found)?;
    caller.require_inside(&app.db, bid.organisation_id, Role::Editor).await?;
    let key = bids::keys::of_call(&app.log, &caller, &app.sealing, bid.call_id).await?;
    once::blind(&request, |digest| key.blind(digest))?;
    once.write(&app, async |tx| {
        bids::store::lock(tx, bid.call_id).await?;
        let (call, asked, now) = waiting(tx, *id).await?;
        if filing::store::of_bid(tx, *id).await?.is_some() {
            return Err(Problem::conflict(
                "a consortium has filed this bid: all sign its new version, and its lead files it",
            ));
        }
        if new.organisation.is_some_and(|named| named != bid.organisation_id) {
            return Err(Problem::invalid(vec![Fault::at("/organisation", "the bidder stays the same")]));
        }
        let receipt = bids::intake::take_in(tx, &key, &call, now, bid.organisation_id, new).await?;
        store::answer(tx, asked.id, receipt.id, now).await?;
        let place = format!("/v1/bids/{}", receipt.id);
        let told =
            News::of(EventType::BidReceived, "bid", receipt.id, [bid.organisation_id, call.value.written.funder]);
        let told = told.with(json!({ "call": call.id, "change_request": asked.id }));
        let recorded = Recorded::of("bid", receipt.id).concerning([bid.organisation_id]).telling(told);
        Ok((HttpResponse::Created().insert_header((LOCATION, place)).json(receipt), recorded))
    })
    .await
}

/// What waits for a new version of a bid, with its call and what time it is.
///
/// # Errors
/// 409 where nothing waits, or no longer.
pub(crate) async fn waiting(
    tx: &impl ConnectionTrait,
    id: Uuid,
) -> Result<(Call, ChangeRequest, DateTime<Utc>), Problem> {
    let bid = bids::store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    let call = calls::store::find(tx, bid.call_id).await?.ok_or_else(Problem::not_found)?;
    let now = clock(tx).await?;
    let asked = store::open(tx, id).await?;
    let asked = asked.ok_or_else(|| Problem::conflict("nobody has asked for changes in this bid"))?;
    if now >= asked.due_at {
        return Err(Problem::conflict(format!("changes were due at {}, by the clock of the service", asked.due_at)));
    }
    may_change(tx, &call, &bid).await?;
    Ok((call, asked, now))
}
