//! `/v1/organisations/{id}/join-requests` and `/v1/join-requests`.

use std::cell::Cell;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::entity::join_request::{ActiveModel, Column, Entity, Model};
use super::invitations::joined;
use super::{JoinKind, JoinRequest, JoinState, NewJoinRequest, leases, store};
use crate::access::{Caller, Role, Routes, is_claimed};
use crate::app::App;
use crate::audit::{Recorded, Write};
use crate::body::Body;
use crate::database::{begin_read, now};
use crate::events::{EventType, News};
use crate::once::Once;
use crate::organisations;
use crate::page::{Page, Pager, Paging};
use crate::problem::Problem;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(create_join_request)
        .service(list_join_requests)
        .service(accept_join_request)
        .service(decline_join_request);
}

/// Asks to join an organisation.
///
/// One that has members decides by its owners. One that nobody looks after, since it was imported, is claimed: an administrator of the
/// platform reviews that, and whoever is accepted becomes its owner.
#[utoipa::path(tag = "identity", request_body = NewJoinRequest, params(("id" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 201, description = "Asked", body = JoinRequest)))]
#[post("/organisations/{id}/join-requests")]
pub(crate) async fn create_join_request(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewJoinRequest>,
) -> Result<HttpResponse, Problem> {
    let person = caller.person()?;
    once.write(&app, async |tx| {
        if !organisations::store::exists(tx, *id).await? {
            return Err(Problem::not_found());
        }
        // Of two requests at once, one waits and then finds the other.
        organisations::store::lock(tx, *id).await?;
        if caller.memberships().contains_key(&id) {
            return Err(Problem::conflict("you belong to this organisation already"));
        }
        let open = Entity::find()
            .filter(Column::OrganisationId.eq(*id))
            .filter(Column::PersonId.eq(person))
            .filter(Column::State.eq(JoinState::Open));
        if open.one(tx).await?.is_some() {
            return Err(Problem::conflict("you have asked already, and wait for an answer"));
        }
        let row = Model {
            id: Uuid::now_v7(),
            organisation_id: *id,
            person_id: person,
            kind: if is_claimed(tx, *id).await? { JoinKind::Membership } else { JoinKind::Claim },
            state: JoinState::Open,
            message: new.message,
            created_at: now(),
            decided_at: None,
        };
        Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(tx).await?;
        let request = views(tx, vec![row]).await?.pop().ok_or_else(Problem::not_found)?;
        let place = format!("/v1/join-requests/{}", request.id);
        let news = News::of(EventType::OrganisationAsked, "organisation", *id, [*id]);
        let news = news.with(json!({ "join_request": request.id, "person": person }));
        let recorded = recorded(&request).telling(news);
        Ok((HttpResponse::Created().insert_header((LOCATION, place)).json(request), recorded))
    })
    .await
}

/// Requests with who asks. One query.
async fn views(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<JoinRequest>, DbErr> {
    let people = store::people(db, rows.iter().map(|row| row.person_id)).await?;
    let view = |row: Model| {
        let Model { id, organisation_id: organisation, person_id, kind, state, message, created_at, decided_at } = row;
        let person = people.get(&person_id)?.clone();
        Some(JoinRequest { id, organisation, person, kind, state, message, created_at, decided_at })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}

/// The requests that somebody may see: their own, and those that they decide on.
fn seen(caller: &Caller) -> Condition {
    let decided = decided(caller);
    match caller.person() {
        Ok(person) => decided.add(Column::PersonId.eq(person)),
        Err(_) => decided,
    }
}

/// The requests that somebody decides on.
fn decided(caller: &Caller) -> Condition {
    let owned = caller.memberships().iter().filter(|(_, role)| **role == Role::Owner).map(|(id, _)| *id);
    let of_own = Condition::all().add(Column::OrganisationId.is_in(owned)).add(Column::Kind.eq(JoinKind::Membership));
    let decided = Condition::any().add(of_own);
    if caller.is_administrator() { decided.add(Column::Kind.eq(JoinKind::Claim)) } else { decided }
}

/// Lists requests to join: one's own, and those that one decides on, oldest first.
#[utoipa::path(tag = "identity", params(Paging), responses((status = 200, description = "A page of requests", body = Page<JoinRequest>)))]
#[get("/join-requests")]
pub(crate) async fn list_join_requests(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let requests = page(&db, seen(&caller), pager.slice().limit, pager.after_id()?).await?;
    let page = pager.page(requests, |request: &JoinRequest| request.id.to_string())?;
    page.items().for_each(|request| caller.saw("join_request", request.id, Some(request.organisation)));
    Ok(page)
}

/// Up to `limit` of some requests, by id. Two queries.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    which: Condition,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<JoinRequest>, DbErr> {
    let mut rows = Entity::find().filter(which).order_by_asc(Column::Id).limit(limit);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.gt(after));
    }
    views(db, rows.all(db).await?).await
}

