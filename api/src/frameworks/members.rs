//! `/v1/frameworks/{id}/members`: whether an organisation stays.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use uuid::Uuid;

use super::routes::{SUBJECT, about, lasting, recorded};
use super::{Framework, Standing, sight, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::events::{EventType, News};
use crate::once::Once;
use crate::problem::Problem;
use crate::resource::etagged;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(accept_framework).service(leave_framework);
}

/// Stays with a consortium for the next call. It binds to nothing: each call has its own invitation.
#[utoipa::path(tag = "frameworks",
    params(("id" = Uuid, Path, description = "Id of the framework"),
        ("organisation" = Uuid, Path, description = "Id of the organisation that stays")),
    responses((status = 200, description = "It stays", body = Framework)))]
#[post("/frameworks/{id}/members/{organisation}/accept")]
pub(crate) async fn accept_framework(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    answered(&app, &caller, once, *path, Standing::Accepted).await
}

/// Does not stay, or leaves. The lead does not: it ends the framework.
#[utoipa::path(tag = "frameworks",
    params(("id" = Uuid, Path, description = "Id of the framework"),
        ("organisation" = Uuid, Path, description = "Id of the organisation that leaves")),
    responses((status = 200, description = "It has left", body = Framework)))]
#[post("/frameworks/{id}/members/{organisation}/leave")]
pub(crate) async fn leave_framework(
    app: Data<App>,
    caller: Caller,
    once: Once,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    answered(&app, &caller, once, *path, Standing::Left).await
}

async fn answered(
    app: &App,
    caller: &Caller,
    once: Once,
    (id, organisation): (Uuid, Uuid),
    answer: Standing,
) -> Result<HttpResponse, Problem> {
    once.write(app, async |tx| {
        store::lock(tx, id).await?;
        let mut whole = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
        let before = whole.standing(organisation).ok_or_else(Problem::not_found)?;
        caller.require_inside(tx, organisation, Role::Editor).await?;
        lasting(&whole)?;
        if organisation == whole.row.lead_id {
            return Err(Problem::conflict("the lead stays until it ends the framework"));
        }
        if before == answer {
            let stays = answer == Standing::Accepted;
            return Err(Problem::conflict(if stays { "it stays already" } else { "it has left already" }));
        }
        if let Some(own) = whole.members.get_mut(&organisation) {
            own.standing = answer;
            own.answers += 1;
        }
        store::answer(tx, &mut whole, organisation).await?;
        let kind = if answer == Standing::Accepted { EventType::FrameworkAccepted } else { EventType::FrameworkLeft };
        // Whoever had not said yes was known to the lead alone.
        let was_known = (before, answer) != (Standing::Asked, Standing::Left);
        let audience = if was_known { whole.staying().collect() } else { vec![whole.row.lead_id] };
        let told = News::of(kind, SUBJECT, id, audience).with(about(organisation));
        let view = sight::view(&whole, organisation).ok_or_else(Problem::not_found)?;
        Ok((etagged(view.version, &view), recorded(&whole, organisation).telling(told)))
    })
    .await
}
