//! What is counted in this process: by operation, by kind, by end. Never by a path, which holds ids, and never by who asks.

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use attelage_solver as solver;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::runs::RunState;

/// What the names of all metrics of the product begin with.
pub(super) const PREFIX: &str = "attelage";

const REQUEST_SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const COMPUTATION_SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 120.0, 300.0];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Seconds = Family<Labels<1>, Histogram, fn() -> Histogram>;

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    request_seconds: Seconds,
    in_flight: Gauge,
    refused: Family<Labels<1>, Counter>,
    write_seconds: Histogram,
    runs_ended: Family<Labels<1>, Counter>,
    leases_lost: Counter,
    computation_seconds: Seconds,
    deliveries: Family<Labels<1>, Counter>,
    mails: Family<Labels<1>, Counter>,
}

impl Metrics {
    fn new() -> Self {
        let own = Self {
            registry: Registry::with_prefix(PREFIX),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            in_flight: Gauge::default(),
            refused: Family::default(),
            write_seconds: Histogram::new(REQUEST_SECONDS),
            runs_ended: Family::default(),
            leases_lost: Counter::default(),
            computation_seconds: Family::new_with_constructor(|| Histogram::new(COMPUTATION_SECONDS)),
            deliveries: Family::default(),
            mails: Family::default(),
        };
        own.registered()
    }

    fn registered(mut self) -> Self {
        let all = &mut self.registry;
        let build = [("version", env!("CARGO_PKG_VERSION")), ("solver", solver::VERSION)];
        all.register("build", "The release", Info::new(build));
        all.register(
            "http_requests",
            "Requests answered, by operation, method and class of status",
            self.requests.clone(),
        );
        let help = "How long requests took, with what was waited for";
        all.register_with_unit("http_request_duration", help, Unit::Seconds, self.request_seconds.clone());
        all.register("http_requests_in_flight", "Requests being answered", self.in_flight.clone());
        all.register("http_requests_refused", "Requests refused for now: 429 and 503", self.refused.clone());
        let help = "How long writing transactions took, from their begin to the end of their commit";
        all.register_with_unit("write_duration", help, Unit::Seconds, self.write_seconds.clone());
        all.register("runs_ended", "Runs that this process has ended, by state", self.runs_ended.clone());
        all.register("run_leases_lost", "Runs that another took from this process", self.leases_lost.clone());
        let help = "How long computing processes took, by end";
        all.register_with_unit("computation_duration", help, Unit::Seconds, self.computation_seconds.clone());
        all.register("webhook_attempts", "Attempts to deliver an event, by what came of them", self.deliveries.clone());
        all.register("mails", "Attempts to send a mail, by what came of them", self.mails.clone());
        self.begun()
    }

    /// What has not happened yet is told as 0, so that its first time is seen.
    fn begun(self) -> Self {
        for reason in [TOO_MANY, UNAVAILABLE] {
            drop(self.refused.get_or_create(&[("reason", reason)]));
        }
        for state in [RunState::Succeeded, RunState::Failed, RunState::Cancelled] {
            drop(self.runs_ended.get_or_create(&[("state", named(state))]));
        }
        for outcome in ["delivered", "retried", "failed"] {
            drop(self.deliveries.get_or_create(&[("outcome", outcome)]));
        }
        for outcome in ["sent", "refused", "retried"] {
            drop(self.mails.get_or_create(&[("outcome", outcome)]));
        }
        self
    }
}

const TOO_MANY: &str = "too_many_requests";
const UNAVAILABLE: &str = "unavailable";

/// Writes all that was counted, as text.
pub(super) fn write(text: &mut String) -> fmt::Result {
    encode_registry(text, &METRICS.registry)
}

/// A request that is being answered, until this is dropped.
pub(crate) struct Answering {
    since: Instant,
}

impl Answering {
    /// It begins.
    pub(crate) fn begin() -> Self {
        METRICS.in_flight.inc();
        Self { since: Instant::now() }
    }

    /// It is answered: how long it took.
    pub(crate) fn answered(&self, operation: &'static str, method: &Method, status: StatusCode) -> Duration {
        let took = self.since.elapsed();
        let labels = [("operation", operation), ("method", known(method)), ("status", class(status))];
        METRICS.requests.get_or_create(&labels).inc();
        METRICS.request_seconds.get_or_create(&[("operation", operation)]).observe(took.as_secs_f64());
        let reason = match status {
            StatusCode::TOO_MANY_REQUESTS => Some(TOO_MANY),
            StatusCode::SERVICE_UNAVAILABLE => Some(UNAVAILABLE),
            _ => None,
        };
        if let Some(reason) = reason {
            METRICS.refused.get_or_create(&[("reason", reason)]).inc();
        }
        took
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        METRICS.in_flight.dec();
    }
}

/// Anybody may send any method: those that no operation has are counted as one.
pub(super) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

/// What a state of runs is called.
pub(super) const fn named(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "queued",
        RunState::Running => "running",
        RunState::Succeeded => "succeeded",
        RunState::Failed => "failed",
        RunState::Cancelled => "cancelled",
    }
}

/// A writing transaction was committed.
pub fn wrote(took: Duration) {
    METRICS.write_seconds.observe(took.as_secs_f64());
}

/// A run was ended here.
pub(crate) fn run_ended(state: RunState) {
    METRICS.runs_ended.get_or_create(&[("state", named(state))]).inc();
}

/// A run was taken from this process.
pub(crate) fn lease_lost() {
    METRICS.leases_lost.inc();
}

/// A computing process has ended in one of few ways.
pub(crate) fn computed(end: &'static str, took: Duration) {
    METRICS.computation_seconds.get_or_create(&[("end", end)]).observe(took.as_secs_f64());
}

/// An attempt to deliver an event is over.
pub(crate) fn delivered(outcome: &'static str) {
    METRICS.deliveries.get_or_create(&[("outcome", outcome)]).inc();
}

/// An attempt to send a mail is over.
pub(crate) fn mailed(outcome: &'static str) {
    METRICS.mails.get_or_create(&[("outcome", outcome)]).inc();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_anybody_may_invent_is_counted_as_one() {
        let invented = Method::from_bytes(b"CANARY").unwrap();
        assert_eq!((known(&invented), known(&Method::PUT)), ("OTHER", "PUT"));
        assert_eq!(
            [100, 204, 304, 429, 503].map(|code| class(StatusCode::from_u16(code).unwrap())),
            ["1xx", "2xx", "3xx", "4xx", "5xx"]
        );
    }

    #[test]
    fn what_is_refused_is_counted_by_its_reason() {
        let one = Answering::begin();
        let of = |reason| METRICS.refused.get_or_create(&[("reason", reason)]).get();
        let before = (of(TOO_MANY), of(UNAVAILABLE));
        one.answered("get_nothing", &Method::GET, StatusCode::TOO_MANY_REQUESTS);
        one.answered("get_nothing", &Method::GET, StatusCode::SERVICE_UNAVAILABLE);
        one.answered("get_nothing", &Method::GET, StatusCode::OK);
        // Others may count at the same time.
        assert!(of(TOO_MANY) > before.0 && of(UNAVAILABLE) > before.1);
        let mut text = String::new();
        write(&mut text).unwrap();
        for class in ["2xx", "4xx", "5xx"] {
            let line = format!(
                "attelage_http_requests_total{{operation=\"get_nothing\",method=\"GET\",status=\"{class}\"}} 1\n"
            );
            assert!(text.contains(&line), "{text}");
        }
        assert!(text.contains("attelage_http_request_duration_seconds_count{operation=\"get_nothing\"} 3\n"), "{text}");
    }
}
