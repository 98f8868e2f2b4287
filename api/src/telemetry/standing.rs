//! How things stand in the database, read when somebody asks for it.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};
use sea_orm::{DatabaseConnection, DbBackend, DbErr};
use tokio::time::timeout;

use super::metrics::named;
use crate::database::clock;
use crate::runs::{self, RunState};
use crate::webhooks;

/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the database says of the work that waits in it.
struct Standing {
    /// How long a connection, and an answer to nothing, were waited for.
    waited: Duration,
    runs: Vec<(RunState, i64)>,
    oldest_run: f64,
    deliveries: i64,
    oldest_delivery: f64,
}

/// Registers how things stand; where the database does not answer, no more than that.
pub(super) async fn register(registry: &mut Registry, db: &DatabaseConnection) {
    let database = registry.sub_registry_with_prefix("database");
    let standing = timeout(PATIENCE, read(db)).await;
    let is_up = matches!(&standing, Ok(Ok(_)));
    database.register("up", "Whether the database answers", ConstGauge::new(i64::from(is_up)));
    if let Some((idle, open, most)) = pool(db) {
        let connections = Family::<[(&str, &str); 1], Gauge>::default();
        connections.get_or_create(&[("state", "idle")]).set(idle);
        connections.get_or_create(&[("state", "used")]).set(open - idle);
        database.register("connections", "Connections of the pool", connections);
        database.register("connections_max", "Connections that the pool may open", ConstGauge::new(most));
    }
    let Ok(Ok(standing)) = standing else { return };
    let help = "How long this look has waited for a connection and an answer";
    database.register_with_unit("wait", help, Unit::Seconds, ConstGauge::new(standing.waited.as_secs_f64()));
    let runs = Family::<[(&str, &str); 1], Gauge>::default();
    for (state, count) in standing.runs {
        runs.get_or_create(&[("state", named(state))]).set(count);
    }
    registry.register("runs", "Runs that are not over, by state", runs);
    let help = "How long the oldest run that waits has waited";
    registry.register_with_unit("run_queue_oldest", help, Unit::Seconds, ConstGauge::new(standing.oldest_run));
    let help = "Deliveries of events to webhooks that are not over";
    registry.register("webhook_deliveries_pending", help, ConstGauge::new(standing.deliveries));
    let help = "How long the oldest of them has waited";
    registry.register_with_unit("webhook_queue_oldest", help, Unit::Seconds, ConstGauge::new(standing.oldest_delivery));
}

/// Four queries.
async fn read(db: &DatabaseConnection) -> Result<Standing, DbErr> {
    let asked = Instant::now();
    let now = clock(db).await?;
    let waited = asked.elapsed();
    let found = runs::queue::depth(db).await?;
    let count = |state| found.iter().find(|one| one.0 == state).map_or(0, |one| one.1);
    let runs = [RunState::Queued, RunState::Running].map(|state| (state, count(state))).to_vec();
    let oldest_run = found.iter().find(|one| one.0 == RunState::Queued).and_then(|one| one.2);
    let (deliveries, oldest_delivery) = webhooks::queue::depth(db).await?;
    let (oldest_run, oldest_delivery) = (age(now, oldest_run), age(now, oldest_delivery));
    Ok(Standing { waited, runs, oldest_run, deliveries, oldest_delivery })
}

/// How long ago it was, in seconds; 0 where there is none.
fn age(now: DateTime<Utc>, then: Option<DateTime<Utc>>) -> f64 {
    then.and_then(|then| (now - then).to_std().ok()).unwrap_or_default().as_secs_f64()
}

/// Connections that are idle, that are open, and that may be.
fn pool(db: &DatabaseConnection) -> Option<(i64, i64, i64)> {
    let (idle, open, most) = match db.get_database_backend() {
        DbBackend::Sqlite => {
            let pool = db.get_sqlite_connection_pool();
            (pool.num_idle(), pool.size(), pool.options().get_max_connections())
        }
        DbBackend::Postgres => {
            let pool = db.get_postgres_connection_pool();
            (pool.num_idle(), pool.size(), pool.options().get_max_connections())
        }
        _ => return None,
    };
    // Two looks at what moves: there are never more idle ones than open ones.
    let (idle, open) = (i64::try_from(idle).ok()?, i64::from(open));
    Some((idle.min(open), open, i64::from(most)))
}
