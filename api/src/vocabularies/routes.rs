//! `/v1/vocabularies/{vocabulary}/terms`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, put};

use super::{NewTerm, Term, Vocabulary, store};
use crate::access::{Caller, Routes};
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Body;
use crate::calls;
use crate::database::lock;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};
use crate::resource::{if_match, missed, required_version};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(list_terms).service(get_term).service(put_term).service(delete_term);
}

/// Lists the terms of a vocabulary, by code.
#[utoipa::path(tag = "vocabularies", params(("vocabulary" = Vocabulary, Path, description = "Which vocabulary"), Paging),
    responses((status = 200, description = "A page of terms", body = Page<Term>)))]
#[get("/vocabularies/{vocabulary}/terms")]
pub(crate) async fn list_terms(
    app: Data<App>,
    request: HttpRequest,
    vocabulary: Path<Vocabulary>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let rows = store::page(&app.db, *vocabulary, &pager.slice()).await?;
    pager.page(rows.into_iter().map(store::view).collect(), |term: &Term| term.code.clone())
}

/// Reads a term.
#[utoipa::path(tag = "vocabularies",
    params(("vocabulary" = Vocabulary, Path, description = "Which vocabulary"), ("code" = String, Path, description = "Code of the term")),
    responses((status = 200, description = "The term", body = Term)))]
#[get("/vocabularies/{vocabulary}/terms/{code}")]
pub(crate) async fn get_term(app: Data<App>, path: Path<(Vocabulary, String)>) -> Result<HttpResponse, Problem> {
    let (vocabulary, code) = path.into_inner();
    let row = store::find(&app.db, vocabulary, &code).await?.ok_or_else(Problem::not_found)?;
    Ok(store::view(row).found())
}

/// Creates a term, or replaces the version named by `If-Match`.
#[utoipa::path(tag = "vocabularies", request_body = NewTerm,
    params(("vocabulary" = Vocabulary, Path, description = "Which vocabulary"), ("code" = String, Path, description = "Code of the term"),
        ("If-Match" = Option<String>, Header, description = "`ETag` of the version to replace; absent to create")),
    responses((status = 200, description = "Replaced", body = Term), (status = 201, description = "Created", body = Term)))]
#[put("/vocabularies/{vocabulary}/terms/{code}")]
pub(crate) async fn put_term(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    path: Path<(Vocabulary, String)>,
    Body(new): Body<NewTerm>,
) -> Result<HttpResponse, Problem> {
    let (vocabulary, code) = path.into_inner();
    let tx = app.log.begin(&caller).await?;
    lock(&tx, "term").await?;
    let mut faults = Vec::new();
    if !crate::codes::is_code(&code) {
        faults.push(Fault::parameter("code", crate::codes::EXPECTED));
    }
    if let Some(parent) = &new.parent {
        if store::find(&tx, vocabulary, parent).await?.is_none() {
            faults.push(Fault::at("/parent", format!("there is no term `{parent}` in {}", vocabulary.name())));
        } else if store::ancestry(&tx, vocabulary, parent).await?.contains(&code) {
            faults
                .push(Fault::at("/parent", format!("`{parent}` is the term itself or below it: a tree has no cycle")));
        }
    }
    Problem::check(faults)?;
    let exists = store::find(&tx, vocabulary, &code).await?.is_some();
    if !exists && if_match(&request)?.is_none() {
        let row = store::insert(&tx, vocabulary, &code, &new).await?;
        tx.commit(recorded(vocabulary, &code).version(row.version)).await?;
        return Ok(store::view(row).created());
    }
    if !store::replace(&tx, vocabulary, &code, &new, required_version(&request)?).await? {
        return Err(missed(exists));
    }
    let row = store::find(&tx, vocabulary, &code).await?.ok_or_else(Problem::not_found)?;
    tx.commit(recorded(vocabulary, &code).version(row.version)).await?;
    Ok(store::view(row).found())
}

/// Deletes a term that nothing refers to.
#[utoipa::path(tag = "vocabularies",
    params(("vocabulary" = Vocabulary, Path, description = "Which vocabulary"), ("code" = String, Path, description = "Code of the term"),
        ("If-Match" = String, Header, description = "`ETag` of the version to delete")),
    responses((status = 204, description = "Deleted")))]
#[delete("/vocabularies/{vocabulary}/terms/{code}")]
pub(crate) async fn delete_term(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    path: Path<(Vocabulary, String)>,
) -> Result<HttpResponse, Problem> {
    let (vocabulary, code) = path.into_inner();
    let version = required_version(&request)?;
    let tx = app.log.begin(&caller).await?;
    if !store::delete(&tx, vocabulary, &code, version).await? {
        return Err(missed(store::find(&tx, vocabulary, &code).await?.is_some()));
    }
    // A list of codes in one column: no foreign key keeps what it names.
    let is_service = vocabulary == Vocabulary::Services;
    if is_service && calls::store::all_rules(&tx).await?.iter().any(|rule| rule.services.contains(&code)) {
        return Err(Problem::conflict("a condition of a call names it"));
    }
    tx.commit(recorded(vocabulary, &code)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn recorded(vocabulary: Vocabulary, code: &str) -> Recorded {
    Recorded::of("term", format!("{}/{code}", vocabulary.name()))
}
