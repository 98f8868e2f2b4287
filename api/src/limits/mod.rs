//! How much may be asked: requests a minute, requests and bodies at once, and seconds of the solver a day.
//!
//! Requests are counted in memory, by each process for itself: by key or person, and by network address where nobody has shown to be
//! anybody. Seconds of the solver are counted in the database, by organisation, so that all replicas agree. What is left is told in the
//! `RateLimit` headers; whoever has used up a share is told when to come back.

pub(crate) mod bodies;
pub(crate) mod crowd;
mod requests;
mod share;
pub mod solver;

use std::net::IpAddr;
use std::sync::Arc;

use uuid::Uuid;

use crate::problem::Problem;
use bodies::Bodies;
use crowd::Crowd;
use requests::Requests;
pub use requests::network;
pub use share::Share;

/// How much may be asked; 0 stands for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Requests a minute of one key or person.
    pub per_minute: u32,
    /// Requests a minute of one network address, where nobody has shown to be anybody.
    pub per_minute_of_address: u32,
    /// Seconds of the solver in 24 hours, for one organisation.
    pub solver_seconds_per_day: u32,
    /// Requests that are looked after at once, in this process.
    pub at_once: u32,
}

/// Credentials that one address may show a minute, in shares of a caller: so many integrations behind one address work at full speed,
/// and whoever invents credentials costs no more look-ups than that.
const CALLERS_BEHIND_AN_ADDRESS: u32 = 10;

/// What has been asked so far. Cheap to clone; without limits by default.
#[derive(Clone, Default)]
pub struct Limits(Arc<Counters>);

#[derive(Default)]
struct Counters {
    callers: Option<Requests<Uuid>>,
    strangers: Option<Requests<IpAddr>>,
    credentials: Option<Requests<IpAddr>>,
    solver_seconds_per_day: u32,
    crowd: Crowd,
    bodies: Bodies,
}

impl Limits {
    /// Nothing has been asked yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { per_minute, per_minute_of_address, solver_seconds_per_day, at_once } = settings;
        Self(Arc::new(Counters {
            callers: Requests::new(per_minute),
            strangers: Requests::new(per_minute_of_address),
            credentials: Requests::new(per_minute.saturating_mul(CALLERS_BEHIND_AN_ADDRESS)),
            solver_seconds_per_day,
            crowd: Crowd::new(at_once),
            bodies: Bodies::default(),
        }))
    }

    /// Counts a request of somebody who is known.
    ///
    /// # Errors
    /// 429 where their share is used up.
    pub fn of_caller(&self, caller: Uuid) -> Result<Option<Share>, Problem> {
        take(self.0.callers.as_ref(), caller)
    }

    /// Counts a request of nobody, or of somebody who showed a credential that is none.
    ///
    /// # Errors
    /// 429 where the share of the address is used up.
    pub fn of_stranger(&self, address: IpAddr) -> Result<Option<Share>, Problem> {
        take(self.0.strangers.as_ref(), network(address))
    }

    /// Counts a credential before it is looked up.
    ///
    /// # Errors
    /// 429 where the address has shown too many.
    pub fn of_credential(&self, address: IpAddr) -> Result<(), Problem> {
        take(self.0.credentials.as_ref(), network(address)).map(|_| ())
    }

    /// Whoever is looked after now.
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.0.crowd
    }

    /// Bodies that arrive now.
    pub(crate) fn bodies(&self) -> &Bodies {
        &self.0.bodies
    }

    /// Seconds of the solver in 24 hours, for one organisation; 0 for no limit.
    #[must_use]
    pub fn solver_seconds_per_day(&self) -> u32 {
        self.0.solver_seconds_per_day
    }
}

fn take<K: requests::Key>(requests: Option<&Requests<K>>, key: K) -> Result<Option<Share>, Problem> {
    requests.map(|requests| requests.take(key).map_err(Problem::exhausted)).transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix_web::ResponseError as _;

    use super::*;

    const LIMITED: Settings =
        Settings { per_minute: 2, per_minute_of_address: 3, solver_seconds_per_day: 0, at_once: 0 };
    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn callers_and_addresses_have_shares_of_their_own() {
        let limits = Limits::new(LIMITED);
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        for left in [1, 0] {
            assert_eq!(limits.of_caller(one).unwrap().unwrap().left, left);
        }
        let refused = limits.of_caller(one).unwrap_err().error_response();
        assert_eq!(refused.status().as_u16(), 429);
        let header = |name: &str| refused.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("ratelimit-policy"), "\"requests\";q=2;w=60");
        assert_eq!(header("ratelimit"), format!("\"requests\";r=0;t={}", header("retry-after")));
        assert!((1..=30).contains(&header("retry-after").parse::<u64>().unwrap()));
        assert_eq!(limits.of_caller(other).unwrap().unwrap().left, 1);
        assert_eq!(limits.of_stranger(HOME).unwrap().unwrap().left, 2);
    }

    #[test]
    fn invented_credentials_are_refused_before_they_are_looked_up() {
        let limits = Limits::new(LIMITED);
        assert!((0..20).all(|_| limits.of_credential(HOME).is_ok()));
        assert!(limits.of_credential(HOME).is_err());
    }

    #[test]
    fn nothing_is_counted_without_a_limit() {
        let limits = Limits::default();
        assert!((0..10_000).all(|_| limits.of_stranger(HOME).unwrap().is_none()));
        assert!(limits.of_caller(Uuid::nil()).unwrap().is_none());
    }
}
