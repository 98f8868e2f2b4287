//! What becomes of consortia when their bids are opened, chosen or not, and of the bid of one that is no more.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;
use uuid::Uuid;

use super::store;
use crate::audit::Recorded;
use crate::bids;
use crate::calls;
use crate::consortia::acting::{Acting, call_of};
use crate::consortia::machine::Event;
use crate::events::{EventType, News};
use crate::negotiation;
use crate::problem::Problem;
use crate::relations::history;

/// Has something happen to the consortia whose bids on a call stand, by bid; the call is locked. Gives `recorded` with the news of it. One
/// that it cannot happen to stays as it is: it is further on already. Members whose answer is chosen are related from then on. Some ten
/// queries for each, and one for each two members of one that is chosen.
///
/// # Errors
/// The database's.
pub async fn follow(
    tx: &impl ConnectionTrait,
    call: Uuid,
    event: impl Fn(Uuid) -> Option<Event>,
    recorded: Recorded,
) -> Result<Recorded, Problem> {
    let mut recorded = recorded;
    for filed in store::of_call(tx, call).await? {
        let Some(event) = event(filed.bid_id) else { continue };
        let mut acting = Acting::of_service(tx, filed.consortium_id).await?;
        if acting.done(&event).is_ok() {
            recorded = recorded.telling_too(acting.keep(tx).await?);
            if event == Event::Award {
                let call = call_of(tx, &acting.whole).await?;
                let won = history::won(tx, &acting.whole, &call, acting.now.date_naive()).await?;
                recorded = won.into_iter().fold(recorded, Recorded::also);
            }
        }
    }
    Ok(recorded)
}

/// Withdraws the bid of a consortium that is no more, after the deadline and before a decision is told; the call is locked. Changes that
/// were asked for in it are not waited for any longer. Before the opening nobody but the bidder knows that there was a bid: the funder is
/// told after it only. Gives `recorded` with the news of it. Six queries.
///
/// # Errors
/// The database's.
pub async fn withdrawn(
    tx: &impl ConnectionTrait,
    call: Uuid,
    consortium: Uuid,
    at: DateTime<Utc>,
    recorded: Recorded,
) -> Result<Recorded, DbErr> {
    let Some(bid) = store::standing(tx, consortium).await? else { return Ok(recorded) };
    bids::store::withdraw(tx, bid.id, at).await?;
    negotiation::store::drop(tx, bid.id).await?;
    let is_open = bids::reading::is_opened(tx, call).await?;
    let funder = if is_open { calls::store::funder(tx, call).await? } else { None };
    let told =
        News::of(EventType::BidWithdrawn, "bid", bid.id, [Some(bid.organisation_id), funder].into_iter().flatten());
    let entry = Recorded::of("bid", bid.id).concerning([bid.organisation_id]);
    Ok(recorded.telling(told.with(json!({ "call": call, "consortium": consortium }))).also(entry))
}
