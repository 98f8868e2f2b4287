//! Metrics as text, for Prometheus and its like: `OpenMetrics` 1.0, on a listener of their own.

use std::fmt;
use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;
use sea_orm::DatabaseConnection;

use super::{metrics, process, standing};

const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves `GET /metrics`, and nothing else, until it is dropped. Await it to serve.
///
/// # Errors
/// A listener that cannot be used.
pub fn serve(listener: TcpListener, db: DatabaseConnection) -> std::io::Result<Server> {
    let db = Data::new(db);
    let app = move || App::new().app_data(db.clone()).route("/metrics", web::get().to(show));
    Ok(HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

async fn show(db: Data<DatabaseConnection>) -> HttpResponse {
    match text(&db).await {
        Ok(text) => HttpResponse::Ok().content_type(MEDIA_TYPE).body(text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// All metrics of this process, and how things stand in a database.
///
/// # Errors
/// None that is known: writing into memory does not fail.
pub async fn text(db: &DatabaseConnection) -> Result<String, fmt::Error> {
    let (mut now, mut machine) = (Registry::with_prefix(metrics::PREFIX), Registry::default());
    standing::register(&mut now, db).await;
    process::register(&mut machine);
    let mut text = String::new();
    metrics::write(&mut text)?;
    encode_registry(&mut text, &now)?;
    encode_registry(&mut text, &machine)?;
    encode_eof(&mut text)?;
    Ok(text)
}
