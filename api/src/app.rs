//! What every handler needs: the database, the keys, the places at the solver, the limits.

use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::sync::Semaphore;

use crate::audit::{Log, Readings};
use crate::bids::seal::SealingKey;
use crate::identity::leases::Leases;
use crate::limits::Limits;
use crate::page::CursorKey;
use crate::readiness::Readiness;
use crate::runs::child::Confinement;
use crate::runs::follow::Followers;
use crate::runs::wake::Wake;
use crate::webhooks;

/// The state shared by all requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database, to read. To write, see `log`.
    pub db: DatabaseConnection,
    /// The audit log: every write begins and ends with it.
    pub log: Log,
    /// Where it is said who read what is sealed.
    pub readings: Readings,
    /// Keys that were valid a moment ago.
    pub leases: Leases,
    /// Authenticates cursors.
    pub cursors: CursorKey,
    /// One permit per computation at once of those that are answered within a request and are no runs.
    pub solvers: Arc<Semaphore>,
    /// Seals the keys of calls, and so their bids.
    pub sealing: SealingKey,
    /// How much may be asked.
    pub limits: Limits,
    /// Where events may be sent.
    pub webhooks: Arc<webhooks::Settings>,
    /// How computations are run.
    pub confinement: Arc<Confinement>,
    /// Wakes those who wait for runs.
    pub wake: Wake,
    /// Who follows runs.
    pub followers: Followers,
    /// Whether requests may be sent here.
    pub readiness: Readiness,
}
