//! The end of a run before its time.

use uuid::Uuid;

use super::runner::finished;
use super::wake::{Stir, announce};
use super::{RunState, queue, store};
use crate::access::{Caller, Role};
use crate::app::App;
use crate::audit::Recorded;
use crate::problem::Problem;

/// Cancels a run that the caller may see: at once where it waits, and by whoever computes it where it is being computed. One that is over
/// stays as it is.
///
/// # Errors
/// No such run; a role that is too low.
pub async fn cancel(app: &App, caller: &Caller, id: Uuid) -> Result<(), Problem> {
    let tx = app.log.begin(caller).await?;
    // Whoever may cancel need not be one who reads.
    let run = store::find(&tx, id).await?.ok_or_else(Problem::not_found)?;
    match run.organisation_id {
        Some(organisation) => caller.require_inside(&tx, organisation, Role::Editor).await?,
        None if caller.is_administrator() => {}
        None => return Err(Problem::not_found()),
    }
    if run.state.is_over() {
        tx.commit_all(Vec::new()).await?;
        return Ok(());
    }
    let over = queue::cancel(&tx, id).await?;
    announce(&tx, Stir::Changed(id)).await?;
    let asker = run.organisation_id;
    let recorded =
        if over { finished(id, asker, RunState::Cancelled) } else { Recorded::of("run", id).concerning(asker) };
    tx.commit(recorded).await?;
    app.wake.ring(Stir::Changed(id));
    Ok(())
}
