//! The service itself: its health, its document, the pages of its problems.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use chrono::{SecondsFormat, TimeDelta, Timelike as _};
use sea_orm::ConnectionTrait as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Routes;
use crate::app::App;
use crate::database::now;
use crate::edge;
use crate::problem::{Entry, Kind, Problem};
use crate::server::Served;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(get_health)
        .service(get_live)
        .service(get_ready)
        .service(get_openapi)
        .service(get_problem_page)
        .service(get_security_txt);
}

/// How long readers may rely on `security.txt`; RFC 9116 advises less than a year.
const SECURITY_TXT_LASTS: TimeDelta = TimeDelta::days(180);

/// That the service answers, with its version.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// Version of the service.
    pub version: String,
}

/// What balancers and service managers ask: answered whatever else was asked, since who is refused an answer takes the process for dead.
pub(crate) const PROBES: [&str; 2] = ["get_live", "get_ready"];

/// Says that the service and its database answer.
#[utoipa::path(tag = "service", responses((status = 200, description = "Both answer", body = Health)))]
#[get("/healthz")]
pub(crate) async fn get_health(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.db.execute_unprepared("SELECT 1").await.map_err(|error| {
        tracing::error!(%error, "the database does not answer");
        Problem::new(Kind::Unavailable)
    })?;
    Ok(HttpResponse::Ok().json(well()))
}

/// Says that this process answers, and nothing else: one that does not is to be ended and started again.
#[utoipa::path(tag = "service", responses((status = 200, description = "It answers", body = Health)))]
#[get("/health/live")]
pub(crate) async fn get_live() -> HttpResponse {
    HttpResponse::Ok().json(well())
}

/// Says whether requests may be sent to this process: its database answers within a second and has a schema that it can use, and the
/// process is not about to end. Until it does, send them to another.
#[utoipa::path(tag = "service", responses((status = 200, description = "They may", body = Health)))]
#[get("/health/ready")]
pub(crate) async fn get_ready(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.readiness.check(&app.db).await.map_err(|why| Problem::new(Kind::Unavailable).because(why))?;
    Ok(HttpResponse::Ok().json(well()))
}

fn well() -> Health {
    Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
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
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page(&entry, french_first)))
}

/// Tells where to report a vulnerability (RFC 9116); 404 where nobody has said where.
#[utoipa::path(tag = "service", responses((status = 200, description = "Whom to tell", content_type = "text/plain", body = String)))]
#[get("/.well-known/security.txt")]
pub(crate) async fn get_security_txt(edge: Data<edge::Settings>) -> Result<HttpResponse, Problem> {
    let edge::Settings { public_url, security_contact, .. } = edge.get_ref();
    let contact = security_contact.as_deref().ok_or_else(Problem::not_found)?;
    // The same all day, so that two readers see one text.
    let midnight = now().with_hour(0).and_then(|time| time.with_minute(0)).and_then(|time| time.with_second(0));
    let expires = midnight.unwrap_or_else(now) + SECURITY_TXT_LASTS;
    let expires = expires.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut text = format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: fr, en\n");
    if let Some(url) = public_url {
        text += "Canonical: ";
        text += url;
        text += "/.well-known/security.txt\n";
    }
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text))
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
