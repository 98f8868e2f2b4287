//! `/v1/organisations/{id}/audit`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, Responder, get};
use uuid::Uuid;

use super::{AuditEntry, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::database::begin_read;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_audit_entries);
}

/// Lists what was done with an organisation and what is its own, and who read what is sealed of it, oldest first.
#[utoipa::path(tag = "organisations", params(("id" = Uuid, Path, description = "Id of the organisation"), Paging),
    responses((status = 200, description = "A page of entries", body = Page<AuditEntry>)))]
#[get("/organisations/{id}/audit")]
pub(crate) async fn list_audit_entries(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let slice = pager.slice();
    let after = slice.after.map(|position| position.parse::<i64>()).transpose();
    let after = after.map_err(|_| Problem::malformed(vec![Fault::parameter("cursor", "not of this list")]))?;
    let db = begin_read(&app.db).await?;
    caller.require_inside(&db, *id, Role::Viewer).await?;
    let entries = store::page(&db, *id, slice.limit, after).await?;
    caller.saw("audit", *id, Some(*id));
    pager.page(entries, |entry: &AuditEntry| entry.position.to_string())
}
