//! Keys that were valid a moment ago: whoever asks often is not looked up each time.
//!
//! What was read of a key counts for half a second (a lease, after Gray and Cheriton, 1989), for whoever reads only: whoever writes is looked up,
//! and again in the transaction that writes. Whoever voids keys tells so only once that time is over
//! ([`run_out`]): from then on no process lets in who holds one, and no process had to be asked. Keys that are not valid are looked up each
//! time, so that a new one counts at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use super::store;
use crate::access::Caller;
use crate::database::now;
use crate::limits::crowd;

/// How long what was read of a key counts.
const TERM: Duration = Duration::from_millis(500);
/// How much the clocks of two machines may differ in that time.
const DRIFT: Duration = Duration::from_millis(50);
/// Keys that are known at most: some hundred bytes each.
const MOST: usize = 10_000;

/// The leases of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Leases(Arc<Mutex<HashMap<String, Lease>>>);

struct Lease {
    caller: Caller,
    /// When the key itself ends.
    expires_at: DateTime<Utc>,
    until: Instant,
}

impl Lease {
    fn runs(&self) -> bool {
        Instant::now() < self.until && self.expires_at > now()
    }
}

impl Leases {
    /// Who holds a key, by what is kept of its secret; `None` where it is void. No query within half a second of the last one, else one.
    ///
    /// # Errors
    /// The database's.
    pub async fn caller(&self, db: &impl ConnectionTrait, digest: &str) -> Result<Option<Caller>, DbErr> {
        if let Some(lease) = self.held().get(digest).filter(|lease| lease.runs()) {
            return Ok(Some(lease.caller.afresh()));
        }
        // From before the key is read: it may be voided while it is.
        let until = Instant::now() + TERM;
        let Some((caller, expires_at)) = store::holder(db, digest).await? else { return Ok(None) };
        self.keep(digest, Lease { caller: caller.clone(), expires_at, until });
        Ok(Some(caller))
    }

    fn keep(&self, digest: &str, lease: Lease) {
        let mut held = self.held();
        if held.len() >= MOST {
            held.retain(|_, lease| lease.runs());
        }
        if held.len() < MOST {
            held.insert(digest.to_owned(), lease);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until nothing counts any more, in any process, of what was read of keys before now: call it once the change is committed, and
/// answer then. Others have the place of the request meanwhile.
pub async fn run_out(request: &HttpRequest) {
    crowd::leave(request);
    tokio::time::sleep(TERM + DRIFT).await;
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn lease(of: Duration, valid: TimeDelta) -> Lease {
        Lease { caller: Caller::nobody(), expires_at: now() + valid, until: Instant::now() + of }
    }

    #[test]
    fn a_lease_ends_with_its_term_or_with_its_key() {
        assert!(lease(TERM, TimeDelta::days(1)).runs());
        assert!(!lease(Duration::ZERO, TimeDelta::days(1)).runs());
        assert!(!lease(TERM, TimeDelta::zero()).runs());
    }

    #[test]
    fn no_more_are_held_than_there_is_room_for_and_those_that_are_over_make_room() {
        let leases = Leases::default();
        for number in 0..MOST {
            let term = if number == 7 { Duration::ZERO } else { TERM * 1_000 };
            leases.keep(&number.to_string(), lease(term, TimeDelta::days(1)));
        }
        leases.keep("first beyond", lease(TERM * 1_000, TimeDelta::days(1)));
        leases.keep("second beyond", lease(TERM * 1_000, TimeDelta::days(1)));
        let held = leases.held();
        assert!(held.len() == MOST && held.contains_key("first beyond") && !held.contains_key("second beyond"));
    }
}
