//! Whether this process may be sent requests: what a load balancer asks.
//!
//! A process that is asked to end says no at once, and goes on answering for a while: balancers turn away before anything is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::web::Data;
use sea_orm::DatabaseConnection;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::app::App;
use crate::database;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long what was seen counts: anybody may ask, as often as they like, for one query in so long.
const FRESH: Duration = Duration::from_millis(250);

/// Whether this process may be sent requests. Cheap to clone.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Default)]
struct Inner {
    ends: AtomicBool,
    seen: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

impl Readiness {
    /// From now on it may not.
    pub fn end(&self) {
        self.0.ends.store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to end.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.0.ends.load(Ordering::Relaxed)
    }

    /// Looks at the database. One query, at most four times a second.
    ///
    /// # Errors
    /// Why it may not.
    pub async fn check(&self, db: &DatabaseConnection) -> Result<(), &'static str> {
        if self.ends() {
            return Err("this process is about to end");
        }
        let mut seen = self.0.seen.lock().await;
        if let Some((_, told)) = seen.filter(|(at, _)| at.elapsed() < FRESH) {
            return told;
        }
        let told = match timeout(PATIENCE, database::lacks_migrations(db)).await {
            Ok(Ok(false)) => Ok(()),
            Ok(Ok(true)) => Err("the schema of the database is older than this release"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready: the database refuses");
                Err("the database does not answer")
            }
            Err(_) => {
                tracing::warn!("not ready: the database takes too long");
                Err("the database does not answer")
            }
        };
        *seen = Some((Instant::now(), told));
        told
    }
}

/// Middleware: a process that is about to end closes each connection with the answer that it gives on it.
///
/// # Errors
/// Those of the service it wraps.
pub async fn part<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let readiness = request.app_data::<Data<App>>().map(|app| app.readiness.clone());
    let mut response = next.call(request).await?;
    if readiness.is_some_and(|readiness| readiness.ends()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
