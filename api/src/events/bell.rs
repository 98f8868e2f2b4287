//! Wakes those who wait for news, in this process.

use tokio::sync::watch;

/// Rings when events have been committed. Cheap to clone.
#[derive(Clone)]
pub struct Bell(watch::Sender<()>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Bell {
    /// Wakes everybody who listens.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Hears every ring from now on, also those that come before it waits.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}
