//! `/v1/events`.

use std::time::Instant;

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, Responder, get};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::entity::audience;
use super::{Event, EventType, store};
use crate::access::guard::look_again;
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::page::{Page, Pager};
use crate::prefer;
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_events);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListEvents {
    /// Only events of this type.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<EventType>,
    /// Only about the thing with this id.
    subject: Option<Uuid>,
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists what happened, as far as it is addressed to your organisations, oldest first.
///
/// `next` is always there: keep it, and ask again with it later. No event is ever missed or told twice by going on from it. With
/// `Prefer: wait=N` an empty page waits for the next event, N seconds (60 at most).
#[utoipa::path(tag = "events",
    params(ListEvents, ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for an event")),
    responses((status = 200, description = "A page of events", body = Page<Event>)))]
#[get("/events")]
pub(crate) async fn list_events(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<ListEvents>,
) -> Result<impl Responder, Problem> {
    let ListEvents { kind, subject, limit, cursor } = query.into_inner();
    let pager = Pager::new(&request, &app.cursors, limit, cursor.as_deref())?;
    let (filter, after) = (store::Filter { kind, subject }, pager.after_id()?.filter(|id| !id.is_nil()));
    let wait = prefer::wait(&request);
    let until = Instant::now() + wait;
    let mut news = app.log.bell().listen();
    let events = loop {
        let readers = caller.owns(audience::Column::OrganisationId);
        let found = store::page(&app.db, readers, &filter, after, pager.slice().limit).await?;
        let found = found.ok_or_else(|| {
            Problem::malformed(vec![Fault::parameter("cursor", "not of this list; without one the list starts anew")])
        })?;
        let left = until.saturating_duration_since(Instant::now());
        if !found.is_empty() || left.is_zero() {
            break found;
        }
        // Another replica rings no bell here: look again every second.
        let _ = tokio::time::timeout(left.min(store::LOOK_AGAIN), news.changed()).await;
    };
    if !wait.is_zero() {
        look_again(&app, &request).await?;
    }
    let start = after.unwrap_or_default().to_string();
    let page = pager.feed(events, &start, |told: &store::Told| told.event.id.to_string())?;
    for store::Told { event, organisations } in page.items() {
        for own in organisations {
            caller.saw("event", event.id, Some(*own));
        }
    }
    Ok(page.map(|told| told.event))
}
