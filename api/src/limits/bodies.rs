//! Memory of the bodies that arrive: a process has so much for all of them, whoever sends them and however slowly. What does not fit any more
//! is refused, so that memory stays bounded however many connections there are.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// What all bodies together may take, in pages.
const ALL: usize = 128 << 20 >> PAGE_BITS;
/// Bodies are counted in pages of 4 KiB.
const PAGE_BITS: u32 = 12;
/// Seconds after which some of it is likely to be free.
const WAIT: u64 = 1;

/// What is left for bodies. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Bodies(Arc<Semaphore>);

impl Default for Bodies {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL)))
    }
}

/// What one body takes, given back when it is dropped.
pub(crate) struct Load {
    left: Bodies,
    held: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    /// A body of which nothing has arrived.
    pub(crate) fn load(&self) -> Load {
        Load { left: self.clone(), held: None }
    }
}

impl Load {
    /// Makes room for a body of so many bytes.
    ///
    /// # Errors
    /// 503 where all bodies together have as much as they may.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let pages = bytes.div_ceil(1 << PAGE_BITS);
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = u32::try_from(pages.saturating_sub(held)).unwrap_or(u32::MAX);
        if missing == 0 {
            return Ok(());
        }
        let more = Arc::clone(&self.left.0).try_acquire_many_owned(missing).map_err(|_| Problem::unavailable(WAIT))?;
        match &mut self.held {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn bodies_share_what_there_is_and_give_it_back() {
        let bodies = Bodies::default();
        let (mut one, mut other) = (bodies.load(), bodies.load());
        for bytes in [0, 1, 4_096, 4_097, 32 << 20] {
            one.grow(bytes).unwrap();
            assert_eq!(ALL - bodies.0.available_permits(), bytes.div_ceil(4_096), "each byte is counted once");
        }
        other.grow(96 << 20).unwrap();
        assert!(other.grow((96 << 20) + 1).is_err());
        other.grow(96 << 20).unwrap();
        drop(one);
        other.grow(128 << 20).unwrap();
        assert!(other.grow(usize::MAX).is_err());
        drop(other);
        assert_eq!(bodies.0.available_permits(), ALL);
    }
}
