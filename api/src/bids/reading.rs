//! Who reads bids, and how.

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Bid, keys, store};
use crate::access::Caller;
use crate::app::App;
use crate::calls::{self, Call};
use crate::problem::Problem;

/// Whether somebody reads the bids of a call because they have been opened to them. Three queries at most.
pub(super) async fn reads_all(db: &impl ConnectionTrait, caller: &Caller, call: &Call) -> Result<bool, DbErr> {
    let Ok(person) = caller.person() else { return Ok(false) };
    if !is_opened(db, call.id).await? {
        return Ok(false);
    }
    store::evaluates(db, call.id, call.value.written.funder, person).await
}

/// Whether the bids of a call have been opened. One query.
pub(crate) async fn is_opened(db: &impl ConnectionTrait, call: Uuid) -> Result<bool, DbErr> {
    Ok(store::opening(db, call).await?.is_some_and(|opening| opening.opened_at.is_some()))
}

/// A bid with its call, if the caller may read it: one's own, or one that has been opened. Up to eight queries.
///
/// # Errors
/// 404 where they may not.
pub async fn read(db: &impl ConnectionTrait, app: &App, caller: &Caller, id: Uuid) -> Result<(Call, Bid), Problem> {
    let row = store::find(db, id).await?.ok_or_else(Problem::not_found)?;
    let call = calls::store::find(db, row.call_id).await?.ok_or_else(Problem::not_found)?;
    let all = reads_all(db, caller, &call).await?;
    let row = store::find_readable(db, caller, all, id).await?.ok_or_else(Problem::not_found)?;
    let key = keys::find(db, &app.sealing, call.id).await?;
    Ok((call, store::view(row, key.as_ref())))
}

/// A call whose opened bids somebody evaluates, in person; who they are.
///
/// # Errors
/// 403 for keys, 404 for those who do not evaluate it, 409 before the opening.
pub async fn evaluated(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<(Call, Uuid), Problem> {
    let call = calls::store::find_visible(db, caller, id).await?.ok_or_else(Problem::not_found)?;
    let person = caller.person()?;
    if !store::evaluates(db, id, call.value.written.funder, person).await? {
        return Err(Problem::not_found());
    }
    if !is_opened(db, id).await? {
        return Err(Problem::conflict("the bids of this call are not open: two people open them after the deadline"));
    }
    Ok((call, person))
}

/// The bids of a call that stand, by id. Two queries.
///
/// # Errors
/// The installation's key.
pub async fn standing(db: &impl ConnectionTrait, app: &App, call: Uuid) -> Result<Vec<Bid>, Problem> {
    let key = keys::find(db, &app.sealing, call).await?;
    let rows = store::standing_bids(db, call).await?;
    Ok(rows.into_iter().map(|row| store::view(row, key.as_ref())).collect())
}
