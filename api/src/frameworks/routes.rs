//! `/v1/frameworks`.

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, post};
use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use uuid::Uuid;

use super::changes::{self, Days, Trees};
use super::fit::Asked;
use super::sight::{self, Depth};
use super::store::Whole;
use super::{
    Framework, FrameworkChanges, FrameworkMemberChanges, FrameworkSummary, NewFramework, Standing, keeping, store,
};
use crate::access::{Caller, Role, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::calls::problem::last_day;
use crate::calls::window::Window;
use crate::calls::{self, Call, CallStatus};
use crate::consortia;
use crate::consortia::acting::call_of;
use crate::consortia::routes::ReadAs;
use crate::database::{begin_read, clock};
use crate::events::{EventType, News};
use crate::once::Once;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Kind, Problem};
use crate::resource::{etag, etagged, missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .service(create_framework)
        .service(list_frameworks)
        .service(get_framework)
        .service(get_framework_changes)
        .service(end_framework);
}

/// Keeps a consortium that one leads for the next call. Its members are asked whether they stay; nobody else learns of it.
///
/// What is remembered is what each delivered, without amounts, and what each showed of itself to everybody on this day.
#[utoipa::path(tag = "frameworks", request_body = NewFramework,
    responses((status = 201, description = "Kept", body = Framework)))]
#[post("/frameworks")]
pub(crate) async fn create_framework(
    app: Data<App>,
    caller: Caller,
    once: Once,
    Body(new): Body<NewFramework>,
) -> Result<HttpResponse, Problem> {
    once.write(&app, async |tx| {
        let not_led = || Problem::invalid(vec![Fault::at("/consortium", "this is not a consortium that you lead")]);
        let consortium = consortia::store::find(tx, new.consortium).await?.ok_or_else(not_led)?;
        let (consortium, _) = consortium.at(clock(tx).await?);
        let lead = consortium.state.lead;
        if !caller.may(tx, lead, Role::Editor).await? {
            return Err(not_led());
        }
        if !keeping::is_agreed(&consortium) {
            return Err(Problem::conflict("a consortium is kept once all its members have signed a version of it"));
        }
        let call = call_of(tx, &consortium).await?;
        let whole = keeping::kept(tx, &consortium, &call, new.name.clone()).await?;
        store::insert(tx, &whole).await?;
        let view = sight::view(&whole, lead).ok_or_else(Problem::not_found)?;
        let asked = whole.members.keys().copied().filter(|id| *id != lead);
        let recorded = recorded(&whole, lead).telling(News::of(EventType::FrameworkAsked, SUBJECT, view.id, asked));
        let response = HttpResponse::Created()
            .insert_header((ETAG, etag(view.version)))
            .insert_header((LOCATION, format!("/v1/frameworks/{}", view.id)))
            .json(view);
        Ok((response, recorded))
    })
    .await
}

/// What events and the log call it.
pub(super) const SUBJECT: &str = "framework";

/// What is recorded of something that an organisation does.
pub(super) fn recorded(whole: &Whole, organisation: Uuid) -> Recorded {
    Recorded::of(SUBJECT, whole.row.id).concerning([organisation]).version(sight::version(whole, organisation))
}

/// Lists the frameworks that your organisations lead or were asked to stay in, oldest first.
#[utoipa::path(tag = "frameworks", params(Paging),
    responses((status = 200, description = "A page of frameworks", body = Page<FrameworkSummary>)))]
#[get("/frameworks")]
pub(crate) async fn list_frameworks(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let db = begin_read(&app.db).await?;
    let wholes = store::page(&db, &caller, pager.slice().limit, pager.after_id()?).await?;
    let mut found = Vec::with_capacity(wholes.len());
    for whole in &wholes {
        let reader = own_sight(&db, &caller, whole, None).await?;
        found.extend(reader.and_then(|reader| sight::summary(whole, reader)));
    }
    pager.page(found, |one: &FrameworkSummary| one.id.to_string())
}

/// As which of their organisations the caller sees a framework; nothing where they do not. At most one query.
async fn own_sight(
    db: &impl ConnectionTrait,
    caller: &Caller,
    whole: &Whole,
    named: Option<Uuid>,
) -> Result<Option<Uuid>, DbErr> {
    let own = caller.own_among(db, whole.members.keys().copied()).await?;
    Ok(sight::deepest(whole, own.into_iter().filter(|id| named.is_none_or(|named| named == *id))))
}

/// A framework for whoever may read it, and as whom. Three queries.
async fn readable(
    db: &impl ConnectionTrait,
    caller: &Caller,
    id: Uuid,
    named: Option<Uuid>,
) -> Result<(Whole, Uuid), Problem> {
    let whole = store::find(db, id).await?.ok_or_else(Problem::not_found)?;
    let reader = own_sight(db, caller, &whole, named).await?.ok_or_else(Problem::not_found)?;
    Ok((whole, reader))
}

/// Reads a framework, as far as one may: the lead sees whom it asked, those who stay see each other.
#[utoipa::path(tag = "frameworks", params(("id" = Uuid, Path, description = "Id of the framework"), ReadAs),
    responses((status = 200, description = "The framework", body = Framework)))]
#[get("/frameworks/{id}")]
pub(crate) async fn get_framework(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    query: Query<ReadAs>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (whole, reader) = readable(&db, &caller, *id, query.organisation).await?;
    let view = sight::view(&whole, reader).ok_or_else(Problem::not_found)?;
    Ok(etagged(view.version, &view))
}

