//! What the installation sets.

use std::time::Duration;

use ipnet::IpNet;

use super::network::Reach;

/// What the installation sets for webhooks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Networks that may be reached although they are not public: of an intranet, or of a test.
    pub networks: Vec<IpNet>,
    /// Whether `http` will do where `https` should be: for development.
    pub over_http: bool,
    /// How long to wait after each attempt that fails, a fifth more or less; after as many, a delivery has failed.
    pub retries: Vec<Duration>,
    /// How long a receiver may fail without a success before its webhook is switched off.
    pub patience: Duration,
    /// How long the secret before a rotation goes on signing.
    pub overlap: Duration,
}

/// Seconds to wait after each attempt that fails: three days in all.
pub const RETRIES: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

impl Settings {
    /// What may be reached.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach::new(self.networks.clone(), self.over_http)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            over_http: false,
            retries: RETRIES.map(Duration::from_secs).to_vec(),
            patience: Duration::from_hours(72),
            overlap: Duration::from_hours(24),
        }
    }
}
