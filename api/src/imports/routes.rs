//! `/v1/imports`.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Import, ImportKind, RowFault, apply, store};
use crate::access::Routes;
use crate::app::App;
use crate::audit::Recorded;
use crate::body::Csv;
use crate::once::Once;
use crate::page::{Page, Pager, Paging};
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(create_import).service(list_imports).service(get_import).service(list_import_faults);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CreateImport {
    /// The format of the file.
    kind: ImportKind,
}

/// A file, in any encoding that is read.
// For the document only, which calls it binary: clients would send a text in UTF-8.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
struct CsvFile(#[allow(dead_code, reason = "only its schema is used")] Vec<u8>);

/// Imports a file. The good rows are written, all or none; each bad one is reported. The same file twice changes nothing.
#[utoipa::path(tag = "imports", params(CreateImport),
    request_body(content = CsvFile, content_type = "text/csv", description = "The file, in UTF-8 or Windows-1252; fields between `,`, `;` or tabs"),
    responses((status = 201, description = "Imported", body = Import)))]
#[post("/imports")]
pub(crate) async fn create_import(
    app: Data<App>,
    once: Once,
    query: Query<CreateImport>,
    Csv(bytes): Csv,
) -> Result<HttpResponse, Problem> {
    let read = apply::read(&app.db, query.kind, bytes).await?;
    once.write(&app, async |tx| {
        let import = read.write(tx).await?;
        let recorded = Recorded::of("import", import.id);
        let place = format!("/v1/imports/{}", import.id);
        Ok((HttpResponse::Created().insert_header((LOCATION, place)).json(import), recorded))
    })
    .await
}

/// Lists imports, oldest first.
#[utoipa::path(tag = "imports", params(Paging), responses((status = 200, description = "A page of imports", body = Page<Import>)))]
#[get("/imports")]
pub(crate) async fn list_imports(
    app: Data<App>,
    request: HttpRequest,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    let imports = store::page(&app.db, &pager.slice(), pager.after_id()?).await?;
    pager.page(imports, |import: &Import| import.id.to_string())
}

/// Reads what an import did.
#[utoipa::path(tag = "imports", params(("id" = Uuid, Path, description = "Id of the import")),
    responses((status = 200, description = "The import", body = Import)))]
#[get("/imports/{id}")]
pub(crate) async fn get_import(app: Data<App>, id: Path<Uuid>) -> Result<HttpResponse, Problem> {
    let import = store::find(&app.db, *id).await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().json(import))
}

/// Lists what was wrong in the file and what was done about it, in the order of the file.
#[utoipa::path(tag = "imports", params(("id" = Uuid, Path, description = "Id of the import"), Paging),
    responses((status = 200, description = "A page of faults", body = Page<RowFault>)))]
#[get("/imports/{id}/faults")]
pub(crate) async fn list_import_faults(
    app: Data<App>,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Query<Paging>,
) -> Result<impl Responder, Problem> {
    let pager = Pager::new(&request, &app.cursors, query.limit, query.cursor.as_deref())?;
    if store::find(&app.db, *id).await?.is_none() {
        return Err(Problem::not_found());
    }
    let after = pager.slice().after.map(|position| position.parse::<i32>()).transpose();
    let after = after.map_err(|_| Problem::malformed(vec![Fault::parameter("cursor", "not of this list")]))?;
    let faults = store::faults(&app.db, *id, &pager.slice(), after).await?;
    Ok(pager.page(faults, |(position, _)| position.to_string())?.map(|(_, fault)| fault))
}
