//! What happens by itself.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Happened, Moved, Phase, Standing, State};

/// The state at an instant, if nobody does anything until then: invitations lapse at their hour, alternates move up at that same hour,
/// and candidacy ends with the deadline. The result does not depend on how often it is asked. O(members²) at most.
#[must_use]
pub fn pass(mut state: State, now: DateTime<Utc>) -> Moved {
    let mut happened = Vec::new();
    while let Some((at, what)) = next(&state).filter(|(at, _)| *at <= now) {
        match what {
            Passing::Expiry(organisation) => {
                state.drop_out(organisation, Standing::Expired, Happened::Expired(organisation), at, &mut happened);
            }
            Passing::Close => state.close(&mut happened),
        }
    }
    Moved { state, happened }
}

/// What time brings about.
enum Passing {
    Expiry(Uuid),
    Close,
}

/// What happens next by itself, and when; of several at once, the smallest id first and the deadline last.
fn next(state: &State) -> Option<(DateTime<Utc>, Passing)> {
    if state.phase == Phase::Ended {
        return None;
    }
    let invited = state.members.iter().filter(|(_, own)| own.standing == Standing::Invited);
    let expiry = invited.filter_map(|(id, own)| Some((own.answer_by?, *id))).min();
    let close = state.due.filter(|_| state.phase == Phase::Filed);
    match (expiry, close) {
        (Some((at, id)), close) if close.is_none_or(|close| at <= close) => Some((at, Passing::Expiry(id))),
        (_, Some(at)) => Some((at, Passing::Close)),
        _ => None,
    }
}
