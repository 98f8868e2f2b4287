//! How a bid is taken: whether there is time, whether it answers its call, and under which receipt it is sealed.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::seal::{DataKey, digest, salted};
use super::{BidContent, BidReceipt, BidState, store, validate};
use crate::calls::{self, Call, CallStatus};
use crate::database::clock;
use crate::problem::Problem;

/// A call that takes bids, and what time it is. Others that hand in, withdraw or open bids wait until this transaction ends.
pub async fn taking_bids(tx: &impl ConnectionTrait, id: Uuid) -> Result<(Call, DateTime<Utc>), Problem> {
    store::lock(tx, id).await?;
    let call = calls::store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    if call.value.status != CallStatus::Published {
        return Err(Problem::conflict("the call is not published, or closed: it takes no bids"));
    }
    let Some(due) = call.value.written.answers_due_at else {
        return Err(Problem::conflict("the call does not say until when it takes bids, and so takes none"));
    };
    // A clock that is set back does not reopen what has been opened.
    let opened = store::opening(tx, id).await?.is_some_and(|opening| opening.opened_at.is_some());
    let now = clock(tx).await?;
    if opened || now >= due {
        return Err(Problem::conflict(format!("bids were due at {due}, by the clock of the service")));
    }
    Ok((call, now))
}

/// Seals a bid of an organisation and keeps it in the place of the one that stands, if there is one. Four queries.
///
/// # Errors
/// All faults of the bid, where they stand in it.
pub async fn take_in(
    tx: &impl ConnectionTrait,
    key: &DataKey,
    call: &Call,
    received_at: DateTime<Utc>,
    bidder: Uuid,
    content: BidContent,
) -> Result<BidReceipt, Problem> {
    Problem::check(validate::faults(tx, &call.value.written, bidder, &content).await?)?;
    let sealed = salted(BidContent { organisation: Some(bidder), ..content })?;
    let receipt = BidReceipt {
        id: Uuid::now_v7(),
        call: call.id,
        call_version: call.version,
        organisation: bidder,
        state: BidState::Received,
        received_at,
        ended_at: None,
        digest: digest(&sealed)?,
    };
    store::insert(tx, &receipt, key.seal(&receipt, &sealed)?).await?;
    Ok(receipt)
}
