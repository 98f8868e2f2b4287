//! The OpenAPI document, made from the code.

use actix_web::App;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{OpenApi as Document, Ref, RefOr, Required, Type};
use utoipa::{OpenApi, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt as _, scope};

use crate::access::deprecation::{DEPRECATIONS, Deprecation};
use crate::access::guard::COOKIE;
use crate::access::{Policy, Routes, Who};
use crate::problem::{Fault, Kind, MEDIA_TYPE, ProblemDetails};
use crate::{
    answers, audit, bids, calls, capabilities, comparison, consortia, decisions, events, exports, filing, frameworks,
    identity, imports, interests, mail, negotiation, organisations, partners, relations, reservations, runs, service,
    sharing, territories, treasury, visibility, vocabularies, webhooks,
};

mod examples;
pub(crate) mod naming;
pub mod three_zero;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Attelage",
        description = "Finds, for a collective call, the organisations that complement each other: who should answer together, how much each would do, how good that is, and what is missing.\n\nMoney is in integer euro cents, times are RFC 3339 in UTC, ids are UUIDv7, errors are RFC 9457 problems. Lists are keyset pages: follow `next`. Every field has its visibility class in `x-visibility` (P0 public, P1 registered, P2 partners, P3 sealed, P4 owner).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "calls", description = "Collective calls with their lots and needs."),
        (name = "runs", description = "Computations, and the consortia that they propose."),
        (name = "organisations", description = "Actors and funders."),
        (name = "capabilities", description = "What actors can deliver."),
        (name = "relations", description = "Who already works with whom."),
        (name = "territories", description = "Places, as a tree."),
        (name = "vocabularies", description = "Services, publics and modalities, as trees."),
        (name = "imports", description = "Files of places and of territories."),
        (name = "identity", description = "People, the organisations they belong to, and keys."),
        (name = "partners", description = "Interest in calls, partners who complement each other, teams put to the test."),
        (name = "bids", description = "Answers to calls, sealed until two people open them together."),
        (name = "decisions", description = "What follows the opening: bids side by side, changes asked for, decisions of people."),
        (name = "events", description = "What happened, to read and to be sent."),
        (name = "consortia", description = "Organisations that answer a call together, from the first invitation on."),
        (name = "frameworks", description = "Consortia that are kept for the next call."),
        (name = "service", description = "The service itself."),
    ),
    components(schemas(ProblemDetails, Fault, capabilities::CapacityBand, vocabularies::Vocabulary))
)]
struct Base;

/// Schemas of resources that carry a version.
const VERSIONED: [&str; 12] = [
    "Call",
    "Capability",
    "Consortium",
    "Framework",
    "Interest",
    "MailPreferences",
    "Organisation",
    "OrganisationMember",
    "Relation",
    "Term",
    "Territory",
    "Webhook",
];

/// Operations without a body that the present state may forbid.
const STATEFUL: [&str; 27] = [
    "accept_join_request",
    "close_call",
    "create_api_key",
    "decline_join_request",
    "erase_me",
    "get_portfolio",
    "get_reply",
    "publish_call",
    "rotate_api_key",
    "open_bids",
    "withdraw_bid",
    "rotate_webhook_secret",
    "test_webhook",
    "ask_to_be_invited_again",
    "promote_alternate",
    "rescind_membership",
    "compare_bids",
    "file_consortium",
    "get_bid_answer",
    "get_consortium_answer",
    "get_consortium_shares",
    "get_consortium_treasury",
    "list_decisions",
    "withdraw_filing",
    "accept_framework",
    "complete_consortium",
    "leave_framework",
];

/// Headers of every answer that tell how much may still be asked.
const SHARES: [(&str, &str); 2] = [
    (
        "RateLimit-Policy",
        "Shares, by name: `q` in a window of `w` seconds (draft-ietf-httpapi-ratelimit-headers). Absent where the service has no limits.",
    ),
    (
        "RateLimit",
        "What is left of each share: `r` now, all of it again (or, where nothing is left, some of it) in `t` seconds.",
    ),
];

/// Verbs of operations that make something with a place of its own.
const MAKES: [&str; 7] = ["check_team", "create_", "explain_absence", "rotate_", "sign_in", "start_", "suggest_"];

/// Problems that only some operations answer with, beside those that follow from what an operation takes.
const ALSO: [(&str, &[Kind]); 6] = [
    ("begin_oidc_sign_in", &[Kind::NotFound]),
    ("finish_oidc_sign_in", &[Kind::NotFound, Kind::Forbidden, Kind::Conflict]),
    ("get_security_txt", &[Kind::NotFound]),
    ("link_oidc", &[Kind::NotFound]),
    ("register", &[Kind::Forbidden]),
    ("sign_in", &[Kind::Forbidden]),
];