/// The requests on which the owners of an organisation decide.
pub(crate) fn to_join(organisation: Uuid) -> Condition {
    Condition::all().add(Column::OrganisationId.eq(organisation)).add(Column::Kind.eq(JoinKind::Membership))
}

/// Lets somebody join: as a viewer, or as the owner of an organisation that they claimed.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the request")),
    responses((status = 200, description = "Accepted", body = JoinRequest)))]
#[post("/join-requests/{id}/accept")]
pub(crate) async fn accept_join_request(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    // Whoever sends it again because the answer was lost waits, too.
    let voided = Cell::new(true);
    let response = once
        .write(&app, async |tx| {
            let row = decide(tx, &caller, *id, JoinState::Accepted).await?;
            let role = match row.kind {
                JoinKind::Membership => Role::Viewer,
                // Of two claims, the first that is accepted is the owner's.
                JoinKind::Claim if is_claimed(tx, row.organisation_id).await? => {
                    return Err(Problem::conflict("somebody else has claimed this organisation in the meantime"));
                }
                JoinKind::Claim => Role::Owner,
            };
            if store::membership(tx, row.organisation_id, row.person_id).await?.is_none() {
                voided.set(store::join(tx, row.organisation_id, row.person_id, role).await?);
            }
            let news = joined(row.organisation_id, row.person_id);
            let (response, recorded) = shown(tx, row).await?;
            Ok((response, recorded.telling(news)))
        })
        .await?;
    if voided.get() {
        leases::run_out(&request).await;
    }
    Ok(response)
}

/// Declines a request to join.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the request")),
    responses((status = 200, description = "Declined", body = JoinRequest)))]
#[post("/join-requests/{id}/decline")]
pub(crate) async fn decline_join_request(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let row = decide(tx, &caller, *id, JoinState::Declined).await?;
        shown(tx, row).await
    })
    .await
}

async fn shown(tx: &Write, row: Model) -> Result<(HttpResponse, Recorded), Problem> {
    let request = views(tx, vec![row]).await?.pop().ok_or_else(Problem::not_found)?;
    let recorded = recorded(&request);
    Ok((HttpResponse::Ok().json(request), recorded))
}

fn recorded(request: &JoinRequest) -> Recorded {
    let recorded = Recorded::of("join_request", request.id).concerning([request.organisation]);
    recorded.with(json!({ "person": request.person.id }))
}

/// Moves a request on from open; of two decisions at once, one is refused.
async fn decide(tx: &DatabaseTransaction, caller: &Caller, id: Uuid, state: JoinState) -> Result<Model, Problem> {
    let find = || Entity::find_by_id(id).filter(seen(caller));
    let row = find().one(tx).await?.ok_or_else(Problem::not_found)?;
    // Claims of one organisation are decided one after the other.
    organisations::store::lock(tx, row.organisation_id).await?;
    let moved = Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::DecidedAt, Expr::value(now()))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(JoinState::Open))
        .filter(decided(caller))
        .exec(tx)
        .await?;
    let row = find().one(tx).await?.ok_or_else(Problem::not_found)?;
    match (moved.rows_affected, row.state) {
        (1, _) => Ok(row),
        (_, JoinState::Open) => {
            Err(Problem::new(crate::problem::Kind::Forbidden).because("you cannot decide on your own request"))
        }
        _ => Err(Problem::conflict("this request has been decided on")),
    }
}
