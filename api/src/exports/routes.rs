//! `/v1/organisations/{id}/export`.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use uuid::Uuid;

use super::{Export, document};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::organisations;
use crate::problem::Problem;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(export_organisation);
}

/// Reads all that concerns an organisation, in one document: what it wrote, asked and was answered, who belongs to it, and its log.
///
/// The answer is written part by part: each part as it stands when its turn comes, and a break of the connection where that fails.
#[utoipa::path(tag = "organisations", params(("id" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 200, description = "All that concerns it", body = Export)))]
#[get("/organisations/{id}/export")]
pub(crate) async fn export_organisation(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    caller.require_inside(&app.db, *id, Role::Owner).await?;
    let organisation = organisations::store::find(&app.db, *id).await?.ok_or_else(Problem::not_found)?;
    caller.saw("organisation", *id, Some(*id));
    let body = document::written(app.db.clone(), caller, organisation);
    Ok(HttpResponse::Ok().content_type("application/json").streaming(body))
}
