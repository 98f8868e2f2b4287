//! `/v1/organisations/{id}/invitations` and `/v1/invitations`.

use std::cell::Cell;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post};
use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::entity::invitation;
use super::{Invitation, InvitationAnswer, IssuedInvitation, Membership, NewInvitation, leases, store};
use crate::access::credential::{Kind as SecretKind, Secret};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::{begin_read, now};
use crate::events::{EventType, News};
use crate::once::Once;
use crate::organisations;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(create_invitation).service(list_invitations).service(delete_invitation).service(accept_invitation);
}

/// Invites somebody into an organisation. Whoever sends the secret first joins.
#[utoipa::path(tag = "identity", request_body = NewInvitation, params(("id" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 201, description = "Send the secret to whom you invite", body = IssuedInvitation)))]
#[post("/organisations/{id}/invitations")]
pub(crate) async fn create_invitation(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewInvitation>,
) -> Result<HttpResponse, Problem> {
    once.issue(&app, async |tx| {
        caller.require_inside(tx, *id, Role::Owner).await?;
        let secret = Secret::generate(SecretKind::Invitation)?;
        let created_at = now();
        let row = invitation::Model {
            id: Uuid::now_v7(),
            organisation_id: *id,
            role: new.role,
            digest: secret.digest(),
            created_at,
            expires_at: created_at + TimeDelta::days(i64::from(new.valid_days)),
            used_at: None,
        };
        invitation::Entity::insert(invitation::ActiveModel::from(row.clone())).exec_without_returning(tx).await?;
        let issued = IssuedInvitation { invitation: view(row), secret: secret.reveal().to_owned() };
        let place = format!("/v1/organisations/{id}/invitations/{}", issued.invitation.id);
        let news = News::of(EventType::OrganisationInvited, "organisation", *id, [*id]);
        let news = news.with(json!({ "invitation": issued.invitation.id }));
        let recorded = Recorded::of("invitation", issued.invitation.id).concerning([*id]).telling(news);
        Ok((HttpResponse::Created().insert_header((LOCATION, place)).json(issued), recorded))
    })
    .await
}

/// What an organisation is told of a new member.
pub(super) fn joined(organisation: Uuid, person: Uuid) -> News {
    let news = News::of(EventType::OrganisationJoined, "organisation", organisation, [organisation]);
    news.with(json!({ "person": person }))
}

#[allow(clippy::needless_pass_by_value, reason = "a view takes the place of its row")]
fn view(row: invitation::Model) -> Invitation {
    let invitation::Model { id, organisation_id: organisation, role, digest: _, created_at, expires_at, used_at } = row;
    Invitation { id, organisation, role, created_at, expires_at, used_at }
}

/// Lists the invitations of an organisation, oldest first.
#[utoipa::path(tag = "identity", params(("id" = Uuid, Path, description = "Id of the organisation"), Paging),
    responses((status = 200, description = "A page of invitations", body = Page<Invitation>)))]
#[get("/organisations/{id}/invitations")]
pub(crate) async fn list_invitations(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    caller.require_inside(&db, *id, Role::Owner).await?;
    let invitations = page(&db, *id, pager.slice().limit, pager.after_id()?).await?;
    let page = pager.page(invitations, |invitation: &Invitation| invitation.id.to_string())?;
    page.items().for_each(|invitation| caller.saw("invitation", invitation.id, Some(*id)));
    Ok(page)
}

/// Up to `limit` invitations of an organisation, by id. One query.
pub(crate) async fn page(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    limit: u64,
    after: Option<Uuid>,
) -> Result<Vec<Invitation>, DbErr> {
    let mut rows = invitation::Entity::find()
        .filter(invitation::Column::OrganisationId.eq(organisation))
        .order_by_asc(invitation::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        rows = rows.filter(invitation::Column::Id.gt(after));
    }
    Ok(rows.all(db).await?.into_iter().map(view).collect())
}

/// Takes an invitation back.
#[utoipa::path(tag = "identity",
    params(("id" = Uuid, Path, description = "Id of the organisation"), ("invitation" = Uuid, Path, description = "Id of the invitation")),
    responses((status = 204, description = "Void")))]
#[delete("/organisations/{id}/invitations/{invitation}")]
pub(crate) async fn delete_invitation(
    app: Data<App>,
    caller: Caller,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (organisation, invitation) = path.into_inner();
    let tx = app.log.begin(&caller).await?;
    caller.require_inside(&tx, organisation, Role::Owner).await?;
    let gone = invitation::Entity::delete_many()
        .filter(invitation::Column::Id.eq(invitation))
        .filter(invitation::Column::OrganisationId.eq(organisation))
        .exec(&tx)
        .await?;
    if gone.rows_affected == 0 {
        return Err(Problem::not_found());
    }
    tx.commit(Recorded::of("invitation", invitation).concerning([organisation])).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Joins an organisation by an invitation.
#[utoipa::path(tag = "identity", request_body = InvitationAnswer,
    responses((status = 200, description = "A member from now on", body = Membership)))]
#[post("/invitations/accept")]
pub(crate) async fn accept_invitation(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    once: Once,
    Body(answer): Body<InvitationAnswer>,
) -> Result<HttpResponse, Problem> {
    let person = caller.person()?;
    let refuse = || Problem::invalid(vec![Fault::at("/secret", "this invitation is not, or no longer, valid")]);
    let secret = Secret::parse(&answer.secret).filter(|secret| secret.kind() == SecretKind::Invitation);
    let secret = secret.ok_or_else(refuse)?;
    // Whoever sends it again because the answer was lost waits, too.
    let voided = Cell::new(true);
    let response = once
        .write(&app, async |tx| {
            let found = || invitation::Entity::find().filter(invitation::Column::Digest.eq(secret.digest()));
            let organisation = found().one(tx).await?.ok_or_else(refuse)?.organisation_id;
            // Whoever joins first ends the care of the platform: one after the other.
            organisations::store::lock(tx, organisation).await?;
            let used = invitation::Entity::update_many()
                .col_expr(invitation::Column::UsedAt, Expr::value(now()))
                .filter(invitation::Column::Digest.eq(secret.digest()))
                .filter(invitation::Column::ExpiresAt.gt(now()))
                .filter(invitation::Column::UsedAt.is_null())
                .exec(tx)
                .await?;
            if used.rows_affected == 0 {
                return Err(refuse());
            }
            let invitation = found().one(tx).await?.ok_or_else(refuse)?;
            if store::membership(tx, invitation.organisation_id, person).await?.is_some() {
                return Err(Problem::conflict("you belong to this organisation already"));
            }
            voided.set(store::join(tx, invitation.organisation_id, person, invitation.role).await?);
            let membership = Membership { organisation: invitation.organisation_id, role: invitation.role };
            let recorded = Recorded::of("member", person).concerning([membership.organisation]);
            let recorded = recorded.with(json!({ "invitation": invitation.id }));
            let recorded = recorded.telling(joined(membership.organisation, person));
            Ok((HttpResponse::Ok().json(membership), recorded))
        })
        .await?;
    if voided.get() {
        leases::run_out(&request).await;
    }
    Ok(response)
}