/// Adds every route of the service. Each has a policy, or it would not compile.
pub fn routes(config: &mut ServiceConfig) {
    service::configure(&mut Routes::new(config));
    config.service(scope("/v1").configure(|config| {
        let routes = &mut Routes::new(config);
        vocabularies::routes::configure(routes);
        territories::routes::configure(routes);
        organisations::routes::configure(routes);
        reservations::routes::configure(routes);
        capabilities::routes::configure(routes);
        relations::routes::configure(routes);
        calls::routes::configure(routes);
        runs::routes::configure(routes);
        imports::routes::configure(routes);
        identity::configure(routes);
        bids::configure(routes);
        audit::routes::configure(routes);
        exports::routes::configure(routes);
        interests::routes::configure(routes);
        partners::routes::configure(routes);
        events::routes::configure(routes);
        webhooks::configure(routes);
        mail::routes::configure(routes);
        consortia::configure(routes);
        answers::configure(routes);
        comparison::configure(routes);
        negotiation::configure(routes);
        decisions::configure(routes);
        filing::configure(routes);
        treasury::routes::configure(routes);
        sharing::configure(routes);
        frameworks::configure(routes);
    }));
}

/// The whole document. Needs no database.
#[must_use]
pub fn document() -> Document {
    let (_, mut document) = App::new().into_utoipa_app().openapi(Base::openapi()).configure(routes).split_for_parts();
    // The library keeps the version of this package only in its own derive.
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let schemes = &mut document.components.get_or_insert_default().security_schemes;
    schemes.insert(API_KEY.to_owned(), api_key_scheme().into());
    schemes.insert(SESSION.to_owned(), session_scheme().into());
    let headers = &mut document.components.get_or_insert_default().headers;
    headers.extend(SHARES.map(|(name, text)| (name.to_owned(), header(text))));
    for item in document.paths.paths.values_mut() {
        item.post.iter_mut().filter(|operation| !is_repeatable(operation)).for_each(takes_key);
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        operations.into_iter().flatten().for_each(complete);
    }
    if let Some(components) = &mut document.components {
        naming::name_variants(&mut components.schemas);
        naming::refer_to_items(&mut components.schemas);
        naming::inline_primitives(&mut components.schemas);
    }
    visibility::publish(&mut document);
    document
}

/// Names of the security schemes.
const API_KEY: &str = "api_key";
const SESSION: &str = "session";

fn api_key_scheme() -> SecurityScheme {
    let text = "A key of an organisation (`/v1/organisations/{id}/api-keys`) or of the platform";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("attelage_key_…");
    SecurityScheme::Http(scheme.description(Some(text)).build())
}

fn session_scheme() -> SecurityScheme {
    let text = "The cookie of a person who has signed in (`POST /v1/sessions`)";
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(COOKIE, text)))
}

/// Whether sending a request again does no harm without a key: an account is made once, and each sign-in or departure is one of its own.
fn is_repeatable(operation: &Operation) -> bool {
    operation
        .operation_id
        .as_deref()
        .is_some_and(|id| matches!(id, "register" | "sign_in" | "link_oidc" | "unsubscribe"))
}

/// Says who may use an operation, from its policy.
fn secure(operation: &mut Operation, kinds: &mut Vec<Kind>) {
    let Some(policy) = operation.operation_id.as_deref().and_then(Policy::of) else { return };
    let credentials = [API_KEY, SESSION].map(|name| SecurityRequirement::new(name, [policy.scope.name()]));
    kinds.push(Kind::Unauthenticated);
    if policy.who == Who::Anyone {
        // A credential is not needed, but shows more.
        operation.security = Some([vec![SecurityRequirement::default()], credentials.to_vec()].concat());
    } else {
        operation.security = Some(credentials.to_vec());
        kinds.push(Kind::Forbidden);
    }
    let who = format!("Who: {}.", policy.words());
    let description = operation.description.take().filter(|text| !text.is_empty());
    operation.description = Some(description.map_or(who.clone(), |text| format!("{text}\n\n{who}")));
}

/// A request that creates or changes something may be sent again.
fn takes_key(operation: &mut Operation) {
    let text = "A key of the caller's choice, fresh for each request: sent again with the same key within seven days, the request has no second effect and gets the same answer";
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    let parameter =
        ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header).description(Some(text));
    operation.parameters.get_or_insert_default().push(parameter.schema(Some(schema)).build().into());
}

