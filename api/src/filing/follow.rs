//! What becomes of consortia when their bids are opened, chosen or not.

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::store;
use crate::audit::Recorded;
use crate::consortia::acting::{Acting, call_of};
use crate::consortia::machine::Event;
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
