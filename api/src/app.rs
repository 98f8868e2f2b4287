//! What every handler needs: the database, the key of the cursors, the places at the solver, the limits.

use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::sync::Semaphore;

use crate::limits::Limits;
use crate::page::CursorKey;

/// The state shared by all requests. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: DatabaseConnection,
    /// Authenticates cursors.
    pub cursors: CursorKey,
    /// One permit per computation at once.
    pub solvers: Arc<Semaphore>,
    /// How much may be asked.
    pub limits: Limits,
}
