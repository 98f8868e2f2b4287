//! `/v1/me/mail` and `/v1/unsubscribe`.

use actix_web::http::header;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get, post, put};

use super::{Links, MailPreferences, NewMailPreferences, store};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::problem::Problem;
use crate::resource::{etagged, missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(get_mail_preferences)
        .service(replace_mail_preferences)
        .service(get_unsubscription)
        .service(unsubscribe);
}

/// Reads what mail you get: everything that concerns your organisations, in French, as long as you say nothing.
#[utoipa::path(tag = "events", responses((status = 200, description = "What you get", body = MailPreferences)))]
#[get("/me/mail")]
pub(crate) async fn get_mail_preferences(app: Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    let person = caller.person()?;
    let preferences = store::preferences(&app.db, person).await?;
    caller.saw("mail_preference", person, None);
    Ok(etagged(preferences.version, &preferences))
}

/// Says what mail you want. Mails are sent where the installation has a server for them.
#[utoipa::path(tag = "events", request_body = NewMailPreferences,
    params(("If-Match" = String, Header, description = "`ETag` of the version to replace")),
    responses((status = 200, description = "What you get from now on", body = MailPreferences)))]
#[put("/me/mail")]
pub(crate) async fn replace_mail_preferences(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    Body(new): Body<NewMailPreferences>,
) -> Result<HttpResponse, Problem> {
    let person = caller.person()?;
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    if !store::replace(&tx, person, &new, version).await? {
        return Err(missed(true));
    }
    let preferences = store::preferences(&tx, person).await?;
    tx.commit(Recorded::of("mail_preference", person).version(preferences.version)).await?;
    Ok(etagged(preferences.version, &preferences))
}

/// A page that asks whether to end the mails to whom this link was sent. Looking at it changes nothing.
#[utoipa::path(tag = "events", params(("token" = String, Path, description = "As a mail gave it")),
    responses((status = 200, description = "A page for people", content_type = "text/html", body = String)))]
#[get("/unsubscribe/{token}")]
pub(crate) async fn get_unsubscription(links: Data<Links>, token: Path<String>) -> Result<HttpResponse, Problem> {
    links.person(&token)?.ok_or_else(Problem::not_found)?;
    let form = "<form method=\"post\"><button>Ne plus recevoir de messages — Get no more messages</button></form>";
    Ok(page(form))
}

/// Ends the mails to whom this link was sent, without signing in (RFC 8058). Again has no effect; sign in to get mails again.
#[utoipa::path(tag = "events", params(("token" = String, Path, description = "As a mail gave it")),
    responses((status = 200, description = "No more mails", content_type = "text/html", body = String)))]
#[post("/unsubscribe/{token}")]
pub(crate) async fn unsubscribe(
    app: Data<App>,
    caller: Caller,
    links: Data<Links>,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let person = links.person(&token)?.ok_or_else(Problem::not_found)?;
    let tx = app.log.begin(&caller).await?;
    if !store::unsubscribe(&tx, person).await? {
        return Err(Problem::not_found());
    }
    tx.commit(Recorded::of("mail_preference", person)).await?;
    Ok(page("<p>Vous ne recevrez plus de messages.</p><p lang=\"en\">You will get no more messages.</p>"))
}

fn page(content: &str) -> HttpResponse {
    let text =
        format!("<!doctype html><html lang=\"fr\"><meta charset=\"utf-8\"><title>Attelage</title>{content}</html>\n");
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8")).body(text)
}
