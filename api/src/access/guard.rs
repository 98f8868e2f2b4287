//! Stands before every route: who asks, and may they use this operation?

use std::collections::HashMap;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use serde_json::Value;

use super::credential::{Kind as SecretKind, Secret};
use super::policy::Policy;
use super::{Caller, Principal};
use crate::app::App;
use crate::identity;
use crate::problem::{Kind, Problem};

/// Name of the cookie that holds a session: the prefix makes browsers insist on `Secure`, no `Domain` and the path `/`.
pub const COOKIE: &str = "__Host-attelage";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The policy of every operation, with its id, by method and path pattern.
pub struct Policies(HashMap<(Method, String), (Policy, &'static str)>);

impl Policies {
    /// Reads the operations of the document.
    ///
    /// # Errors
    /// An operation without a policy.
    pub fn new(document: &Value) -> Result<Self, String> {
        let mut policies = HashMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let id = operation["operationId"].as_str().unwrap_or_default();
                let policy = Policy::named(id).ok_or_else(|| format!("the operation `{id}` has no policy"))?;
                let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).map_err(|e| e.to_string())?;
                policies.insert((method, path.clone()), policy);
            }
        }
        Ok(Self(policies))
    }

    fn of(&self, request: &ServiceRequest) -> Option<(Policy, &'static str)> {
        let pattern = request.match_pattern()?;
        self.0.get(&(request.method().clone(), pattern)).copied()
    }
}

/// Middleware: finds out who asks, refuses whom the policy does not admit, and leaves the [`Caller`] to the handler.
///
/// What no operation serves is passed on: it meets a 404 or a 405. Refusals are answers, so that outer middlewares see them.
///
/// # Errors
/// Those of the service it wraps.
pub async fn stand(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(&request).await {
        Ok(caller) => {
            let app = request.app_data::<Data<App>>().cloned();
            request.extensions_mut().insert(caller.clone());
            let response = next.call(request).await?.map_into_boxed_body();
            match noted(app.as_ref().map(|app| app.get_ref()), &caller, response.status()).await {
                Ok(()) => Ok(response),
                Err(problem) => Ok(response.into_response(problem.error_response())),
            }
        }
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

/// Writes down what sealed things the answer shows, before anybody sees it.
async fn noted(app: Option<&App>, caller: &Caller, status: StatusCode) -> Result<(), Problem> {
    let shown = caller.take_shown();
    if shown.is_empty() || !status.is_success() {
        return Ok(());
    }
    let app = app.ok_or_else(|| Problem::internal("the guard has no log to write to"))?;
    app.readings.keep(caller, shown).await
}

async fn admit(request: &ServiceRequest) -> Result<Caller, Problem> {
    let missing = || Problem::internal("the guard has nothing to guard with");
    let app = request.app_data::<Data<App>>().ok_or_else(missing)?;
    let policies = request.app_data::<Data<Policies>>().ok_or_else(missing)?;
    let Some((policy, operation)) = policies.of(request) else { return Ok(Caller::nobody()) };
    let caller = identify(app, request).await?;
    policy.admit(&caller)?;
    Ok(caller.asking(operation))
}

/// Who asks. A key that is not (or no longer) valid is refused; a session that is over is nobody's.
async fn identify(app: &App, request: &ServiceRequest) -> Result<Caller, Problem> {
    if let Some(value) = request.headers().get(AUTHORIZATION) {
        let key = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).and_then(Secret::parse);
        let key = key.filter(|secret| secret.kind() == SecretKind::ApiKey);
        let caller = match key {
            Some(key) => identity::store::caller_of_key(&app.db, &key.digest()).await?,
            None => None,
        };
        return caller.ok_or_else(|| Problem::new(Kind::Unauthenticated).because("this key is not valid"));
    }
    let Some(cookie) = request.cookie(COOKIE) else { return Ok(Caller::nobody()) };
    let session = Secret::parse(cookie.value()).filter(|secret| secret.kind() == SecretKind::Session);
    let Some(session) = session else { return Ok(Caller::nobody()) };
    let caller = identity::store::caller_of_session(&app.db, &session.digest()).await?;
    let Some(caller) = caller else { return Ok(Caller::nobody()) };
    if caller.principal() != Principal::Nobody && !is_safe(request.method()) && comes_from_elsewhere(request.headers())
    {
        let detail = "a signed-in browser may change something only from a page of this service";
        return Err(Problem::new(Kind::Forbidden).because(detail));
    }
    Ok(caller)
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a browser says that a page of another site sends this. Programs say nothing of the kind, and have no cookies to be abused.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(&ORIGIN) else { return headers.contains_key(ORIGIN) };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_none() || host != text(&HOST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_page_of_another_site_is_told_from_our_own_and_from_a_program() {
        for (headers, elsewhere) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "https://a.example"), ("host", "a.example")], false),
            (&[("origin", "https://b.example"), ("host", "a.example")], true),
            (&[("origin", "null"), ("host", "a.example")], true),
        ] {
            let mut request = TestRequest::default();
            for (name, value) in headers {
                request = request.insert_header((*name, *value));
            }
            assert_eq!(comes_from_elsewhere(request.to_http_request().headers()), elsewhere, "{headers:?}");
        }
    }

    #[test]
    fn every_operation_of_the_document_has_a_policy() {
        let document = serde_json::to_value(crate::openapi::document()).unwrap();
        assert!(Policies::new(&document).is_ok());
        let unknown = serde_json::json!({ "paths": { "/x": { "get": { "operationId": "get_x" } } } });
        assert!(Policies::new(&unknown).is_err());
    }
}
