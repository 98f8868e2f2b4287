//! The real service, as `attelage serve` starts it, on a database of its own.

use std::net::TcpListener;
use std::sync::{Arc, LazyLock};

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use attelage::audit::Log;
use attelage::bids::seal::SealingKey;
use attelage::identity::administration;
use attelage::keyfile::Key;
use attelage::server::Setup;
use attelage::{database, openapi, runs, server};
use sea_orm::DatabaseConnection;
use tokio::sync::oneshot;

use super::app::{Client, TestApp};
use super::contract::Document;
use super::database::{Engine, Template};
use crate::cli::binary;

/// The schema and the vocabularies that the product ships.
pub static PREPARED: Template = Template::new(|db| Box::pin(database::prepare(db)));

static DOCUMENT: LazyLock<Arc<Document>> = LazyLock::new(|| {
    let document = openapi::document().to_json().expect("the document is JSON");
    Arc::new(Document::new(serde_json::from_str(&document).expect("the document is JSON")))
});

/// What the service promises, to judge answers of another process by.
pub fn document() -> &'static Arc<Document> {
    &DOCUMENT
}

/// The service under test, with the client that checks its answers.
pub type App = TestApp<Running>;

/// Stops the service when the test ends.
pub struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}

/// The key that seals bids in the tests.
pub fn sealing() -> SealingKey {
    SealingKey::new([7; 32])
}

/// The key of the audit log in the tests.
pub fn audit_key() -> Key {
    Key::new([11; 32])
}

/// Starts the service on a fresh database, with a client that has a key of the platform.
pub async fn spawn(engine: Engine) -> App {
    spawn_with(engine, setup()).await
}

/// How every service under test is set up, unless a test says otherwise: without limits.
pub fn setup() -> Setup {
    Setup { runs: runs(), ..Setup::new(sealing(), audit_key()) }
}

/// How runs are computed under test: by the program, which the tests are not.
pub fn runs() -> runs::Settings {
    runs::Settings { program: binary().to_owned(), ..runs::Settings::default() }
}

/// The same as [`spawn`], set up in a way of its own.
pub async fn spawn_with(engine: Engine, setup: Setup) -> App {
    TestApp::start(engine, &PREPARED, Arc::clone(&DOCUMENT), async |url, listener| {
        let started = serve(listener, setup, async move || {
            let db = database::connect(&url).await.expect("the database of the test answers");
            let log = Log::open(&db, audit_key()).await.expect("the log opens");
            let key = administration::issue_key(&log, "tests".to_owned(), 1).await.expect("a key").secret;
            (db, key)
        });
        let (running, key) = started.await;
        (running, Some(key))
    })
    .await
}

/// Starts a service on a thread of its own: where a test waits for another process, and its thread with it, the service goes on and keeps
/// no lock that the process needs. `open` gives the database, and what else the test wants of it.
async fn serve<T: Send + 'static>(
    listener: TcpListener,
    setup: Setup,
    open: impl AsyncFnOnce() -> (DatabaseConnection, T) + Send + 'static,
) -> (Running, T) {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        System::new().block_on(async move {
            let (db, opened) = open().await;
            let server = server::start(db, listener, setup).await.expect("the service starts");
            drop(tell.send((Running(server.handle()), opened)));
            server.await
        })
    });
    told.await.expect("the service starts")
}

/// The same service once more on the database of `app`, as after a crash.
pub async fn restarted(app: &App) -> Restarted {
    restarted_with(app, setup()).await
}

/// The same as [`restarted`], set up in a way of its own.
pub async fn restarted_with(app: &App, setup: Setup) -> Restarted {
    restarted_on(&app.database.url(), app, setup).await
}

/// The same on another database, which has what `app` has.
pub async fn restarted_on(url: &str, app: &App, setup: Setup) -> Restarted {
    let url = url.to_owned();
    restarted_by(app, setup, async move || database::connect(&url).await.expect("the database of the test answers"))
        .await
}

/// The same over connections of the test's own.
pub async fn restarted_through(db: DatabaseConnection, app: &App, setup: Setup) -> Restarted {
    restarted_by(app, setup, async move || db).await
}

async fn restarted_by(
    app: &App,
    setup: Setup,
    open: impl AsyncFnOnce() -> DatabaseConnection + Send + 'static,
) -> Restarted {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (running, ()) = serve(listener, setup, async move || (open().await, ())).await;
    Restarted { client: app.at(base), _running: running }
}

/// A second service on a database.
pub struct Restarted {
    pub client: Client,
    _running: Running,
}
