//! `/v1/calls/{id}/bids` and `/v1/bids`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post};
use serde_json::json;
use uuid::Uuid;

use super::{Bid, BidContent, BidReceipt, intake, keys, reading, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::calls::{self, CallStatus};
use crate::database::begin_read;
use crate::events::{EventType, News};
use crate::filing;
use crate::once::{self, Once};
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(create_bid).service(list_bids).service(get_bid).service(withdraw_bid);
}

/// Hands in a bid, in the place of an earlier one of the same organisation.
///
/// It is sealed until two evaluators open the bids of the call together, after the deadline: before, nobody else learns that it exists.
/// The database's clock decides. Keep the receipt: its digest shows later that the bid was not changed.
#[utoipa::path(tag = "bids", request_body = BidContent, params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 201, description = "Received", body = BidReceipt)))]
#[post("/calls/{id}/bids")]
pub(crate) async fn create_bid(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<BidContent>,
) -> Result<HttpResponse, Problem> {
    let call = calls::store::find_visible(&app.db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    if call.value.status == CallStatus::Draft {
        return Err(Problem::conflict("the call is a draft: it takes bids once it is published"));
    }
    let key = keys::of_call(&app.log, &caller, &app.sealing, *id).await?;
    once::blind(&request, |digest| key.blind(digest))?;
    once.write(&app, async |tx| {
        let (call, received_at) = intake::taking_bids(tx, *id).await?;
        let bidder = caller.acting(tx, "/organisation", new.organisation, Role::Editor).await?;
        let unnamed = || Problem::invalid(vec![Fault::at("/organisation", "say in whose name the bid is")]);
        let bidder = bidder.ok_or_else(unnamed)?;
        if filing::store::holds(tx, *id, bidder).await? {
            return Err(Problem::conflict("a consortium has filed this bid: take it back there first"));
        }
        let receipt = intake::take_in(tx, &key, &call, received_at, bidder, new).await?;
        let place = format!("/v1/bids/{}", receipt.id);
        let news = news(EventType::BidReceived, receipt.id, *id, bidder);
        let recorded = Recorded::of("bid", receipt.id).concerning([bidder]).telling(news);
        Ok((HttpResponse::Created().insert_header((LOCATION, place)).json(receipt), recorded))
    })
    .await
}

/// What a bidder is told of its bid, and nobody else.
fn news(kind: EventType, bid: Uuid, call: Uuid, bidder: Uuid) -> News {
    News::of(kind, "bid", bid, [bidder]).with(json!({ "call": call }))
}

/// Lists the bids on a call that the caller may read, oldest first.
///
/// These are those of their own organisations, with those that were replaced or withdrawn; and after the opening, for those who
/// evaluate the call, all that stand.
#[utoipa::path(tag = "bids", params(("id" = Uuid, Path, description = "Id of the call"), Paging),
    responses((status = 200, description = "A page of bids", body = Page<Bid>)))]
#[get("/calls/{id}/bids")]
pub(crate) async fn list_bids(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let call = calls::store::find_visible(&db, &caller, *id).await?.ok_or_else(Problem::not_found)?;
    let all = reading::reads_all(&db, &caller, &call).await?;
    let rows = store::page(&db, &caller, all, *id, &pager.slice(), pager.after_id()?).await?;
    let key = keys::find(&db, &app.sealing, *id).await?;
    let bids = rows.into_iter().map(|row| store::view(row, key.as_ref())).collect();
    let page = pager.page(bids, |bid: &Bid| bid.receipt.id.to_string())?;
    page.items().for_each(|bid| caller.saw("bid", bid.receipt.id, Some(bid.receipt.organisation)));
    Ok(page)
}

/// Reads a bid: one's own, or one that has been opened.
#[utoipa::path(tag = "bids", params(("id" = Uuid, Path, description = "Id of the bid")),
    responses((status = 200, description = "The bid", body = Bid)))]
#[get("/bids/{id}")]
pub(crate) async fn get_bid(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (_, bid) = reading::read(&db, &app, &caller, *id).await?;
    caller.saw("bid", bid.receipt.id, Some(bid.receipt.organisation));
    Ok(HttpResponse::Ok().json(bid))
}

/// Withdraws a bid, before the deadline.
#[utoipa::path(tag = "bids", params(("id" = Uuid, Path, description = "Id of the bid")),
    responses((status = 204, description = "Withdrawn")))]
#[delete("/bids/{id}")]
pub(crate) async fn withdraw_bid(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let tx = app.log.begin(&caller).await?;
    let bid = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    caller.require_inside(&tx, bid.organisation_id, Role::Editor).await?;
    let (_, now) = intake::taking_bids(&tx, bid.call_id).await?;
    if filing::store::of_bid(&tx, *id).await?.is_some() {
        return Err(Problem::conflict("a consortium has filed this bid: take it back there"));
    }
    if !store::withdraw(&tx, *id, now).await? {
        return Err(Problem::conflict("this bid has been replaced or withdrawn already"));
    }
    let news = news(EventType::BidWithdrawn, *id, bid.call_id, bid.organisation_id);
    tx.commit(Recorded::of("bid", *id).concerning([bid.organisation_id]).telling(news)).await?;
    Ok(HttpResponse::NoContent().finish())
}
