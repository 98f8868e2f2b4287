//! `/v1/sessions`.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::attempts::Attempt;
use super::entity::session;
use super::entrance::Entrance;
use super::{Session, SignIn, store};
use crate::access::credential::{Kind as SecretKind, Secret};
use crate::access::guard::COOKIE;
use crate::access::{Caller, Principal, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::now;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Kind, Problem};

/// The longest that a session lasts.
const LASTS: TimeDelta = TimeDelta::days(7);
/// A session that is not used is over after this time.
const IDLE: TimeDelta = TimeDelta::hours(24);
/// The end of a session that is used moves at most once in this time: reading stays reading.
const MOVES_EVERY: TimeDelta = TimeDelta::hours(1);

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(sign_in).service(list_sessions).service(end_session);
}

/// Signs a person in, with a cookie.
#[utoipa::path(tag = "identity", request_body = SignIn,
    responses((status = 201, description = "Signed in", body = Session,
        headers(("Set-Cookie" = String, description = "The session, for a browser")))))]
#[post("/sessions")]
pub(crate) async fn sign_in(
    app: Data<App>,
    caller: Caller,
    entrance: Data<Entrance>,
    request: HttpRequest,
    Body(own): Body<SignIn>,
) -> Result<HttpResponse, Problem> {
    let person = store::person_by_email(&app.db, &own.email).await?;
    let kept = person.as_ref().and_then(|person| person.password_hash.clone());
    let attempt = Attempt::count(&app.log, &own.email, entrance.address(&request)).await?;
    let known = attempt.verify(&app.log, own.password, kept).await?;
    let Some(person) = person.filter(|_| known) else {
        return Err(Problem::new(Kind::Unauthenticated).because("the address or the password is wrong"));
    };
    let tx = app.log.begin(&caller).await?;
    let (session, secret) = open(&tx, person.id).await?;
    tx.commit(Recorded::of("person", person.id).with(json!({ "session": session.id }))).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v1/sessions/{}", session.id)))
        .cookie(cookie(&secret))
        .json(session))
}

/// Starts a session of a person, and forgets those that are over; gives its secret. Two queries.
///
/// # Errors
/// The database's.
pub async fn open(db: &impl ConnectionTrait, person: Uuid) -> Result<(Session, Secret), Problem> {
    let secret = Secret::generate(SecretKind::Session)?;
    let created_at = now();
    let expires_at = created_at + IDLE;
    let id = Uuid::now_v7();
    let over = session::Column::PersonId.eq(person).and(session::Column::ExpiresAt.lte(created_at));
    session::Entity::delete_many().filter(over).exec(db).await?;
    let row = session::ActiveModel {
        id: Set(id),
        person_id: Set(person),
        digest: Set(secret.digest()),
        created_at: Set(created_at),
        expires_at: Set(expires_at),
    };
    session::Entity::insert(row).exec_without_returning(db).await?;
    Ok((Session { id, current: true, created_at, expires_at }, secret))
}

/// Moves the end of a session that is used, once an hour at most and never past its longest time. One query, mostly none.
///
/// # Errors
/// The database's.
pub async fn keep_alive(
    db: &impl ConnectionTrait,
    id: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let next = Ord::min(now() + IDLE, created_at + LASTS);
    let is_due = next - expires_at >= MOVES_EVERY || next == created_at + LASTS && next > expires_at;
    if is_due {
        let same = session::Column::Id.eq(id).and(session::Column::ExpiresAt.eq(expires_at));
        let moved = session::Entity::update_many().col_expr(session::Column::ExpiresAt, Expr::value(next));
        moved.filter(same).exec(db).await?;
    }
    Ok(())
}

/// A session as the API shows it, to whoever asks in the session `current`.
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "a view takes the place of its row")]
pub fn view(row: session::Model, current: Uuid) -> Session {
    let session::Model { id, person_id: _, digest: _, created_at, expires_at } = row;
    Session { id, current: id == current, created_at, expires_at }
}

/// The cookie of a session: browsers send it over TLS only (and on this machine), never from another site, and hide it from scripts.
#[must_use]
pub fn cookie(secret: &Secret) -> Cookie<'static> {
    let lasts = actix_web::cookie::time::Duration::seconds(LASTS.num_seconds());
    Cookie::build(COOKIE, secret.reveal().to_owned())
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(lasts)
        .finish()
}

/// Lists the sessions of whoever has signed in, oldest first.
#[utoipa::path(tag = "identity", params(Paging), responses((status = 200, description = "A page of sessions", body = Page<Session>)))]
#[get("/sessions")]
pub(crate) async fn list_sessions(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let Principal::Person { person, session: current } = caller.principal() else {
        return Err(caller.person().err().unwrap_or_else(Problem::not_found));
    };
    let mut own = session::Entity::find()
        .filter(session::Column::PersonId.eq(person))
        .filter(session::Column::ExpiresAt.gt(now()))
        .order_by_asc(session::Column::Id)
        .limit(pager.slice().limit);
    if let Some(after) = pager.after_id()? {
        own = own.filter(session::Column::Id.gt(after));
    }
    let own = own.all(&app.db).await?.into_iter().map(|row| view(row, current));
    let page = pager.page(own.collect(), |session: &Session| session.id.to_string())?;
    page.items().for_each(|session| caller.saw("session", session.id, None));
    Ok(page)
}

/// Ends a session of whoever has signed in: at once, everywhere.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the session")),
    responses((status = 204, description = "Ended")))]
#[delete("/sessions/{id}")]
pub(crate) async fn end_session(app: Data<App>, caller: Caller, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let own = session::Column::PersonId.eq(caller.person()?);
    let tx = app.log.begin(&caller).await?;
    let done = session::Entity::delete_many().filter(session::Column::Id.eq(*id)).filter(own).exec(&tx).await?;
    if done.rows_affected == 0 {
        return Err(Problem::not_found());
    }
    tx.commit(Recorded::of("session", *id)).await?;
    let mut response = HttpResponse::NoContent();
    if matches!(caller.principal(), Principal::Person { session, .. } if session == *id) {
        let mut gone = Cookie::build(COOKIE, "").path("/").secure(true).http_only(true).finish();
        gone.make_removal();
        response.cookie(gone);
    }
    Ok(response.finish())
}
