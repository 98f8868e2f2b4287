//! Stands before every route: who asks, and may they use this operation?

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest, ResponseError as _};
use sea_orm::DbErr;
use serde_json::Value;

use super::credential::{Kind as SecretKind, Secret};
use super::deprecation::{DEPRECATIONS, Deprecation};
use super::policy::Policy;
use super::{Caller, Principal};
use crate::app::App;
use crate::edge;
use crate::identity;
use crate::identity::entrance::Entrance;
use crate::limits::Share;
use crate::problem::{Kind, Problem};
use crate::service;

/// Name of the cookie that holds a session: the prefix makes browsers insist on `Secure`, no `Domain` and the path `/`.
pub const COOKIE: &str = "__Host-attelage";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What stands for an operation: its policy, its id, and whether it will go.
type Entry = (Policy, &'static str, Option<&'static Deprecation>);

/// The entry of every operation, by method and path pattern.
pub struct Policies(HashMap<(Method, String), Entry>);

impl Policies {
    /// Reads the operations of the document.
    ///
    /// # Errors
    /// An operation without a policy.
    pub fn new(document: &Value) -> Result<Self, String> {
        Self::with(document, DEPRECATIONS)
    }

    /// The same, where some operations will go.
    fn with(document: &Value, deprecations: &'static [Deprecation]) -> Result<Self, String> {
        let mut policies = HashMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let id = operation["operationId"].as_str().unwrap_or_default();
                let (policy, id) = Policy::named(id).ok_or_else(|| format!("the operation `{id}` has no policy"))?;
                let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).map_err(|e| e.to_string())?;
                policies.insert((method, path.clone()), (policy, id, Deprecation::of(deprecations, id)));
            }
        }
        Ok(Self(policies))
    }

    /// What a request asks for; it is looked up once a request.
    fn of(&self, request: &ServiceRequest) -> Matched {
        if let Some(known) = request.extensions().get::<Matched>() {
            return known.clone();
        }
        let key = request.match_pattern().map(|pattern| (request.method().clone(), pattern));
        let entry = key.as_ref().and_then(|key| self.0.get(key)).copied();
        let matched = Matched { entry, route: key.map(|(_, pattern)| pattern) };
        request.extensions_mut().insert(matched.clone());
        matched
    }
}

/// What a request asks for.
#[derive(Clone, Default)]
pub(crate) struct Matched {
    entry: Option<Entry>,
    route: Option<String>,
}

impl Matched {
    /// What a request asks for.
    pub(crate) fn by(request: &ServiceRequest) -> Self {
        request.app_data::<Data<Policies>>().map(|policies| policies.of(request)).unwrap_or_default()
    }

    /// The id of the operation; `none` where no operation serves it.
    pub(crate) fn operation(&self) -> &'static str {
        self.entry.map_or("none", |(_, id, _)| id)
    }

    /// The pattern of its path; empty where nothing is there.
    pub(crate) fn route(&self) -> &str {
        self.route.as_deref().unwrap_or_default()
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
    let mut told = Told::default();
    let mut response = match admit(&request, &mut told).await {
        Ok(caller) => {
            let app = request.app_data::<Data<App>>().cloned();
            request.extensions_mut().insert(caller.clone());
            let response = next.call(request).await?.map_into_boxed_body();
            match noted(app.as_ref().map(Data::get_ref), &caller, response.status()).await {
                Ok(()) => response,
                Err(problem) => response.into_response(problem.error_response()),
            }
        }
        Err(problem) => edge::refuse_unread(request, &problem),
    };
    if let Some(share) = told.share {
        share.tell(response.headers_mut());
    }
    if let Some(deprecation) = told.deprecation {
        deprecation.tell(response.headers_mut());
    }
    Ok(response)
}

/// Before anybody sees the answer: waits until what it was made of is durable, and writes down what sealed things it shows.
async fn noted(app: Option<&App>, caller: &Caller, status: StatusCode) -> Result<(), Problem> {
    for end in caller.take_looked() {
        // An error stays what it is.
        if let Err(error) = end.come().await
            && !status.is_server_error()
        {
            return Err(error.into());
        }
    }
    let shown = caller.take_shown();
    if shown.is_empty() || !status.is_success() {
        return Ok(());
    }
    let app = app.ok_or_else(|| Problem::internal("the guard has no log to write to"))?;
    app.readings.keep(caller, shown).await
}

/// What every answer says of the request, whatever comes of it.
#[derive(Default)]
struct Told {
    share: Option<Share>,
    deprecation: Option<&'static Deprecation>,
}

async fn admit(request: &ServiceRequest, told: &mut Told) -> Result<Caller, Problem> {
    let app = request.app_data::<Data<App>>().ok_or_else(missing)?;
    let policies = request.app_data::<Data<Policies>>().ok_or_else(missing)?;
    let operation = policies.of(request).entry;
    if let Some((_, probe, _)) = operation.filter(|(_, id, _)| service::PROBES.contains(id)) {
        return Ok(Caller::nobody().asking(probe));
    }
    told.deprecation = operation.and_then(|(.., deprecation)| deprecation);
    let caller = count(app, request, operation.is_some(), &mut told.share).await?;
    let Some((policy, id, _)) = operation else { return Ok(caller) };
    policy.admit(&caller)?;
    Ok(caller.asking(id))
}

