//! What those who operate the service see of it: whether it is well, what it counts, what it logs, where its time goes; and that it can be
//! replaced while it is used.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use attelage::limits::Settings;
use attelage::server::Setup;
use attelage::telemetry::exposition;
use reqwest::redirect::Policy;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{attelage, keep};
use crate::runs::{patient, run};
use crate::support::app::http;
use crate::support::collector::Collector;
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::sample;
use crate::support::service::{App, setup, spawn, spawn_with};

/// A process of the product on the database of a test; killed when this is dropped.
struct Process {
    child: Child,
    /// Its first lines.
    said: Vec<String>,
}

impl Process {
    /// `lines` is how many it prints before it works.
    fn start(app: &App, folder: &TempDir, lines: usize, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::on(&app.database.url(), folder.path(), lines, arguments, variables)
    }

    fn on(url: &str, folder: &Path, lines: usize, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        // The keys of `setup`.
        for (name, byte) in [("audit", "0b"), ("sealing", "07")] {
            keep(&folder.join(name), byte.repeat(32).as_bytes());
        }
        let mut command = attelage(folder, arguments);
        command.env("ATTELAGE_DATABASE", url).envs(variables.iter().copied());
        command.env("ATTELAGE_AUDIT_KEY_FILE", folder.join("audit"));
        command.env("ATTELAGE_SEALING_KEY_FILE", folder.join("sealing"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let said = out.lines().take(lines).map(Result::unwrap).collect();
        Self { child, said }
    }

    /// The address that one of its lines ends with.
    fn address(&self, line: usize) -> String {
        let (_, address) = self.said[line].split_once("http://").expect("an address");
        format!("http://{address}")
    }

    fn signal(&self, name: &str) {
        let done = Command::new("/bin/kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(done.unwrap().success());
    }

    /// Asks it to end, and gives what it has logged.
    fn end(mut self) -> String {
        self.signal("TERM");
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success(), "{log}");
        log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

on_both_engines! {
    async fn a_service_is_ready_as_long_as_its_database_has_what_it_needs(engine) {
        let app = spawn(engine).await;
        let nobody = app.anonymous();
        let well = json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") });
        assert_eq!(nobody.get("/health/live").await.expect(200).body, well);
        assert_eq!(nobody.get("/health/ready").await.expect(200).body, well);
        let db = app.database.connect().await;
        let change = async |sql: &str| {
            assert_eq!(db.execute_unprepared(sql).await.unwrap().rows_affected(), 1);
            // What was seen counts for a quarter of a second.
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        change("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_of_a_later_release', 0)").await;
        nobody.get("/health/ready").await.expect(200);
        let first = "(SELECT MIN(version) FROM seaql_migrations)";
        change(&format!("DELETE FROM seaql_migrations WHERE version = {first}")).await;
        let problem = nobody.get("/health/ready").await.problem(503);
        assert_eq!(problem["detail"], "the schema of the database is older than this release");
        nobody.get("/health/live").await.expect(200);
    }

    async fn two_services_are_replaced_one_after_the_other_and_no_request_fails(engine) {
        let app = spawn(engine).await;
        rolled(&app).await;
    }

    async fn metrics_tell_what_was_done_and_never_by_whom(engine) {
        let app = spawn(engine).await;
        let call = sample::market(&app).await.call;
        run(&app, &call, json!({})).await;
        app.get("/v1/calls/none").await.expect(400);
        app.get("/nowhere").await.expect(404);
        let text = exposition::text(&app.database.connect().await).await.unwrap();
        let metrics = Metrics::read(&text);
        for expected in [
            "attelage_build_info{version=\"0.1.0\",",
            "attelage_http_requests_total{operation=\"start_run\",method=\"POST\",status=\"2xx\"} ",
            "attelage_http_requests_total{operation=\"get_call\",method=\"GET\",status=\"4xx\"} ",
            "attelage_http_requests_total{operation=\"none\",method=\"GET\",status=\"4xx\"} ",
            "attelage_http_request_duration_seconds_bucket{le=\"0.005\",operation=\"start_run\"} ",
            "attelage_http_requests_in_flight ",
            "attelage_http_requests_refused_total{reason=\"too_many_requests\"} ",
            "attelage_runs_ended_total{state=\"succeeded\"} ",
            "attelage_run_leases_lost_total ",
            "attelage_computation_duration_seconds_count{end=\"done\"} ",
            "attelage_webhook_attempts_total{outcome=\"delivered\"} ",
            "attelage_mails_total{outcome=\"sent\"} ",
            "attelage_database_up 1\n",
            "attelage_database_connections{state=\"idle\"} ",
            "attelage_database_wait_seconds ",
            "attelage_runs{state=\"queued\"} 0\n",
            "attelage_run_queue_oldest_seconds 0.0\n",
            "attelage_webhook_deliveries_pending 0\n",
            "process_cpu_seconds_total ",
            "process_resident_memory_bytes ",
            "process_open_fds ",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
        let labels: BTreeSet<&str> = metrics.labels.iter().map(String::as_str).collect();
        let few = ["end", "le", "method", "operation", "outcome", "reason", "solver", "state", "status", "version"];
        assert_eq!(labels, BTreeSet::from(few), "each is one of few");
        assert!(!text.contains(&call) && !text.contains("/v1"), "neither ids nor paths");
    }

    async fn a_queue_that_grows_is_seen(engine) {
        let idle = attelage::runs::Settings { solvers: 0, ..crate::support::service::runs() };
        let app = spawn_with(engine, Setup { runs: idle, ..setup() }).await;
        let call = sample::market(&app).await.call;
        for seconds in [5, 6] {
            app.post(&format!("/v1/calls/{call}/runs"), json!({ "time_limit_seconds": seconds })).await.expect(202);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let text = exposition::text(&app.database.connect().await).await.unwrap();
        assert!(text.contains("attelage_runs{state=\"queued\"} 2\n"), "{text}");
        let oldest = text.lines().find_map(|line| line.strip_prefix("attelage_run_queue_oldest_seconds ")).unwrap();
        assert!((0.02..60.0).contains(&oldest.parse::<f64>().unwrap()), "{oldest}");
    }
}

/// Metrics, line by line as `OpenMetrics` has them.
struct Metrics {
    labels: Vec<String>,
}

impl Metrics {
    fn read(text: &str) -> Self {
        let (mut labels, mut described) = (Vec::new(), BTreeSet::new());
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.split(' ');
                match words.next() {
                    Some("HELP" | "UNIT" | "TYPE") => _ = described.insert(words.next().unwrap()),
                    word => assert_eq!(word, Some("EOF"), "{line}"),
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let (name, own) = series.split_once('{').unwrap_or((series, "}"));
            let is_described =
                |one: &&str| name.strip_prefix(*one).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
            assert!(described.iter().any(is_described), "{line} has no help");
            let own = own.strip_suffix('}').unwrap().split("\",").filter(|label| !label.is_empty());
            labels.extend(own.map(|label| label.split_once("=\"").unwrap().0.to_owned()));
        }
        Self { labels }
    }
}

#[actix_web::test]
async fn probes_are_answered_whatever_was_asked_before() {
    let limits = Settings { per_minute: 1, per_minute_of_address: 1, solver_seconds_per_day: 0, ..Settings::default() };
    let app = spawn_with(Engine::Sqlite, Setup { limits, ..setup() }).await;
    let nobody = app.anonymous();
    nobody.get("/v1/calls").await.expect(200);
    nobody.get("/v1/calls").await.expect(429);
    for _ in 0..20 {
        nobody.get("/health/live").await.expect(200);
        nobody.get("/health/ready").await.expect(200);
    }
}

/// What a load balancer does: asks each service whether it is ready, four times in a drain, and sends requests in turn to those that were
/// when it asked last. It sends none twice.
struct Balancer {
    bases: [String; 2],
    ready: [AtomicBool; 2],
    turn: AtomicUsize,
    ends: AtomicBool,
    answered: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

impl Balancer {
    async fn look(&self) {
        let asker = reqwest::Client::builder().timeout(Duration::from_secs(1)).build().unwrap();
        while !self.ends.load(Ordering::Relaxed) {
            for (base, ready) in self.bases.iter().zip(&self.ready) {
                let answer = asker.get(format!("{base}/health/ready")).send().await;
                ready.store(answer.is_ok_and(|answer| answer.status() == 200), Ordering::Relaxed);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn send(&self, key: &str, number: usize) {
        let client = http(Policy::none());
        while !self.ends.load(Ordering::Relaxed) {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let next = [turn % 2, (turn + 1) % 2].into_iter().find(|one| self.ready[*one].load(Ordering::Relaxed));
            let Some(next) = next else {
                self.failed.lock().unwrap().push("none is ready".to_owned());
                return;
            };
            let request = if turn.is_multiple_of(4) {
                let body = json!({ "name": format!("{number}-{turn}") });
                client.post(format!("{}/v1/organisations", self.bases[next])).bearer_auth(key).json(&body)
            } else {
                client.get(format!("{}/v1/organisations?limit=5", self.bases[next])).bearer_auth(key)
            };
            match request.send().await {
                Ok(answer) if answer.status().is_success() => {
                    drop(answer.bytes().await);
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(answer) => self.failed.lock().unwrap().push(format!("{}", answer.status())),
                Err(error) => self.failed.lock().unwrap().push(format!("{error:?}")),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn rolled(app: &App) {
    let folder = TempDir::new().unwrap();
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let ports = [free(), free()];
    let (url, place) = (app.database.url(), folder.path().to_owned());
    // Beside what goes on meanwhile.
    let serve = async |port: &str| {
        let (url, place, port) = (url.clone(), place.clone(), port.to_owned());
        let start = move || {
            let arguments = ["serve", "--port", &port, "--drain", "3", "--solvers", "0", "--requests-per-minute", "0"];
            Process::on(&url, &place, 1, &arguments, &[("ATTELAGE_LOG", "error")])
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    };
    let mut services = [Some(serve(&ports[0]).await), Some(serve(&ports[1]).await)];
    let balancer = Arc::new(Balancer {
        bases: ports.each_ref().map(|port| format!("http://127.0.0.1:{port}")),
        ready: Default::default(),
        turn: AtomicUsize::default(),
        ends: AtomicBool::default(),
        answered: AtomicUsize::default(),
        failed: Mutex::default(),
    });
    let is_ready = async |one: usize, expected: bool| {
        let end = Instant::now() + Duration::from_mins(1);
        while balancer.ready[one].load(Ordering::Relaxed) != expected {
            assert!(Instant::now() < end, "service {one} is not as expected");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let looking = actix_web::rt::spawn({
        let balancer = Arc::clone(&balancer);
        async move { balancer.look().await }
    });
    is_ready(0, true).await;
    is_ready(1, true).await;
    let key = app.credential().strip_prefix("Bearer ").unwrap().to_owned();
    let senders: Vec<_> = (0..4)
        .map(|number| {
            let (balancer, key) = (Arc::clone(&balancer), key.clone());
            actix_web::rt::spawn(async move { balancer.send(&key, number).await })
        })
        .collect();
    for one in [0, 1] {
        let old = services[one].take().unwrap();
        let before = balancer.answered.load(Ordering::Relaxed);
        let ended = tokio::task::spawn_blocking(move || old.end());
        is_ready(one, false).await;
        ended.await.unwrap();
        services[one] = Some(serve(&ports[one]).await);
        is_ready(one, true).await;
        assert!(balancer.answered.load(Ordering::Relaxed) > before + 10, "the other one goes on");
    }
    balancer.ends.store(true, Ordering::Relaxed);
    looking.await.unwrap();
    for sender in senders {
        sender.await.unwrap();
    }
    let failed = balancer.failed.lock().unwrap();
    assert!(failed.is_empty(), "{} of {}: {failed:?}", failed.len(), balancer.answered.load(Ordering::Relaxed));
}

#[actix_web::test]
async fn every_line_of_a_request_and_of_a_run_says_of_which() {
    let app = spawn_with(
        Engine::Sqlite,
        Setup { runs: attelage::runs::Settings { solvers: 0, ..crate::support::service::runs() }, ..setup() },
    )
    .await;
    let call = sample::market(&app).await.call;
    let folder = TempDir::new().unwrap();
    let service =
        Process::start(&app, &folder, 1, &["serve", "--port", "0", "--drain", "0", "--log-format", "json"], &[]);
    let other = app.at(service.address(0));
    let answer = other.get("/v1/calls?limit=7").await.expect(200);
    let run = other.post_with(&format!("/v1/calls/{call}/runs"), patient(), json!({})).await.expect(200);
    other.get("/v1/unsubscribe/canary-token").await;
    let log = service.end();
    assert!(!log.contains("limit=7") && !log.contains("canary-token") && !log.contains("attelage_key_"), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert_eq!(answered.len(), 3, "one line a request: {log}");
    let first = answered[0];
    assert_eq!((&first["span"]["request_id"], &first["status"]), (&json!(answer.header("x-request-id")), &json!(200)));
    assert_eq!((&first["span"]["operation"], &first["span"]["method"]), (&json!("list_calls"), &json!("GET")));
    assert_eq!((&first["span"]["route"], first["duration_ms"].is_u64()), (&json!("/v1/calls"), true));
    let computed = lines.iter().find(|line| line["message"] == "computed").unwrap();
    assert_eq!((&computed["span"]["run_id"], &computed["end"]), (&run["id"], &json!("done")));
    assert!(computed["span"]["worker"].as_str().is_some_and(|worker| worker.contains('/')), "{computed}");
}

#[actix_web::test]
async fn metrics_have_a_listener_of_their_own_in_every_process() {
    let app = spawn(Engine::Sqlite).await;
    let folder = TempDir::new().unwrap();
    let listen = ["--metrics-listen", "127.0.0.1:0"];
    let service =
        Process::start(&app, &folder, 2, &[&["serve", "--port", "0", "--drain", "0"], &listen[..]].concat(), &[]);
    let worker = Process::start(&app, &folder, 2, &[&["worker"], &listen[..]].concat(), &[]);
    let client = http(Policy::none());
    for address in [service.address(1), worker.address(0)] {
        let answer = client.get(&address).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let text = answer.text().await.unwrap();
        Metrics::read(&text);
        assert!(text.contains("attelage_database_up 1\n"), "{text}");
        assert_eq!(client.get(address.replace("/metrics", "/v1/calls")).send().await.unwrap().status(), 404);
    }
    let public = client.get(format!("{}/metrics", service.address(0))).send().await.unwrap();
    assert_eq!(public.status(), 404, "whoever uses the service sees none");
    worker.end();
    service.end();
}

#[actix_web::test]
async fn a_service_manager_is_told_when_it_is_ready_and_when_it_ends() {
    let app = spawn(Engine::Sqlite).await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let told = || {
        let mut text = [0; 64];
        let length = manager.recv(&mut text).expect("it says something");
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let service = Process::start(&app, &folder, 1, &["serve", "--port", "0", "--drain", "0"], &variables);
    assert_eq!(told(), "READY=1");
    app.at(service.address(0)).get("/health/ready").await.expect(200);
    service.end();
    assert_eq!(told(), "STOPPING=1");
    let worker = Process::start(&app, &folder, 1, &["worker"], &variables);
    assert_eq!(told(), "READY=1");
    worker.end();
    assert_eq!(told(), "STOPPING=1");
}

#[actix_web::test]
async fn a_trace_goes_from_the_request_to_the_process_that_computes() {
    let app = spawn_with(
        Engine::Sqlite,
        Setup { runs: attelage::runs::Settings { solvers: 0, ..crate::support::service::runs() }, ..setup() },
    )
    .await;
    let call = sample::market(&app).await.call;
    let (collector, folder) = (Collector::start(), TempDir::new().unwrap());
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.base()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let idle = ["serve", "--port", "0", "--drain", "0", "--solvers", "0"];
    let service = Process::start(&app, &folder, 1, &idle, &variables);
    let worker = Process::start(&app, &folder, 1, &["worker"], &variables);
    let (trace, sender) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let mut headers = patient();
    headers.insert("traceparent", format!("00-{trace}-{sender}-01").parse().unwrap());
    headers.insert("tracestate", "canary=1".parse().unwrap());
    headers.insert("baggage", "canary=2".parse().unwrap());
    let run =
        app.at(service.address(0)).post_with(&format!("/v1/calls/{call}/runs"), headers, json!({})).await.expect(200);
    // What is not sent yet is sent at the end.
    worker.end();
    service.end();
    let spans = collector.spans();
    let of = |name: &str| {
        let found: Vec<_> = spans.iter().filter(|span| span.trace == trace && span.name == name).collect();
        assert_eq!(found.len(), 1, "{name} in {spans:#?}");
        found[0].clone()
    };
    let (request, attempt, computation) = (of("POST /v1/calls/{id}/runs"), of("run"), of("computation"));
    assert_eq!([&request.parent, &attempt.parent, &computation.parent], [sender, &request.id, &attempt.id]);
    assert_ne!(request.process, attempt.process, "another process computes");
    assert_eq!(attempt.process, computation.process);
    assert_eq!(request.attribute("http.route"), Some("/v1/calls/{id}/runs"));
    assert_eq!(request.attribute("http.response.status_code"), Some("200"));
    assert_eq!(request.attribute("attelage.operation"), Some("start_run"));
    assert_eq!(attempt.attribute("attelage.run.id"), run["id"].as_str());
    assert_eq!(
        (attempt.attribute("attelage.end"), computation.attribute("attelage.end")),
        (Some("done"), Some("done"))
    );
    assert!(computation.nanoseconds > 0 && computation.nanoseconds <= attempt.nanoseconds);
    assert!(!collector.everything().contains("canary"), "only the ids of a trace are taken from its sender");
}
