//! `/v1/people` and `/v1/me`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, SqlErr};

use super::attempts::Attempt;
use super::entity::{person, session};
use super::entrance::Entrance;
use super::{Me, Membership, PasswordChange, Registration, password, store};
use crate::access::{Caller, Principal, Routes, Scope, Scopes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::{self, now};
use crate::once;
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(register).service(get_me).service(change_password).service(erase_me);
}

/// Makes an account.
///
/// The answer is the same whether or not the address has one already: nobody learns who is here. An account alone gives no rights; join an
/// organisation, or register one.
#[utoipa::path(tag = "identity", request_body = Registration,
    responses((status = 202, description = "If the address was free, it has an account now")))]
#[post("/people")]
pub(crate) async fn register(
    app: Data<App>,
    caller: Caller,
    Body(new): Body<Registration>,
) -> Result<HttpResponse, Problem> {
    let Registration { email, name, password } = new;
    let mut faults = Vec::new();
    if password.to_lowercase() == store::normalised(&email) {
        faults.push(Fault::at("/password", "your address is not a password"));
    }
    Problem::check(faults)?;
    // Hashed first, so that a free address and one that is taken take as long.
    let hash = password::hash(password).await?;
    let tx = app.log.begin(&caller).await?;
    if store::person_by_email(&tx, &email).await?.is_none() {
        let new = store::NewPerson { email, name, password_hash: Some(hash), provider: None, administrator: false };
        match store::insert_person(&tx, new).await {
            Ok(id) => tx.commit(Recorded::of("person", id)).await?,
            // Somebody else has taken it in the meantime: the answer does not tell.
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(HttpResponse::Accepted().finish())
}

/// Says who asks, and with which rights.
#[utoipa::path(tag = "identity", responses((status = 200, description = "Who asks", body = Me)))]
#[get("/me")]
pub(crate) async fn get_me(app: Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    let person = match caller.principal() {
        Principal::Person { person, .. } => store::person(&app.db, person).await?.map(store::view),
        _ => None,
    };
    match caller.principal() {
        Principal::Person { person, .. } => caller.saw("person", person, None),
        Principal::Key(key) => caller.saw("api_key", key, caller.memberships().keys().next().copied()),
        Principal::Nobody | Principal::Installation => {}
    }
    let memberships = caller.memberships().iter();
    let scopes = Scopes::all().0.into_iter().filter(|scope: &Scope| caller.holds(*scope));
    Ok(HttpResponse::Ok().json(Me {
        person,
        api_key: match caller.principal() {
            Principal::Key(key) => Some(key),
            _ => None,
        },
        administrator: caller.is_administrator(),
        memberships: memberships.map(|(&organisation, &role)| Membership { organisation, role }).collect(),
        scopes: scopes.collect(),
    }))
}

/// Changes the password of whoever has signed in, and ends their other sessions.
#[utoipa::path(tag = "identity", request_body = PasswordChange, responses((status = 204, description = "Changed")))]
#[put("/me/password")]
pub(crate) async fn change_password(
    app: Data<App>,
    caller: Caller,
    entrance: Data<Entrance>,
    request: HttpRequest,
    Body(change): Body<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    let id = caller.person()?;
    let person = store::person(&app.db, id).await?.ok_or_else(Problem::not_found)?;
    let kept = person.password_hash;
    // Whoever found a session open shall not find the password.
    let attempt = Attempt::count(&app.log, &person.email, entrance.address(&request)).await?;
    if !attempt.verify(&app.log, change.current, kept.clone()).await? {
        return Err(Problem::invalid(vec![Fault::at("/current", "this is not your password")]));
    }
    let hash = password::hash(change.new).await?;
    let tx = app.log.begin(&caller).await?;
    let row = person::ActiveModel { password_hash: Set(Some(hash)), updated_at: Set(now()), ..Default::default() };
    // Only over the one that was verified: of two changes at once, one is refused.
    let changed = person::Entity::update_many()
        .set(row)
        .col_expr(person::Column::Version, Expr::col(person::Column::Version).add(1))
        .filter(person::Column::Id.eq(id))
        .filter(person::Column::PasswordHash.eq(kept))
        .exec(&tx)
        .await?;
    if changed.rows_affected == 0 {
        return Err(Problem::conflict("the password has just been changed"));
    }
    let mut others = session::Entity::delete_many().filter(session::Column::PersonId.eq(id));
    if let Principal::Person { session, .. } = caller.principal() {
        others = others.filter(session::Column::Id.ne(session));
    }
    others.exec(&tx).await?;
    tx.commit(Recorded::of("person", id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Erases whoever has signed in: their account, sessions, memberships and requests.
///
/// What they did in the name of organisations stays, under a number that leads to nobody, and so does the audit log. Answers that name
/// them are forgotten: a request of somebody else's that is sent again under its key meets a 409 instead. Refused while an organisation would be left
/// without an owner: hand it over, or delete it, first.
#[utoipa::path(tag = "identity", responses((status = 204, description = "Erased")))]
#[delete("/me")]
pub(crate) async fn erase_me(app: Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    let id = caller.person()?;
    let tx = app.log.begin(&caller).await?;
    let sole = store::sole_ownerships(&tx, id).await?;
    if let Some(organisation) = sole.first() {
        let detail = format!("organisation {organisation} would have no owner: name another one, or delete it, first");
        return Err(Problem::conflict(detail));
    }
    person::Entity::delete_by_id(id).exec(&tx).await?;
    once::erase(&tx, id).await?;
    tx.commit(Recorded::of("person", id)).await?;
    database::forget_deleted(&app.db).await?;
    Ok(HttpResponse::NoContent().finish())
}