/// Finds out who asks, if it matters, and counts the request: a stranger's before any query, anybody's before anything is done.
async fn count(
    app: &App,
    request: &ServiceRequest,
    matters: bool,
    share: &mut Option<Share>,
) -> Result<Caller, Problem> {
    let entrance = request.app_data::<Data<Entrance>>().ok_or_else(missing)?;
    // Those of whom neither the proxy nor the connection tells an address count as one.
    let address = entrance.address(request.request()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let secret = match if matters { Shown::by(request.request()) } else { Shown::Nothing } {
        Shown::Secret(secret) => secret,
        other => {
            *share = app.limits.of_stranger(address)?;
            return if matches!(other, Shown::Nonsense) { Err(void()) } else { Ok(Caller::nobody()) };
        }
    };
    app.limits.of_credential(address)?;
    let identified = identify(app, request, &secret).await;
    *share = match identified.as_ref().map(Caller::principal) {
        Ok(Principal::Key(id) | Principal::Person { person: id, .. }) => app.limits.of_caller(id)?,
        _ => app.limits.of_stranger(address)?,
    };
    identified
}

/// What a request shows of whoever sends it.
enum Shown {
    /// Nothing; or a session that cannot be one, which is nothing.
    Nothing,
    /// A key that cannot be one.
    Nonsense,
    /// What may be a credential.
    Secret(Secret),
}

impl Shown {
    fn by(request: &HttpRequest) -> Self {
        let parse = |text: &str, kind| Secret::parse(text).filter(|secret| secret.kind() == kind);
        if let Some(value) = request.headers().get(AUTHORIZATION) {
            let scheme_and_key = value.to_str().ok().and_then(|text| text.split_once(' '));
            let key = scheme_and_key.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let key = key.and_then(|(_, key)| parse(key.trim(), SecretKind::ApiKey));
            return key.map_or(Self::Nonsense, Self::Secret);
        }
        let session = request.cookie(COOKIE).and_then(|cookie| parse(cookie.value(), SecretKind::Session));
        session.map_or(Self::Nothing, Self::Secret)
    }
}

/// What somebody has shown, to be looked at again while their answer goes on.
pub(crate) struct Pass(Secret);

impl Pass {
    /// What a request shows.
    ///
    /// # Errors
    /// Nothing, though a policy asked for something.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        match Shown::by(request) {
            Shown::Secret(secret) => Ok(Self(secret)),
            Shown::Nothing | Shown::Nonsense => Err(Problem::new(Kind::Unauthenticated)),
        }
    }

    /// Whoever shows it now; nobody once it is void. One query.
    pub(crate) async fn caller(&self, app: &App) -> Result<Option<Caller>, DbErr> {
        let Self(secret) = self;
        match secret.kind() {
            SecretKind::ApiKey => {
                let holder = identity::store::holder(&app.db, &secret.digest()).await?;
                Ok(holder.map(|(caller, _)| caller))
            }
            _ => identity::store::caller_of_session(&app.db, &secret.digest()).await,
        }
    }
}

/// Looks again at what a request shows, for an answer that has waited: a key may be void since. One query; none where nothing is shown.
///
/// # Errors
/// What is shown is void; the database's.
pub(crate) async fn look_again(app: &App, request: &HttpRequest) -> Result<(), Problem> {
    let Ok(pass) = Pass::of(request) else { return Ok(()) };
    pass.caller(app).await?.map(drop).ok_or_else(outlived)
}

/// The answer to whoever has shown what was valid when they began to ask.
pub(crate) fn outlived() -> Problem {
    Problem::new(Kind::Unauthenticated).because("what you have shown is not valid any more")
}

fn missing() -> Problem {
    Problem::internal("the guard has nothing to guard with")
}

fn void() -> Problem {
    Problem::new(Kind::Unauthenticated).because("this key is not valid")
}

/// Who asks. A key that is not (or no longer) valid is refused; a session that is over is nobody's. One query; none for a key that
/// reads and was valid a moment ago.
async fn identify(app: &App, request: &ServiceRequest, secret: &Secret) -> Result<Caller, Problem> {
    if secret.kind() == SecretKind::ApiKey {
        let digest = secret.digest();
        let caller = if is_safe(request.method()) {
            app.leases.caller(&app.db, &digest).await?
        } else {
            identity::store::holder(&app.db, &digest).await?.map(|(caller, _)| caller)
        };
        return caller.ok_or_else(void);
    }
    let Some(caller) = identity::store::caller_of_session(&app.db, &secret.digest()).await? else {
        return Ok(Caller::nobody());
    };
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
    fn every_operation_of_the_document_has_a_policy_and_says_that_it_goes() {
        const GOES: &[Deprecation] =
            &[Deprecation { operation: "get_health", since: 1, sunset: 2, link: "https://attelage.example/changes" }];
        let document = serde_json::to_value(crate::openapi::document()).unwrap();
        assert!(Policies::new(&document).is_ok());
        let policies = Policies::with(&document, GOES).unwrap();
        let going: Vec<_> = policies.0.values().filter_map(|(_, id, goes)| goes.map(|_| *id)).collect();
        assert_eq!(going, ["get_health"]);
        let unknown = serde_json::json!({ "paths": { "/x": { "get": { "operationId": "get_x" } } } });
        assert!(Policies::new(&unknown).is_err());
    }
}
