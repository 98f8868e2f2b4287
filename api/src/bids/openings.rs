//! `/v1/calls/{id}/openings`.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::{BidOpening, store};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::calls::{self, CallStatus};
use crate::consortia::machine::Event;
use crate::database::clock;
use crate::events::{EventType, News};
use crate::filing::follow::follow;
use crate::once::Once;
use crate::problem::Problem;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(open_bids);
}

/// Asks to open the bids of a call: when two different people have asked, they are opened.
///
/// Evaluators of the call and owners of its funder may ask, in person, after the deadline, unless they belong to a bidder. The
/// database's clock decides. Asking again changes nothing, and tells how far the opening is.
#[utoipa::path(tag = "bids", params(("id" = Uuid, Path, description = "Id of the call")),
    responses((status = 200, description = "Asked, or opened", body = BidOpening)))]
#[post("/calls/{id}/openings")]
pub(crate) async fn open_bids(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let (funder, opening, opened_now) = ask(tx, &caller, *id).await?;
        let recorded = Recorded::of("call", *id).concerning([funder]);
        let mut recorded = recorded.with(json!({ "opened": opening.opened_at.is_some() }));
        if opened_now {
            let bidders = store::standing(tx, *id).await?;
            recorded =
                recorded.telling(News::of(EventType::BidsOpened, "call", *id, bidders.into_iter().chain([funder])));
            recorded = follow(tx, *id, |_| Some(Event::Close), recorded).await?;
        }
        Ok((HttpResponse::Ok().json(opening), recorded))
    })
    .await
}

/// Asks; gives the funder of the call, how far the opening is, and whether the bids are open since now.
async fn ask(tx: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<(Uuid, BidOpening, bool), Problem> {
    let person = caller.person()?;
    store::lock(tx, id).await?;
    let call = calls::store::find_visible(tx, caller, id).await?.ok_or_else(Problem::not_found)?;
    let funder = call.value.written.funder;
    if !store::evaluates(tx, id, funder, person).await? {
        return Err(Problem::not_found());
    }
    let due = call.value.written.answers_due_at.filter(|_| call.value.status != CallStatus::Draft);
    let due =
        due.ok_or_else(|| Problem::conflict("the call is a draft or sets no deadline: it has no bids to open"))?;
    let now = clock(tx).await?;
    if now < due {
        return Err(Problem::conflict(format!("bids are due until {due}: before, nobody opens them")));
    }
    let asked = BidOpening { call: id, asked_by: person, asked_at: now, opened_by: None, opened_at: None };
    let opening = match store::opening(tx, id).await? {
        Some(before) if before.opened_at.is_some() || before.asked_by == person => return Ok((funder, before, false)),
        // Whoever asked first must still be one of those who may.
        Some(before) if store::evaluates(tx, id, funder, before.asked_by).await? => {
            BidOpening { opened_by: Some(person), opened_at: Some(now), ..before }
        }
        _ => asked,
    };
    store::keep_opening(tx, &opening).await?;
    let opened_now = opening.opened_at.is_some();
    Ok((funder, opening, opened_now))
}
