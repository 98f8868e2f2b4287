//! `/v1/oidc` and `/v1/me/oidc-link`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, get, post};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, SqlErr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::pending::{COOKIE, Link, removal};
use super::provider::Vouched;
use crate::access::{Caller, Principal, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::database::now;
use crate::identity::entity::{person, session};
use crate::identity::entrance::Entrance;
use crate::identity::{Session, sessions, store};
use crate::problem::{Kind, Problem};

const LONGEST_NAME: usize = 200;
const LONGEST_ADDRESS: usize = 254;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(begin_oidc_sign_in).service(finish_oidc_sign_in).service(link_oidc);
}

/// Where the browser goes to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OidcDeparture {
    /// A page of the identity provider.
    pub location: String,
}

/// What the browser brings back from the provider.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OidcReturn {
    /// Stands for what the provider knows.
    code: Option<String>,
    /// As it was sent there.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// Who sends the browser back, where the provider says so (RFC 9207).
    iss: Option<String>,
}

/// Sends a browser to the identity provider.
///
/// It comes back to `/v1/oidc/callback` within ten minutes; a sealed cookie remembers what for.
#[utoipa::path(tag = "identity",
    responses((status = 302, description = "To the provider",
        headers(("Location" = String, description = "A page of the provider"),
            ("Set-Cookie" = String, description = "What is remembered meanwhile")))))]
#[get("/oidc/authorize")]
pub(crate) async fn begin_oidc_sign_in(entrance: Data<Entrance>) -> Result<HttpResponse, Problem> {
    let provider = entrance.provider()?;
    let (location, pending) = provider.begin(None).await?;
    let cookie = provider.seal().cookie(&pending)?;
    Ok(HttpResponse::Found().insert_header((LOCATION, location)).cookie(cookie).finish())
}

/// Begins to link the identity provider to the account of whoever has signed in. Open the answer's `location` in the same browser.
#[utoipa::path(tag = "identity",
    responses((status = 200, description = "Go there", body = OidcDeparture,
        headers(("Set-Cookie" = String, description = "What is remembered meanwhile")))))]
#[post("/me/oidc-link")]
pub(crate) async fn link_oidc(caller: Caller, entrance: Data<Entrance>) -> Result<HttpResponse, Problem> {
    let Principal::Person { person, session } = caller.principal() else {
        return Err(caller.person().err().unwrap_or_else(Problem::not_found));
    };
    let provider = entrance.provider()?;
    let (location, pending) = provider.begin(Some(Link { person, session })).await?;
    let cookie = provider.seal().cookie(&pending)?;
    caller.saw("person", person, None);
    Ok(HttpResponse::Ok().cookie(cookie).json(OidcDeparture { location }))
}

/// Signs in whoever comes back from the identity provider, or links it to their account.
///
/// Whoever comes for the first time gets an account, if the provider has verified their address and it is not taken. Where it is, sign in
/// as before and link the provider: an address alone proves nothing.
#[utoipa::path(tag = "identity", params(OidcReturn),
    responses((status = 200, description = "Signed in", body = Session,
        headers(("Set-Cookie" = String, description = "The session, for a browser")))))]
#[get("/oidc/callback")]
pub(crate) async fn finish_oidc_sign_in(
    app: Data<App>,
    caller: Caller,
    entrance: Data<Entrance>,
    request: HttpRequest,
    query: Query<OidcReturn>,
) -> Result<HttpResponse, Problem> {
    entrance.provider()?;
    let finished = finish(&app, &caller, &entrance, &request, query.into_inner()).await;
    let mut response = finished.unwrap_or_else(|problem| problem.error_response());
    // Whatever came of it: nothing is tried twice.
    response.add_cookie(&removal()).map_err(Problem::internal)?;
    Ok(response)
}

