//! The HTTP server: what stands around every route.

use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Server, ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::web::{self, Data, PathConfig, QueryConfig};
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer, ResponseError as _};
use sd_notify::NotifyState;
use sea_orm::DatabaseConnection;
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use utoipa_actix_web::AppExt as _;
use utoipa_swagger_ui::SwaggerUi;

use crate::access::guard::{self, Policies};
use crate::app::App;
use crate::audit::{Log, Readings};
use crate::bids::keys;
use crate::bids::seal::SealingKey;
use crate::body::Contract;
use crate::identity::entrance::{self, Entrance};
use crate::identity::leases::Leases;
use crate::keyfile::Key;
use crate::limits::Limits;
use crate::mail::worker::Writer;
use crate::mail::{self, Links};
use crate::page::CursorKey;
use crate::problem::{Fault, Problem};
use crate::readiness::Readiness;
use crate::runs::follow::Followers;
use crate::runs::wake::Wake;
use crate::runs::worker::Computing;
use crate::tasks::Keeper;
use crate::visibility::Veil;
use crate::webhooks::worker::Worker;
use crate::{edge, limits, openapi, readiness, request_id, runs, setting, webhooks};

/// What the service says about itself.
pub struct Served {
    /// The OpenAPI document, as text.
    pub document: String,
    /// Path templates with their methods, to tell 404 from 405.
    resources: Vec<(Vec<Segment>, Vec<Method>)>,
}

/// The document and what follows from it.
struct Description {
    contract: Data<Contract>,
    policies: Data<Policies>,
    veil: Data<Veil>,
    served: Data<Served>,
}

/// The same for every server of the process, so made once (a fifth of a second in a debug build).
static DESCRIPTION: LazyLock<Result<Description, String>> =
    LazyLock::new(|| describe().map_err(|error| error.to_string()));

fn describe() -> Result<Description, StartError> {
    let document = openapi::document().to_pretty_json()?;
    let value: Value = serde_json::from_str(&document)?;
    let contract = Data::new(Contract::compile(&value)?);
    let policies = Data::new(Policies::new(&value)?);
    let veil = Data::new(Veil::new(&value));
    let served = Data::new(Served { resources: resources(&value), document });
    Ok(Description { contract, policies, veil, served })
}

enum Segment {
    Literal(String),
    Parameter,
}

/// Anything that can stop the service from starting.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// How long a connection without a request is kept: longer than proxies and clients keep theirs (usually 60 s), so that none of them
/// sends a request into a connection that is being closed.
const KEPT_ALIVE: Duration = Duration::from_secs(95);

/// How long requests that are being answered may take when the service ends.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Connections to each of the two threads that serve; further ones wait to be accepted. An idle one takes some 10 KiB.
const MOST_CONNECTIONS: usize = 4_096;

/// How a service is set up.
pub struct Setup {
    /// How runs are computed.
    pub runs: runs::Settings,
    /// How people come in.
    pub entrance: entrance::Settings,
    /// The key that seals bids.
    pub sealing: SealingKey,
    /// The key of the audit log.
    pub audit: Key,
    /// How much may be asked; without limits by default.
    pub limits: limits::Settings,
    /// What is said about the service to the outside.
    pub edge: edge::Settings,
    /// Where and how events are sent.
    pub webhooks: webhooks::Settings,
    /// The server that mails go through; none are sent without.
    pub mail: Option<mail::Settings>,
    /// How long it goes on answering after it has been asked to end, and has said that it is not ready any more.
    pub drain: Duration,
}

impl Setup {
    /// One computation at once, no identity provider, no limits, nothing said to the outside, and ends when it is asked to.
    #[must_use]
    pub fn new(sealing: SealingKey, audit: Key) -> Self {
        Self {
            runs: runs::Settings::default(),
            entrance: entrance::Settings::default(),
            sealing,
            audit,
            limits: limits::Settings::default(),
            edge: edge::Settings::default(),
            webhooks: webhooks::Settings::default(),
            mail: None,
            drain: Duration::ZERO,
        }
    }
}

