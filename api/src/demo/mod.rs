//! The golden example: a call of the Métropole de Lyon, computed on a fresh database.
//!
//! The answer is computed from the market in `data/demo/`, through the same doors as any other call: nothing here knows it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use attelage_solver::{Necessity, Proposal};
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::access::Caller;
use crate::app::App;
use crate::audit::{Log, Readings};
use crate::bids::seal::SealingKey;
use crate::body::Contract;
use crate::calls::Call;
use crate::config::ServerConfig;
use crate::identity::leases::Leases;
use crate::identity::{administration, entrance};
use crate::imports::{ImportKind, apply};
use crate::keyfile::Key;
use crate::limits::Limits;
use crate::once::Once;
use crate::page::{CursorKey, MAX_LIMIT, Slice};
use crate::readiness::Readiness;
use crate::runs::follow::{self, Followers};
use crate::runs::wake::Wake;
use crate::runs::worker::Computing;
use crate::runs::{Run, RunOptions, runner};
use crate::server::{self, Setup, StartError};
use crate::{database, openapi, organisations, runs, setting, territories};

pub mod data;
pub mod report;
#[cfg(test)]
mod tests;

use data::Market;
use report::{Context, Report};

/// Computes the example on a fresh database, prints the result and, unless it is for `once`, serves that database.
///
/// The database is removed at the end.
///
/// # Errors
/// A port that is taken, before anything is computed; a temporary directory that cannot be written; a computation that
/// failed.
pub async fn run(
    config: &ServerConfig,
    once: bool,
    listen: fn(&ServerConfig) -> Result<TcpListener, StartError>,
) -> Result<(), StartError> {
    demonstrate(config, once, listen, &mut std::io::stdout()).await
}

/// The same, shown on `out`.
async fn demonstrate(
    config: &ServerConfig,
    once: bool,
    listen: fn(&ServerConfig) -> Result<TcpListener, StartError>,
    out: &mut dyn Write,
) -> Result<(), StartError> {
    let listener = if once { None } else { Some(listen(config)?) };
    let scratch = Scratch::create()?;
    writeln!(out, "A fresh database, for this demonstration only: {}\n", scratch.database().display())?;
    // Of a database that nobody keeps, and so not kept either.
    let (sealing, audit) = (SealingKey::new(*Key::generate()?.bytes()), Key::generate()?);
    let (log, contract) = prepare(&scratch, audit.clone()).await?;
    let own = config.runs.settings();
    let settings = runs::Settings { solvers: own.solvers.max(1), ..own };
    let shown = show(&log, &contract, &settings, &sealing, out).await;
    let served = match (shown, listener) {
        (Ok(shown), Some(listener)) => {
            let setup = config.setup(entrance::Settings::default(), sealing, audit);
            serve(&log, listener, setup, &shown, out).await
        }
        (shown, _) => shown.map(|_| ()),
    };
    log.db().clone().close().await?;
    served
}

/// What was shown, to be looked at again over the API.
struct Shown {
    call: Uuid,
    run: Uuid,
    first: Option<Proposal>,
}

/// Fills the database, computes, and prints; then computes again without each member that nobody can replace.
async fn show(
    log: &Log,
    contract: &Contract,
    settings: &runs::Settings,
    sealing: &SealingKey,
    out: &mut dyn Write,
) -> Result<Shown, StartError> {
    let db = log.db();
    let market = Market::shipped()?;
    writeln!(out, "{}", report::paragraph(&market.note))?;
    let call = market.store(log, contract).await?;
    let cursors = CursorKey::new(setting::secret(db, "cursor-key").await?);
    let readings = Readings::start(log.clone());
    let app = App {
        db: db.clone(),
        log: log.clone(),
        readings,
        leases: Leases::default(),
        cursors,
        solvers: Arc::new(Semaphore::new(1)),
        sealing: sealing.clone(),
        limits: Limits::default(),
        webhooks: Arc::default(),
        confinement: Arc::new(settings.confinement()),
        wake: Wake::default(),
        followers: Followers::default(),
        readiness: Readiness::default(),
    };
    let _computing = Computing::start(log, &app.wake, settings);
    let context = context(db, &call).await?;
    let (run, proposals) = compute(&app, &call, RunOptions::default()).await?;
    writeln!(out, "{}", report::render(&Report { context: &context, run: &run, proposals: &proposals }))?;
    for (id, name) in indispensable(proposals.first()) {
        let options = RunOptions { proposals: 1, locked_out: vec![id], ..RunOptions::default() };
        let (run, proposals) = compute(&app, &call, options).await?;
        let report = Report { context: &context, run: &run, proposals: &proposals };
        writeln!(out, "{}", report::render_variant(&format!("Without {name}"), &report))?;
    }
    Ok(Shown { call: call.id, run: run.id, first: proposals.into_iter().next() })
}