/// Says which problems an operation can answer with and which headers it sends, from what it takes and gives.
fn complete(operation: &mut Operation) {
    operation.parameters.iter_mut().flatten().for_each(naming::exclude_null);
    let parameters: Vec<&Parameter> = operation.parameters.iter().flatten().filter_map(owned).collect();
    // Every path and every query can hold what no text may.
    let mut kinds = vec![Kind::Internal, Kind::Unavailable, Kind::TooManyRequests, Kind::Malformed];
    let id = operation.operation_id.clone().unwrap_or_default();
    kinds.extend(ALSO.iter().filter(|(name, _)| *name == id).flat_map(|(_, kinds)| kinds.iter()));
    if parameters.iter().any(|parameter| parameter.parameter_in == ParameterIn::Path) {
        kinds.push(Kind::NotFound);
    }
    if parameters.iter().any(|parameter| parameter.name == "Idempotency-Key") {
        kinds.push(Kind::Invalid);
    }
    if parameters.iter().any(|parameter| parameter.name == "If-Match") {
        kinds.extend([Kind::Stale, Kind::PreconditionRequired, Kind::Conflict]);
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(Required::True);
        kinds.extend([Kind::Timeout, Kind::TooLarge, Kind::UnsupportedMediaType, Kind::Invalid]);
        kinds.push(Kind::Conflict);
    }
    if operation.operation_id.as_deref().is_some_and(|id| STATEFUL.contains(&id)) {
        kinds.push(Kind::Conflict);
    }
    secure(operation, &mut kinds);
    for kind in kinds {
        let entry = kind.entry();
        let body = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(ProblemDetails::name())))
            .example(Some(examples::of_problem(kind)))
            .build();
        let mut response = ResponseBuilder::new().description(entry.title).content(MEDIA_TYPE, body).build();
        if kind == Kind::Unauthenticated {
            response.headers.insert("WWW-Authenticate".to_owned(), header("How to say who you are."));
        }
        if matches!(kind, Kind::Unavailable | Kind::TooManyRequests) {
            response.headers.insert("Retry-After".to_owned(), header("Seconds to wait before trying again."));
        }
        let status = entry.status.as_u16().to_string();
        operation.responses.responses.entry(status).or_insert(RefOr::T(response));
    }
    let created_elsewhere =
        operation.operation_id.as_deref().is_some_and(|id| MAKES.iter().any(|verb| id.starts_with(verb)));
    let deprecation = Deprecation::of(DEPRECATIONS, &id);
    if let Some(deprecation) = deprecation {
        deprecation.publish(operation);
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        for (name, _) in SHARES {
            let reference = Ref::new(format!("#/components/headers/{name}"));
            response.headers.insert(name.to_owned(), RefOr::Ref(reference));
        }
        if deprecation.is_some() {
            response.headers.insert("Deprecation".to_owned(), header("Since when better not to use it (RFC 9745)."));
            response.headers.insert("Sunset".to_owned(), header("When it goes (RFC 8594)."));
        }
        let body = response.content.get("application/json").and_then(|content| match content {
            RefOr::T(Content { schema: Some(RefOr::Ref(reference)), .. }) => {
                reference.ref_location.rsplit('/').next().map(str::to_owned)
            }
            _ => None,
        });
        let body = body.unwrap_or_default();
        if VERSIONED.contains(&body.as_str()) {
            response.headers.insert("ETag".to_owned(), header("Version of the resource, for `If-Match`."));
        }
        if body.starts_with("Page") {
            response
                .headers
                .insert("Link".to_owned(), header("The next page, `rel=\"next\"`; absent on the last one."));
        }
        if created_elsewhere && status.starts_with('2') {
            response.headers.insert("Location".to_owned(), header("Path of the resource."));
        }
    }
    examples::attach(operation);
}

fn owned(parameter: &RefOr<Parameter>) -> Option<&Parameter> {
    match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    }
}

fn header(text: &str) -> RefOr<Header> {
    RefOr::T(
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .description(Some(text))
            .build(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use utoipa::openapi::schema::Schema;

    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(document()).unwrap();
        let text = document.to_string();
        let named = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        for name in named {
            assert!(!document["components"]["schemas"][name].is_null(), "{name} is referred to, and is not there");
        }
    }

    #[test]
    fn no_two_types_of_the_solver_share_a_name() {
        let mut found = Vec::new();
        attelage_solver::Query::schemas(&mut found);
        attelage_solver::Reply::schemas(&mut found);
        let mut by_name: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
        for (name, schema) in found {
            if let Some(other) = by_name.get(&name) {
                assert_eq!(serde_json::to_value(other).unwrap(), serde_json::to_value(&schema).unwrap(), "{name}");
            }
            by_name.insert(name, schema);
        }
    }
}
