//! A collector of traces on a port of its own: it keeps what it is sent by OTLP over HTTP.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use attelage::telemetry::traces::Traces;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

type Bodies = Mutex<Vec<Bytes>>;

/// What this process sends, with all services under test in it.
static OWN: LazyLock<(Collector, Traces)> = LazyLock::new(|| {
    let collector = Collector::start();
    let traces = Traces::to(&format!("{}/v1/traces", collector.base())).expect("traces are sent");
    (collector, traces)
});

/// Has this process send its traces from now on. Tests that run at the same time are heard too.
pub fn listen() {
    LazyLock::force(&OWN);
}

/// All that this process has sent, with what can be read in it.
pub fn sent() -> String {
    let (collector, traces) = &*OWN;
    traces.flush();
    collector.everything()
}

/// A part of a trace.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    /// Which process has sent it.
    pub process: String,
    pub nanoseconds: u64,
    attributes: BTreeMap<String, String>,
}

impl Span {
    /// As text.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// A collector, until it is dropped.
pub struct Collector {
    base: String,
    bodies: Arc<Bodies>,
    handle: ServerHandle,
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Collector {
    /// Starts it, on a thread of its own: it answers whatever the test waits for.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let bodies = Arc::<Bodies>::default();
        let data = Data::from(Arc::clone(&bodies));
        let (tell, told) = std::sync::mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let room = web::PayloadConfig::new(16 << 20);
                    App::new().app_data(room).app_data(data.clone()).route("/v1/traces", web::post().to(collect))
                };
                let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).expect("it listens");
                let server = server.run();
                tell.send(server.handle()).expect("somebody has started it");
                server.await.expect("it serves");
            });
        });
        Self { base, bodies, handle: told.recv().expect("it starts") }
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to be.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// All that it was sent, with what can be read in it.
    pub fn everything(&self) -> String {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect::<Vec<_>>().join("\n")
    }

    /// The parts of traces that it was sent.
    pub fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        let sent = bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.as_ref()).expect("OTLP"));
        let mut spans = Vec::new();
        for of_process in sent.flat_map(|request| request.resource_spans) {
            let resource = texts(of_process.resource.expect("a resource").attributes);
            assert_eq!(resource["service.name"], "attelage");
            let process = &resource["service.instance.id"];
            spans.extend(of_process.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| Span {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                process: process.clone(),
                nanoseconds: span.end_time_unix_nano - span.start_time_unix_nano,
                attributes: texts(span.attributes),
            }));
        }
        spans
    }
}

async fn collect(bodies: Data<Bodies>, body: Bytes) -> HttpResponse {
    bodies.lock().unwrap().push(body);
    HttpResponse::Ok().content_type("application/x-protobuf").finish()
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => panic!("an attribute of another kind: {other:?}"),
    };
    let known = attributes.into_iter().filter(|one| !one.key.starts_with("telemetry."));
    known.map(|one| (one.key, text(one.value.and_then(|value| value.value).expect("a value")))).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
