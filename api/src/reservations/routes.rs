//! `/v1/organisations/{id}/reservations`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post};
use uuid::Uuid;

use super::{NewReservation, Reservation, store};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::database::begin_read;
use crate::once::Once;
use crate::organisations;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_reservations).service(create_reservation).service(delete_reservation);
}

/// Lists the reservations of an organisation, oldest first. Its members alone read them.
#[utoipa::path(tag = "organisations", params(("id" = Uuid, Path, description = "Id of the organisation"), Paging),
    responses((status = 200, description = "A page of reservations", body = Page<Reservation>)))]
#[get("/organisations/{id}/reservations")]
pub(crate) async fn list_reservations(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    caller.require_inside(&db, *id, Role::Viewer).await?;
    let rows = store::page(&db, *id, &pager.slice(), pager.after_id()?).await?;
    let page = pager.page(rows, |reservation: &Reservation| reservation.id.to_string())?;
    page.items().for_each(|reservation| caller.saw("reservation", reservation.id, Some(*id)));
    Ok(page)
}

/// Says with whom an organisation would rather not work: it is no longer proposed together with them, and nobody else learns why.
#[utoipa::path(tag = "organisations", request_body = NewReservation, params(("id" = Uuid, Path, description = "Id of the organisation")),
    responses((status = 201, description = "Kept", body = Reservation)))]
#[post("/organisations/{id}/reservations")]
pub(crate) async fn create_reservation(
    app: Data<App>,
    caller: Caller,
    once: Once,
    id: Path<Uuid>,
    Body(new): Body<NewReservation>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        caller.require_inside(tx, *id, Role::Editor).await?;
        let mut faults = Vec::new();
        if new.against == *id {
            faults.push(Fault::at("/against", "a reservation is against another organisation"));
        } else if !organisations::store::exists(tx, new.against).await? {
            faults.push(Fault::at("/against", "there is no such organisation"));
        }
        Problem::check(faults)?;
        let reservation = store::insert(tx, *id, new).await?;
        let place = format!("/v1/organisations/{id}/reservations/{}", reservation.id);
        let recorded = Recorded::of("reservation", reservation.id).concerning([*id]);
        Ok((HttpResponse::Created().insert_header((LOCATION, place)).json(reservation), recorded))
    })
    .await
}

/// Takes a reservation back.
#[utoipa::path(tag = "organisations",
    params(("id" = Uuid, Path, description = "Id of the organisation"), ("reservation" = Uuid, Path, description = "Id of the reservation")),
    responses((status = 204, description = "Gone")))]
#[delete("/organisations/{id}/reservations/{reservation}")]
pub(crate) async fn delete_reservation(
    app: Data<App>,
    caller: Caller,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (organisation, reservation) = path.into_inner();
    let tx = app.log.begin(&caller).await?;
    caller.require_inside(&tx, organisation, Role::Editor).await?;
    if !store::delete(&tx, organisation, reservation).await? {
        return Err(Problem::not_found());
    }
    tx.commit(Recorded::of("reservation", reservation).concerning([organisation])).await?;
    Ok(HttpResponse::NoContent().finish())
}