async fn finish(
    app: &App,
    caller: &Caller,
    entrance: &Entrance,
    request: &HttpRequest,
    OidcReturn { code, state, error, iss }: OidcReturn,
) -> Result<HttpResponse, Problem> {
    let provider = entrance.provider()?;
    let pending = request.cookie(COOKIE).and_then(|cookie| provider.seal().open(cookie.value()));
    let pending = pending.filter(|pending| state.as_ref() == Some(&pending.state)).ok_or_else(|| {
        refused("this sign-in was not begun in this browser, or too long ago: begin again at /v1/oidc/authorize")
    })?;
    if iss.is_some_and(|issuer| !provider.is(&issuer)) {
        return Err(refused("another identity provider has sent you"));
    }
    let code = code.filter(|_| error.is_none());
    let code = code.ok_or_else(|| refused("the identity provider did not let you in: begin again"))?;
    let mut vouched = provider.vouch(code, &pending).await?;
    let is_new = store::person_by_subject(&app.db, &vouched.issuer, &vouched.subject).await?.is_none();
    if is_new && pending.link.is_none() {
        provider.complete(&mut vouched).await?;
    }
    let tx = app.log.begin(caller).await?;
    store::use_state(&tx, &pending.state, pending.until).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => refused("this sign-in is finished already: begin again"),
        _ => error.into(),
    })?;
    let (person, session, cookie) = if let Some(link) = pending.link {
        (link.person, attach(&tx, link, vouched).await?, None)
    } else {
        let person = who(&tx, vouched).await?;
        let (session, secret) = sessions::open(&tx, person).await?;
        (person, session, Some(sessions::cookie(&secret)))
    };
    tx.commit(Recorded::of("person", person).with(json!({ "session": session.id }))).await?;
    let mut response = HttpResponse::Ok();
    if let Some(cookie) = cookie {
        response.cookie(cookie);
    }
    Ok(response.json(session))
}

fn refused(detail: &str) -> Problem {
    Problem::new(Kind::Unauthenticated).because(detail)
}

/// The person whom a provider vouches for: known, or new. Three queries at most.
async fn who(tx: &DatabaseTransaction, vouched: Vouched) -> Result<Uuid, Problem> {
    let Vouched { issuer, subject, email, email_is_verified, name, .. } = vouched;
    if let Some(known) = store::person_by_subject(tx, &issuer, &subject).await? {
        return Ok(known.id);
    }
    let email = email.filter(|email| email_is_verified && email.len() <= LONGEST_ADDRESS).ok_or_else(|| {
        let detail = "the identity provider has not verified your address: have it verified there, or make an account at /v1/people";
        Problem::new(Kind::Forbidden).because(detail)
    })?;
    if store::person_by_email(tx, &email).await?.is_some() {
        let detail =
            "your address has an account: sign in to it as before, then link the identity provider at /v1/me/oidc-link";
        return Err(Problem::conflict(detail));
    }
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| email.clone());
    let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let provider = Some((issuer, subject));
    let new = store::NewPerson { email, name, password_hash: None, provider, administrator: false };
    Ok(store::insert_person(tx, new).await?)
}

/// Links a provider to the account of somebody who is still signed in; gives their session. Four queries.
async fn attach(tx: &DatabaseTransaction, link: Link, vouched: Vouched) -> Result<Session, Problem> {
    let own = session::Column::PersonId.eq(link.person).and(session::Column::ExpiresAt.gt(now()));
    let session = session::Entity::find_by_id(link.session).filter(own).one(tx).await?;
    let session = session.ok_or_else(|| refused("you have signed out in the meantime"))?;
    let holder = store::person_by_subject(tx, &vouched.issuer, &vouched.subject).await?;
    if holder.is_some_and(|holder| holder.id != link.person) {
        return Err(Problem::conflict("the identity provider vouches for another account with this"));
    }
    let same = person::Column::OidcIssuer.eq(&vouched.issuer).and(person::Column::OidcSubject.eq(&vouched.subject));
    let linked = person::Entity::update_many()
        .col_expr(person::Column::OidcIssuer, Expr::value(&vouched.issuer))
        .col_expr(person::Column::OidcSubject, Expr::value(&vouched.subject))
        .col_expr(person::Column::Version, Expr::col(person::Column::Version).add(1))
        .col_expr(person::Column::UpdatedAt, Expr::value(now()))
        .filter(person::Column::Id.eq(link.person))
        .filter(person::Column::OidcSubject.is_null().or(same))
        .exec(tx)
        .await?;
    if linked.rows_affected == 0 {
        return Err(Problem::conflict("your account is linked to another identity already"));
    }
    Ok(sessions::view(session, link.session))
}