/// Starts the service on a database whose schema is current. Await the server to serve; stop it through its handle.
///
/// # Errors
/// A database that does not answer, another sealing key than the one in use, a key that is not of its audit log, or a listener that
/// cannot be used.
pub async fn start(db: DatabaseConnection, listener: TcpListener, setup: Setup) -> Result<Running, StartError> {
    let Setup { runs, entrance, sealing, audit, limits, edge, webhooks, mail, drain } = setup;
    keys::check(&db, &sealing).await?;
    let log = Log::open(&db, audit).await?;
    let cursors = CursorKey::new(setting::secret(&db, "cursor-key").await?);
    let entrance = Data::new(Entrance::new(entrance, &setting::secret(&db, "oidc-cookie-key").await?)?);
    let solvers = Arc::new(Semaphore::new(usize::from(runs.solvers.max(1))));
    let readings = Readings::start(log.clone());
    let worker = Worker::new(log.clone(), sealing.clone(), webhooks.clone())?;
    let links = Links::new(setting::secret(&db, Links::SECRET).await?);
    let writer = mail.map(|mail| Writer::new(log.clone(), links.clone(), mail));
    let (links, limits) = (Data::new(links), Limits::new(limits));
    let (webhooks, wake) = (Arc::new(webhooks), Wake::default());
    let computing = Computing::start(&log, &wake, &runs);
    let (confinement, followers) = (Arc::new(runs.confinement()), Followers::default());
    let readiness = Readiness::default();
    let told = readiness.clone();
    let leases = Leases::default();
    let app = App {
        db,
        log,
        readings,
        leases,
        cursors,
        solvers,
        sealing,
        limits,
        webhooks,
        confinement,
        wake,
        followers,
        readiness,
    };
    let keeper = Keeper::start(app.log.clone(), runs.kept);
    let edge = Data::new(edge);
    let Description { contract, policies, veil, served } = DESCRIPTION.as_ref().map_err(Clone::clone)?;
    let http = HttpServer::new(move || {
        let (actix, _) = ActixApp::new()
            .app_data(Data::new(app.clone()))
            .app_data(entrance.clone())
            .app_data(contract.clone())
            .app_data(policies.clone())
            .app_data(veil.clone())
            .app_data(served.clone())
            .app_data(edge.clone())
            .app_data(links.clone())
            .app_data(PathConfig::default().error_handler(|error, _| malformed("path", &error)))
            .app_data(QueryConfig::default().error_handler(|error, _| malformed("query", &error)))
            .wrap(from_fn(guard::stand))
            .wrap(from_fn(refuse_nul))
            .wrap(from_fn(limits::crowd::admit))
            .wrap(Condition::new(!edge.cors_origins.is_empty(), edge::cors(&edge)))
            .wrap(from_fn(edge::explain_refusals))
            .wrap(from_fn(edge::protect))
            .wrap(from_fn(readiness::part))
            .wrap(from_fn(request_id::assign))
            .into_utoipa_app()
            .configure(openapi::routes)
            .split_for_parts();
        actix
            .service(SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/openapi.json")))
            .service(web::redirect("/docs", "/docs/"))
            .default_service(web::to(nowhere))
    })
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(KEPT_ALIVE)
    .disable_signals()
    .shutdown_timeout(LAST_ANSWERS.as_secs())
    .max_connections(MOST_CONNECTIONS)
    .workers(2)
    .listen(listener)?;
    let senders = Senders { worker, writer };
    Ok(Running::new(http.run(), Drain { readiness: told, time: drain }, senders, (computing, keeper))?)
}

/// Who sends events.
struct Senders {
    worker: Worker,
    writer: Option<Writer>,
}

/// How a service ends.
struct Drain {
    readiness: Readiness,
    time: Duration,
}

/// A service that runs: await it to its end.
pub struct Running {
    handle: ServerHandle,
    end: Pin<Box<dyn Future<Output = std::io::Result<()>>>>,
}

impl Running {
    /// When the server has ended, those who send events finish what they have begun, and those who compute give it back.
    fn new(
        server: Server,
        drain: Drain,
        Senders { worker, writer }: Senders,
        (computing, keeper): (Computing, Keeper),
    ) -> std::io::Result<Self> {
        let handle = server.handle();
        let signals = Signals::listen()?;
        let (stop, stopped) = watch::channel(());
        let mut sending = JoinSet::new();
        sending.spawn(worker.work(stopped.clone()));
        if let Some(writer) = writer {
            sending.spawn(writer.work(stopped));
        }
        let end = Box::pin(async move {
            let ended = drain.serve(server, signals).await;
            drop(stop);
            computing.stop().await;
            keeper.stop().await;
            while let Some(joined) = sending.join_next().await {
                if let Err(error) = joined {
                    tracing::error!(%error, "the sending of events broke down");
                }
            }
            ended
        });
        Ok(Self { handle, end })
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }
}

impl Future for Running {
    type Output = std::io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.end.as_mut().poll(context)
    }
}