/// A database with its schema and territories, and what the API accepts in it.
async fn prepare(scratch: &Scratch, audit: Key) -> Result<(Log, Contract), StartError> {
    let db = database::connect(&format!("sqlite:{}", scratch.database().display())).await?;
    database::prepare(&db).await?;
    let log = Log::open(&db, audit).await?;
    let import = apply::import(&log, ImportKind::Territories, data::TERRITORIES.into()).await?;
    if let Some(fault) = import.summary.faults.keys().next() {
        return Err(format!("the territories of the demonstration have a fault: {fault}").into());
    }
    Ok((log, Contract::compile(&serde_json::to_value(openapi::document())?)?))
}

/// The call and the names that a report needs.
async fn context(db: &DatabaseConnection, call: &Call) -> Result<Context, DbErr> {
    let organisations = organisations::store::all(db).await?;
    let territories = territories::store::all(db).await?;
    Ok(Context {
        call: call.value.written.clone(),
        organisations: organisations.into_iter().map(|one| (one.id.to_string(), one.value.name)).collect(),
        territories: territories.into_iter().map(|row| (row.code, row.name)).collect(),
    })
}

/// Runs the solver as the API does, and waits for the end.
async fn compute(app: &App, call: &Call, options: RunOptions) -> Result<(Run, Vec<Proposal>), StartError> {
    let patience = Duration::from_secs(u64::from(options.time_limit_seconds) * 2);
    let caller = Caller::installation().asking("demo");
    let id = runner::launch(app, &caller, &Once::without_key(caller.clone()), call.id, options).await?;
    let run = follow::wait(app, id, patience).await?;
    if let Some(failure) = &run.failure {
        return Err(format!("the computation failed: {failure}").into());
    }
    let all = Slice { after: None, limit: MAX_LIMIT };
    let proposals = runs::store::proposals(&app.db, run.id, &all, None).await?;
    Ok((run, proposals))
}

/// Members without whom the call has no answer.
fn indispensable(proposal: Option<&Proposal>) -> Vec<(Uuid, String)> {
    let members = proposal.into_iter().flat_map(|proposal| &proposal.members);
    let members = members.filter(|member| member.necessity == Necessity::Indispensable);
    members.filter_map(|member| Some((member.actor.parse().ok()?, member.name.clone()))).collect()
}

/// Serves until it is told to stop.
async fn serve(
    log: &Log,
    listener: TcpListener,
    setup: Setup,
    shown: &Shown,
    out: &mut dyn Write,
) -> Result<(), StartError> {
    let address = listener.local_addr()?;
    let key = administration::issue_key(log, "demonstration".to_owned(), 1).await?.secret;
    let server = server::start(log.db().clone(), listener, setup).await?;
    writeln!(out, "{}", invitation(address, shown, &key))?;
    Ok(server.await?)
}

/// Where to look further.
fn invitation(address: SocketAddr, shown: &Shown, key: &str) -> String {
    let Shown { call, run, first } = shown;
    let base = format!("http://{address}");
    let without = first.iter().flat_map(|proposal| &proposal.members).next_back();
    let locked_out = without.map(|member| format!("\"{}\"", member.actor)).unwrap_or_default();
    let name = without.map_or("anybody", |member| member.name.as_str());
    format!(
        "The same over HTTP, until Ctrl-C
───────────────────────────────
  API        {base}/v1
  Reference  {base}/docs/

  The call, which everybody reads:
    curl -s {base}/v1/calls/{call}
  A key of the platform, for this demonstration only:
    export KEY={key}
  The first proposal:
    curl -s '{base}/v1/runs/{run}/proposals?limit=1' -H \"Authorization: Bearer $KEY\"
  The call computed again, without {name}:
    curl -s {base}/v1/calls/{call}/runs -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' -H 'Prefer: wait=30' \\
      -d '{{\"locked_out\": [{locked_out}]}}'
"
    )
}

/// A directory of our own, removed with everything in it when it goes out of scope.
struct Scratch {
    directory: PathBuf,
}

impl Scratch {
    fn create() -> std::io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("attelage-demo-{}", Uuid::now_v7()));
        std::fs::create_dir(&directory)?;
        Ok(Self { directory })
    }

    fn database(&self) -> PathBuf {
        self.directory.join("demo.sqlite")
    }

    fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(self.path()) {
            tracing::warn!(directory = %self.path().display(), %error, "the demonstration's database stays");
        }
    }
}
