//! Traces: which part of a request, a run or a delivery took how long, in which process.
//!
//! Off unless `OTEL_EXPORTER_OTLP_ENDPOINT` (or the variable for traces alone) says where to send them, by OTLP over HTTP. There are four
//! kinds of spans, made here and nowhere else, and no attribute but those that stand here: neither paths nor queries, which hold ids and
//! tokens, nor addresses, nor anything that somebody has written.

use std::borrow::Cow;
use std::sync::OnceLock;

use actix_web::http::{Method, StatusCode};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span as SdkSpan};
use uuid::Uuid;

use super::metrics::known;
use crate::identity::oidc;

/// Variables that say where traces are sent.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// The sending of traces. What is not sent yet is sent when this is dropped.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// As the standard variables say; none where they do not say where to.
    ///
    /// # Errors
    /// An endpoint that cannot be used.
    pub fn of_environment() -> Result<Option<Self>, String> {
        let says = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
        let is_off = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        if is_off || !ENDPOINTS.into_iter().any(says) { Ok(None) } else { Self::start(None).map(Some) }
    }

    /// Sends them to a URL, whatever the environment says.
    ///
    /// # Errors
    /// A URL that cannot be used.
    pub fn to(url: &str) -> Result<Self, String> {
        Self::start(Some(url))
    }

    fn start(url: Option<&str>) -> Result<Self, String> {
        oidc::provide_tls();
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = match url {
            Some(url) => exporter.with_endpoint(url),
            None => exporter,
        };
        let exporter = exporter.build().map_err(|error| format!("traces cannot be sent: {error}"))?;
        let own = [
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", Uuid::now_v7().to_string()),
        ];
        let mut resource = Resource::builder().with_attributes(own);
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("attelage");
        }
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
        // A process sends its traces to one place: the first.
        let _ = TRACER.set(provider.tracer("attelage"));
        Ok(Self(provider))
    }

    /// Sends what has ended so far.
    pub fn flush(&self) {
        if let Err(error) = self.0.force_flush() {
            tracing::warn!(%error, "traces are not sent");
        }
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces are not sent");
        }
    }
}

/// A part of a trace, which ends when it is dropped; nothing where no traces are sent.
pub(crate) struct Span(Option<SdkSpan>);

impl Span {
    /// The request that is being answered, as a part of what its sender says it is a part of. `route` is a pattern, not a path.
    pub(crate) fn request(
        method: &Method,
        route: &str,
        operation: &'static str,
        id: &str,
        sender: Option<&str>,
    ) -> Self {
        let method = known(method);
        begin(SpanKind::Server, format!("{method} {route}"), sender, || {
            vec![
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
                KeyValue::new("attelage.operation", operation),
                KeyValue::new("attelage.request.id", id.to_owned()),
            ]
        })
    }

    /// An attempt at a run, as a part of the request that has queued it.
    pub(crate) fn run(id: Uuid, attempt: i32, queued_by: Option<&str>) -> Self {
        begin(SpanKind::Consumer, "run", queued_by, || {
            vec![
                KeyValue::new("attelage.run.id", id.to_string()),
                KeyValue::new("attelage.run.attempt", i64::from(attempt)),
            ]
        })
    }

    /// The process that computes a run.
    pub(crate) fn computation(&self) -> Self {
        begin(SpanKind::Internal, "computation", self.carried().as_deref(), Vec::new)
    }

    /// An attempt to deliver an event to a webhook. The receiver learns nothing of it.
    pub(crate) fn delivery(id: Uuid, attempt: i32) -> Self {
        begin(SpanKind::Client, "POST", None, || {
            vec![
                KeyValue::new("http.request.method", "POST"),
                KeyValue::new("http.request.resend_count", i64::from(attempt - 1)),
                KeyValue::new("attelage.delivery.id", id.to_string()),
            ]
        })
    }

    /// The status that the receiver of a delivery has answered with.
    pub(crate) fn received(&mut self, status: u16) {
        self.set("http.response.status_code", i64::from(status));
        if status >= 400 {
            self.failed(status.to_string());
        }
    }

    /// The status that this service answers with: what the client has done wrong is no failure of it.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            self.failed(status.as_str().to_owned());
        }
    }

    /// How it ended, in one of few words.
    pub(crate) fn ended(&mut self, end: &'static str) {
        self.set("attelage.end", end);
    }

    /// It failed, by a kind of error.
    pub(crate) fn failed(&mut self, kind: impl Into<Cow<'static, str>>) {
        let kind = kind.into();
        self.set("error.type", kind);
        if let Some(span) = &mut self.0 {
            span.set_status(Status::error(""));
        }
    }

    fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.0 {
            span.set_attribute(KeyValue::new(name, value));
        }
    }

    /// The id of the trace.
    pub(crate) fn trace(&self) -> Option<String> {
        self.0.as_ref().map(|span| span.span_context().trace_id().to_string())
    }

    /// What makes other parts belong to this one: a `traceparent`.
    pub(crate) fn carried(&self) -> Option<String> {
        let span = self.0.as_ref()?;
        let mut carrier = Carrier(None);
        let context = Context::new().with_remote_span_context(span.span_context().clone());
        TraceContextPropagator::new().inject_context(&context, &mut carrier);
        carrier.0
    }
}

/// Begins a part of what a `traceparent` names; one of its own where it names nothing.
fn begin(
    kind: SpanKind,
    name: impl Into<Cow<'static, str>>,
    parent: Option<&str>,
    attributes: impl FnOnce() -> Vec<KeyValue>,
) -> Span {
    let Some(tracer) = TRACER.get() else { return Span(None) };
    let parent =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Carrier(parent.map(str::to_owned)));
    let span = SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes());
    Span(Some(tracer.build_with_context(span, &parent)))
}

/// Whether traces are sent.
pub(crate) fn are_sent() -> bool {
    TRACER.get().is_some()
}

/// Carries the ids of a trace, and nothing of what else the standard lets senders add.
struct Carrier(Option<String>);

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_deref().filter(|_| key == "traceparent")
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = Some(value);
        }
    }
}