/// Ends a framework, in the version named by `If-Match`. Those who stayed, and those who were asked, are told.
#[utoipa::path(tag = "frameworks",
    params(("id" = Uuid, Path, description = "Id of the framework"),
        ("If-Match" = String, Header, description = "`ETag` of the version to end")),
    responses((status = 204, description = "Ended")))]
#[delete("/frameworks/{id}")]
pub(crate) async fn end_framework(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    store::lock(&tx, *id).await?;
    let mut whole = store::find(&tx, *id).await?.ok_or_else(Problem::not_found)?;
    let lead = whole.row.lead_id;
    if !caller.may(&tx, lead, Role::Editor).await? {
        let knows = own_sight(&tx, &caller, &whole, None).await?.is_some();
        let not_lead = || Problem::new(Kind::Forbidden).because("only the lead ends a framework");
        return Err(if knows { not_lead() } else { Problem::not_found() });
    }
    if whole.row.version != version {
        return Err(missed(true));
    }
    lasting(&whole)?;
    store::end(&tx, &mut whole, clock(&tx).await?).await?;
    let concerned = whole.members.values().filter(|own| own.standing != Standing::Left).map(|own| own.organisation_id);
    let told = News::of(EventType::FrameworkEnded, SUBJECT, *id, concerned.filter(|other| *other != lead));
    tx.commit(recorded(&whole, lead).telling(told)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whether a framework is not over.
pub(super) fn lasting(whole: &Whole) -> Result<(), Problem> {
    if whole.row.ended_at.is_some() { Err(Problem::conflict("the framework is over")) } else { Ok(()) }
}

/// As whom changes are read, and for which call.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadChanges {
    /// As which of your organisations; the one that sees most where absent.
    organisation: Option<Uuid>,
    /// A published call: what those who stay could do of it now, and what is missing.
    call: Option<Uuid>,
}

/// Reads what has changed since a consortium was kept, for its lead and those who stay: capabilities and certificates, by what everybody
/// may know of them, and members that are gone.
///
/// With a call: which of its needs those who stay can cover now, which conditions nobody meets, and what one more partner should bring.
#[utoipa::path(tag = "frameworks", params(("id" = Uuid, Path, description = "Id of the framework"), ReadChanges),
    responses((status = 200, description = "What has changed", body = FrameworkChanges)))]
#[get("/frameworks/{id}/changes")]
pub(crate) async fn get_framework_changes(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    query: Query<ReadChanges>,
) -> Result<HttpResponse, Problem> {
    let db = begin_read(&app.db).await?;
    let (whole, reader) = readable(&db, &caller, *id, query.organisation).await?;
    if sight::depth(&whole, reader) < Some(Depth::Member) {
        return Err(Problem::new(Kind::Forbidden).because("changes are for those who stay: accept first"));
    }
    let call = match query.call {
        Some(call) => Some(published(&db, &caller, call).await?),
        None => None,
    };
    let on = clock(&db).await?.date_naive();
    let members = changed(&db, &whole, reader, on, call.as_ref()).await?;
    let gone: Vec<Uuid> = members.iter().filter(|own| own.gone).map(|own| own.organisation).collect();
    let asked = match call {
        Some(call) => {
            let team = whole.staying().filter(|id| !gone.contains(id) && *id != call.value.written.funder).collect();
            Some(Asked::load(&db, &whole, call, reader, team).await?)
        }
        None => None,
    };
    drop(db);
    let fit = match asked {
        Some(asked) => Some(asked.answer().await?),
        None => None,
    };
    // What one's own exact capacities can do shows in it.
    caller.saw(SUBJECT, whole.row.id, Some(reader));
    Ok(HttpResponse::Ok().json(FrameworkChanges { framework: whole.row.id, seen_as: reader, on, members, fit }))
}

async fn published(db: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Call, Problem> {
    let call = calls::store::find_visible(db, caller, id).await?;
    let none = || Problem::malformed(vec![Fault::parameter("call", "there is no published call with this id")]);
    call.filter(|call| call.value.status != CallStatus::Draft).ok_or_else(none)
}

/// What has changed in each member that the reader sees. Nine queries.
async fn changed(
    db: &impl ConnectionTrait,
    whole: &Whole,
    reader: Uuid,
    today: NaiveDate,
    call: Option<&Call>,
) -> Result<Vec<FrameworkMemberChanges>, DbErr> {
    let contract = call.and_then(|call| Some((call.value.written.starts_on, last_day(&call.value.written)?)));
    let days = Days { kept: whole.row.created_at.date_naive(), today, contract };
    let members = sight::members(whole, reader);
    let ids: Vec<Uuid> = members.iter().map(|own| own.organisation_id).collect();
    let mut now = keeping::snapshots(db, &ids).await?;
    let trees = Trees::load(&Window::new(db, None)).await?;
    let changes = members.into_iter().map(|own| {
        let (organisation, standing) = (own.organisation_id, own.standing);
        let Some(now) = now.remove(&organisation) else {
            let (capabilities, credentials) = (Vec::new(), Vec::new());
            return FrameworkMemberChanges { organisation, standing, gone: true, capabilities, credentials };
        };
        let capabilities = changes::capabilities(&own.kept, &now, days, &trees);
        let credentials = changes::credentials(&own.kept, &now, days);
        FrameworkMemberChanges { organisation, standing, gone: false, capabilities, credentials }
    });
    Ok(changes.collect())
}

/// What a news of a framework says of an organisation.
pub(super) fn about(organisation: Uuid) -> serde_json::Value {
    json!({ "organisation": organisation })
}
