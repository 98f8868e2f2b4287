//! Requests a minute, in memory.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::Share;

const WINDOW: u64 = 60;
/// Keys that are remembered; further ones share one count until some are forgotten.
const MOST_KEYS: usize = 100_000;
/// Requests between two times that keys are forgotten whose share is whole again.
const BETWEEN_SWEEPS: usize = 1_024;

/// What requests are counted by.
pub trait Key: Hash + Eq + Clone {}
impl<T: Hash + Eq + Clone> Key for T {}

/// Counts requests by key. `None` stands for all keys that are too many to be remembered.
pub struct Requests<K: Key> {
    limiter: RateLimiter<Option<K>, DashMapStateStore<Option<K>>, DefaultClock, StateInformationMiddleware>,
    quota: NonZeroU32,
    turns: AtomicUsize,
}

impl<K: Key> Requests<K> {
    /// So many a minute, all at once or spread; nothing to count where that is 0.
    pub fn new(per_minute: u32) -> Option<Self> {
        let quota = NonZeroU32::new(per_minute)?;
        let limiter = RateLimiter::dashmap(Quota::per_minute(quota)).with_middleware();
        Some(Self { limiter, quota, turns: AtomicUsize::new(0) })
    }

    /// Counts one more; what is left.
    ///
    /// # Errors
    /// Nothing was left: when there will be something.
    pub fn take(&self, key: K) -> Result<Share, Share> {
        if self.turns.fetch_add(1, Ordering::Relaxed).is_multiple_of(BETWEEN_SWEEPS) {
            self.limiter.retain_recent();
        }
        let key = (self.limiter.len() < MOST_KEYS).then_some(key);
        let quota = u64::from(self.quota.get());
        let share = |left, seconds| Share { policy: "requests", quota, window: WINDOW, left, seconds };
        match self.limiter.check_key(&key) {
            Ok(state) => {
                let left = u64::from(state.remaining_burst_capacity());
                Ok(share(left, ((quota - left.min(quota)) * WINDOW).div_ceil(quota)))
            }
            Err(wait) => Err(share(0, wait.wait_time_from(DefaultClock::default().now()).as_secs() + 1)),
        }
    }
}

/// Whose address it is: of IPv6 the first 64 bits, since that is what one subscriber gets.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_share_is_whole_at_first_and_comes_back_evenly() {
        let requests = Requests::new(60).unwrap();
        let first = requests.take(1).unwrap();
        assert_eq!((first.quota, first.window, first.left, first.seconds), (60, 60, 59, 1));
        assert!((0..59).all(|_| requests.take(1).is_ok()));
        assert_eq!(requests.take(1).unwrap_err().seconds, 1);
    }

    #[test]
    fn keys_that_are_too_many_share_one_count() {
        // Of two a minute, so that no key is whole again before the end.
        let requests = Requests::new(2).unwrap();
        for key in 0..MOST_KEYS {
            requests.take(key).unwrap();
        }
        assert_eq!(requests.take(MOST_KEYS).unwrap().left, 1);
        assert_eq!(requests.take(MOST_KEYS + 1).unwrap().left, 0);
        assert!(requests.limiter.len() <= MOST_KEYS + 1);
    }

    #[test]
    fn a_subscriber_is_one_network() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2:ffff::"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
    }
}
