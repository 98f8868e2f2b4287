//! The service itself: its health, its document, the pages of its problems.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use sea_orm::ConnectionTrait as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Routes;
use crate::app::App;
use crate::problem::{Entry, Kind, Problem};
use crate::server::Served;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(get_health).service(get_openapi).service(get_problem_page);
}

/// That the service answers, with its version.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// Version of the service.
    pub version: String,
}

/// Says that the service and its database answer.
#[utoipa::path(tag = "service", responses((status = 200, description = "Both answer", body = Health)))]
#[get("/healthz")]
pub(crate) async fn get_health(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.db.execute_unprepared("SELECT 1").await.map_err(|error| {
        tracing::error!(%error, "the database does not answer");
        Problem::new(Kind::Unavailable)
    })?;
    Ok(HttpResponse::Ok().json(Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }))
}

/// This document.
#[utoipa::path(tag = "service", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)))]
#[get("/openapi.json")]
pub(crate) async fn get_openapi(served: Data<Served>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(served.document.clone())
}

/// Tells the cause and the remedy of a kind of problem, in English and in French.
#[utoipa::path(tag = "service", params(("kind" = String, Path, description = "Last part of the problem's `type`")),
    responses((status = 200, description = "A page for people", content_type = "text/html", body = String)))]
#[get("/problems/{kind}")]
pub(crate) async fn get_problem_page(request: HttpRequest, kind: Path<String>) -> Result<HttpResponse, Problem> {
    let entry = Kind::ALL.map(Kind::entry).into_iter().find(|entry| entry.slug == kind.as_str());
    let entry = entry.ok_or_else(Problem::not_found)?;
    let languages = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let french_first = languages.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("fr"));
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .body(page(&entry, french_first)))
}

/// The catalogue's texts hold no markup: they are ours.
fn page(entry: &Entry, french_first: bool) -> String {
    let status = entry.status.as_u16();
    let english = format!("<section lang=\"en\"><h1>{status} — {}</h1><p>{}</p></section>", entry.title, entry.help);
    let french =
        format!("<section lang=\"fr\"><h1>{status} — {}</h1><p>{}</p></section>", entry.title_fr, entry.help_fr);
    let (lang, first, second) = if french_first { ("fr", french, english) } else { ("en", english, french) };
    let title = if french_first { entry.title_fr } else { entry.title };
    format!(
        "<!doctype html><html lang=\"{lang}\"><meta charset=\"utf-8\"><title>{title}</title>{first}<hr>{second}</html>\n"
    )
}
