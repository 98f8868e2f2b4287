//! `/v1/organisations/{id}/members`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, put};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::membership;
use super::{Member, RoleChange, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::begin_read;
use crate::page::{Page, Pager, Paging};
use crate::problem::Problem;
use crate::resource::{etagged, missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_members).service(set_member_role).service(remove_member);
}

/// Lists the members of an organisation.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the organisation"), Paging),
    responses((status = 200, description = "A page of members", body = Page<Member>)))]
#[get("/organisations/{id}/members")]
pub(crate) async fn list_members(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    caller.require_inside(&db, *id, Role::Viewer).await?;
    let members = page(&db, *id, pager.slice().limit, pager.after_id()?).await?;
    let page = pager.page(members, |member: &Member| member.person.id.to_string())?;
    page.items().for_each(|member| caller.saw("member", member.person.id, Some(*id)));
    Ok(page)
}

/// Up to `limit` members of an organisation, by the id of the person. Two queries.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Member>, DbErr> {
    let mut rows = membership::Entity::find()
        .filter(membership::Column::OrganisationId.eq(organisation))
        .order_by_asc(membership::Column::PersonId)
        .limit(limit);
    if let Some(after) = after {
        rows = rows.filter(membership::Column::PersonId.gt(after));
    }
    store::members(db, rows.all(db).await?).await
}

/// Gives a member another role.
#[utoipa::path(tag = "identity", request_body = RoleChange,
    params(("id" = Uuid, Path, description = "Id of the organisation"),
        ("person" = Uuid, Path, description = "Id of the member"),
        ("If-Match" = String, Header, description = "The member's `version`, as an entity tag: `\"1\"`")),
    responses((status = 200, description = "Changed", body = Member)))]
#[put("/organisations/{id}/members/{person}")]
pub(crate) async fn set_member_role(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    path: Path<(Uuid, Uuid)>,
    Body(RoleChange { role }): Body<RoleChange>,
) -> Result<HttpResponse, Problem> {
    let (organisation, person) = path.into_inner();
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    caller.require_inside(&tx, organisation, Role::Owner).await?;
    store::membership(&tx, organisation, person).await?.ok_or_else(Problem::not_found)?;
    if role != Role::Owner {
        keep_an_owner(&tx, organisation, person).await?;
    }
    let row = membership::ActiveModel { role: Set(role), version: Set(version + 1), ..Default::default() };
    let changed = membership::Entity::update_many()
        .set(row)
        .filter(membership::Column::OrganisationId.eq(organisation))
        .filter(membership::Column::PersonId.eq(person))
        .filter(membership::Column::Version.eq(version))
        .exec(&tx)
        .await?;
    if changed.rows_affected == 0 {
        return Err(missed(true));
    }
    let row = store::membership(&tx, organisation, person).await?.ok_or_else(Problem::not_found)?;
    let member = store::members(&tx, vec![row]).await?.pop().ok_or_else(Problem::not_found)?;
    tx.commit(Recorded::of("member", person).concerning([organisation]).version(member.version)).await?;
    Ok(etagged(member.version, &member))
}

/// Takes a member out of an organisation. Everybody may leave; only owners may take out others.
#[utoipa::path(tag = "identity",
    params(("id" = Uuid, Path, description = "Id of the organisation"),
        ("person" = Uuid, Path, description = "Id of the member"),
        ("If-Match" = String, Header, description = "The member's `version`, as an entity tag: `\"1\"`")),
    responses((status = 204, description = "No longer a member")))]
#[delete("/organisations/{id}/members/{person}")]
pub(crate) async fn remove_member(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (organisation, person) = path.into_inner();
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    let leaves = caller.person().is_ok_and(|own| own == person);
    caller.require_inside(&tx, organisation, if leaves { Role::Viewer } else { Role::Owner }).await?;
    store::membership(&tx, organisation, person).await?.ok_or_else(Problem::not_found)?;
    keep_an_owner(&tx, organisation, person).await?;
    let gone = membership::Entity::delete_many()
        .filter(membership::Column::OrganisationId.eq(organisation))
        .filter(membership::Column::PersonId.eq(person))
        .filter(membership::Column::Version.eq(version))
        .exec(&tx)
        .await?;
    if gone.rows_affected == 0 {
        return Err(missed(true));
    }
    tx.commit(Recorded::of("member", person).concerning([organisation])).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Refuses to part an organisation from its last owner. Two owners who leave at once wait for each other.
async fn keep_an_owner(tx: &impl ConnectionTrait, organisation: Uuid, person: Uuid) -> Result<(), Problem> {
    if store::owners(tx, organisation).await? == [person] {
        return Err(Problem::conflict("this is the last owner: name another one first"));
    }
    Ok(())
}