impl Drain {
    /// Serves to the end: until the server is stopped, or a signal asks for it.
    ///
    /// SIGTERM: says at once that it is not ready, answers for a while yet, so that balancers have turned away before anything is closed,
    /// and then lets what is being answered end. SIGINT, or any second signal: without that while.
    async fn serve(self, mut server: Server, mut signals: Signals) -> std::io::Result<()> {
        let asked = tokio::select! {
            ended = &mut server => return ended,
            asked = signals.next() => asked,
        };
        self.readiness.end();
        // Only a service manager wants to know.
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        if asked == Asked::Terminate && !self.time.is_zero() {
            tracing::info!(seconds = self.time.as_secs(), "ends: answers until balancers have turned away");
            tokio::select! {
                ended = &mut server => return ended,
                () = tokio::time::sleep(self.time) => {}
                _ = signals.next() => {}
            }
        }
        // Heard by the server at once; what it answers with is its own end.
        drop(server.handle().stop(true));
        server.await
    }
}

/// What a process is asked to end by.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Interrupt,
    Terminate,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }
}

fn malformed(parameter: &str, error: &dyn std::fmt::Display) -> actix_web::Error {
    Problem::malformed(vec![Fault::parameter(parameter, error.to_string())]).into()
}

/// No text with NUL reaches the database, which could not store it.
///
/// The refusal is an answer, not an error: it passes through the middlewares outside of this one, as all answers do.
async fn refuse_nul(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let places = [("path", request.path()), ("query", request.query_string())];
    let with_nul = places.into_iter().find(|(_, text)| text.contains("%00") || text.contains('\0'));
    if let Some((parameter, _)) = with_nul {
        let problem = Problem::malformed(vec![Fault::parameter(parameter, "no NUL character")]);
        return Ok(request.into_response(problem.error_response()));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

/// Where no route is: 405 with `Allow` when the resource exists, 404 otherwise.
async fn nowhere(request: HttpRequest, served: Data<Served>) -> Result<HttpResponse, Problem> {
    let parts: Vec<&str> = request.path().strip_prefix('/').unwrap_or_default().split('/').collect();
    let matches = |segments: &[Segment]| {
        segments.len() == parts.len()
            && segments.iter().zip(&parts).all(|(segment, part)| match segment {
                Segment::Literal(literal) => literal == part,
                Segment::Parameter => !part.is_empty(),
            })
    };
    match served.resources.iter().find(|(segments, _)| matches(segments)) {
        Some((_, methods)) => {
            let allow: Vec<&str> = methods.iter().map(Method::as_str).collect();
            Err(Problem::method_not_allowed(allow.join(", ")))
        }
        None => Err(Problem::not_found()),
    }
}

fn resources(document: &Value) -> Vec<(Vec<Segment>, Vec<Method>)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .map(|(path, item)| {
            let segments = path
                .trim_start_matches('/')
                .split('/')
                .map(|part| if part.starts_with('{') { Segment::Parameter } else { Segment::Literal(part.to_owned()) });
            let methods = item.as_object().into_iter().flatten();
            let methods = methods.filter_map(|(name, _)| Method::from_bytes(name.to_ascii_uppercase().as_bytes()).ok());
            (segments.collect(), methods.collect())
        })
        .collect()
}
