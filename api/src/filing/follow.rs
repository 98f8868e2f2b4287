//! What becomes of consortia when their bids are opened, chosen or not.

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::store;
use crate::audit::Recorded;
use crate::consortia::acting::Acting;
use crate::consortia::machine::Event;
use crate::problem::Problem;

/// Has something happen to the consortia whose bids on a call stand, by bid; the call is locked. Gives `recorded` with the news of it. One
/// that it cannot happen to stays as it is: it is further on already. Some ten queries for each.
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
        }
    }
    Ok(recorded)
}
