//! Starts computations, each on a thread of its own, as many at once as the service allows.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use attelage_solver::portfolio::{PortfolioAnswer, PortfolioOptions};
use attelage_solver::{self as solver, Instance, OptionsError, PortfolioInstance, Query, Reply};
use sea_orm::DbErr;
use serde_json::json;
use uuid::Uuid;

use super::{Asked, JointRunOptions, Run, RunCall, RunOptions, RunState, store};
use crate::access::{Caller, Role};
use crate::app::App;
use crate::audit::{Recorded, Write};
use crate::calls::market::Market;
use crate::calls::problem::of_lots;
use crate::calls::window::Window;
use crate::calls::{self, Call};
use crate::codes::sha256_hex;
use crate::database::begin_read;
use crate::events::{EventType, News};
use crate::limits;
use crate::once::{self, Once};
use crate::problem::{Fault, Kind, Problem};

/// How many runs may wait or be computed at once, each holding its inputs in memory.
const MOST_UNFINISHED: u64 = 64;
const PATH: &str = "/v1/runs/";

/// Reads a call and its market as they stand at one instant, queues a run on them, and starts it in the background.
///
/// # Errors
/// No such call; options that name organisations which cannot take part; too many runs already; data that cannot be
/// computed on.
pub async fn launch(app: &App, caller: &Caller, once: &Once, call: Uuid, options: RunOptions) -> Result<Uuid, Problem> {
    let lots = options.lots.clone();
    launch_about(app, caller, once, call, options.organisation, &lots, |_| Ok(options)).await
}

/// As [`launch`], on some lots (on all where none is named), where what is asked follows from the market, and may leave a part of it out.
///
/// # Errors
/// As [`launch`]; those of `ask`.
pub async fn launch_about(
    app: &App,
    caller: &Caller,
    once: &Once,
    call: Uuid,
    organisation: Option<Uuid>,
    lots: &[String],
    ask: impl FnOnce(&mut solver::Problem) -> Result<RunOptions, Problem>,
) -> Result<Uuid, Problem> {
    if let Some(run) = once.before(&app.db).await? {
        return started_before(&run);
    }
    has_room(app).await?;
    let snapshot = begin_read(&app.db).await?;
    let call = calls::store::find_visible(&snapshot, caller, call).await?.ok_or_else(Problem::not_found)?;
    let asker = caller.acting(&snapshot, "/organisation", organisation, Role::Editor).await?;
    limits::solver::check(&snapshot, app.limits.solver_seconds_per_day(), asker).await?;
    let reduced = of_lots(&call, lots).map_err(Problem::invalid)?;
    let mut problem = Market::load(&Window::new(&snapshot, asker)).await?.problem(&reduced);
    snapshot.commit().await?;
    let options = ask(&mut problem)?;
    let own = options.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare(problem, &own)).await.map_err(Problem::internal)??;
    queue(app, caller, once, asker, &[call], Asked::Alone(options), prepared).await
}

/// As [`launch`], on several calls at once.
///
/// # Errors
/// Calls that do not exist or stand twice; otherwise as [`launch`].
pub async fn launch_jointly(
    app: &App,
    caller: &Caller,
    once: &Once,
    options: JointRunOptions,
) -> Result<Uuid, Problem> {
    if let Some(run) = once.before(&app.db).await? {
        return started_before(&run);
    }
    has_room(app).await?;
    let snapshot = begin_read(&app.db).await?;
    let mut calls: Vec<Call> = Vec::with_capacity(options.calls.len());
    let mut faults = Vec::new();
    for (position, id) in options.calls.iter().enumerate() {
        let pointer = format!("/calls/{position}");
        match calls::store::find_visible(&snapshot, caller, *id).await? {
            None => faults.push(Fault::at(pointer, "there is no such call")),
            Some(call) if calls.iter().any(|other| other.id == call.id) => {
                faults.push(Fault::at(pointer, "this call is there twice"));
            }
            Some(call) => calls.push(call),
        }
    }
    Problem::check(faults)?;
    let asker = caller.acting(&snapshot, "/organisation", options.organisation, Role::Editor).await?;
    limits::solver::check(&snapshot, app.limits.solver_seconds_per_day(), asker).await?;
    let market = Market::load(&Window::new(&snapshot, asker)).await?;
    snapshot.commit().await?;
    let problems: Vec<solver::Problem> = calls.iter().map(|call| market.problem(call)).collect();
    let own = options.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare_jointly(problems, &own));
    let prepared = prepared.await.map_err(Problem::internal)??;
    queue(app, caller, once, asker, &calls, Asked::Jointly(options), prepared).await
}

pub(super) async fn has_room(app: &App) -> Result<(), Problem> {
    if store::unfinished(&app.db).await? < MOST_UNFINISHED {
        return Ok(());
    }
    let detail = format!("{MOST_UNFINISHED} runs are waiting or being computed");
    Err(Problem::new(Kind::Unavailable).because(detail))
}

/// Records a run and starts it; gives its id.
async fn queue(
    app: &App,
    caller: &Caller,
    once: &Once,
    organisation: Option<Uuid>,
    calls: &[Call],
    asked: Asked,
    prepared: Prepared,
) -> Result<Uuid, Problem> {
    let id = Uuid::now_v7();
    let calls: Vec<RunCall> = calls.iter().map(|call| RunCall { call: call.id, version: call.version }).collect();
    let tx = app.log.begin(caller).await?;
    if let Some(run) = once.claim(&tx).await? {
        return started_before(&run);
    }
    store::insert(&tx, id, organisation, &calls, asked, &prepared.fingerprint).await?;
    once.keep(&tx, HttpResponse::Accepted().insert_header((LOCATION, path(id))).finish()).await?;
    let app = app.clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    // A caller that goes away ends this function, but must not part the record of a run from its computation.
    tokio::spawn(async move {
        let committed = tx.commit(recorded(id, organisation)).await;
        let recorded = committed.is_ok();
        // Nobody may be waiting any more.
        let _ = tell.send(committed);
        let computed = if recorded { compute(&app, id, organisation, prepared.work).await } else { Ok(()) };
        if let Err(error) = &computed {
            tracing::error!(run = %id, %error, "the run was not recorded");
        }
        // A commit that seemed to fail may have reached the database.
        if (!recorded || computed.is_err())
            && let Err(error) =
                fail(&app, id, organisation, "the answer could not be recorded; start another run").await
        {
            tracing::error!(run = %id, %error, "nor was its failure");
        }
    });
    told.await.map_err(Problem::internal)??;
    Ok(id)
}

/// Where a run is found.
#[must_use]
pub fn path(id: Uuid) -> String {
    format!("{PATH}{id}")
}

/// The run that was started under the same key.
pub(super) fn started_before(kept: &once::Model) -> Result<Uuid, Problem> {
    let id = kept.location.as_deref().and_then(|location| location.strip_prefix(PATH)?.parse().ok());
    id.ok_or_else(|| Problem::internal("a key of a run without its id"))
}

/// A computation that is ready to start.
struct Prepared {
    work: Work,
    fingerprint: String,
}

/// What is computed.
enum Work {
    Alone(Box<Alone>),
    Jointly(PortfolioInstance, PortfolioOptions),
}

struct Alone {
    instance: Instance,
    options: solver::Options,
    question: Query,
}

/// What came out.
enum Outcome {
    Reply(Box<Reply>),
    Portfolio(PortfolioAnswer),
}

impl Work {
    /// Computes, on the calling thread, for as long as the limit says.
    fn outcome(self) -> Result<Outcome, OptionsError> {
        Ok(match self {
            Self::Alone(own) => Outcome::Reply(Box::new(solver::ask(&own.instance, &own.options, &own.question, &())?)),
            Self::Jointly(instance, options) => Outcome::Portfolio(solver::solve_portfolio(&instance, &options, &())?),
        })
    }
}

/// The part of the preparation that takes a processor for a while.
fn prepare(problem: solver::Problem, asked: &RunOptions) -> Result<Prepared, Problem> {
    Problem::check(lock_faults(&problem, asked))?;
    let (options, question) = (solver_options(asked), asked.question.clone());
    let fingerprint = fingerprint(&(&problem, &options, &question))?;
    let instance = Instance::new(problem).map_err(|faults| unfit(&faults))?;
    solver::validate_query(&instance, &options, &question).map_err(refused)?;
    Ok(Prepared { work: Work::Alone(Box::new(Alone { instance, options, question })), fingerprint })
}

fn prepare_jointly(problems: Vec<solver::Problem>, asked: &JointRunOptions) -> Result<Prepared, Problem> {
    let options = PortfolioOptions {
        maximum_calls_per_actor: asked.maximum_calls_per_actor,
        maximum_share_percent: asked.maximum_share_percent,
        exclusive: asked.exclusive.iter().map(|set| ids(set)).collect(),
        fairness: asked.fairness.clone(),
        time_limit_ms: milliseconds(asked.time_limit_seconds),
        ..PortfolioOptions::default()
    };
    let fingerprint = fingerprint(&(&problems, &options))?;
    let instance = PortfolioInstance::of(problems).map_err(|faults| unfit(&faults))?;
    solver::validate_portfolio(&options, &instance).map_err(refused)?;
    Ok(Prepared { work: Work::Jointly(instance, options), fingerprint })
}

/// The solver cannot read what is stored.
pub(super) fn unfit(faults: &[solver::Fault]) -> Problem {
    tracing::warn!(?faults, "the solver refuses a stored call");
    let words = faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; ");
    Problem::conflict(format!("the call and its market cannot be computed on as they are: {words}"))
}

/// The solver refuses what is asked.
pub(super) fn refused(error: OptionsError) -> Problem {
    Problem::invalid(error.faults.into_iter().map(|fault| Fault::at(fault.path, fault.message)).collect())
}

/// Waits for a place, computes, and records the answer.
async fn compute(app: &App, id: Uuid, asker: Option<Uuid>, work: Work) -> Result<(), Problem> {
    let _place = app.solvers.acquire().await.map_err(Problem::internal)?;
    store::start(&app.db, id).await?;
    let outcome = tokio::task::spawn_blocking(move || work.outcome()).await;
    let tx = finish(app).await?;
    let state = match outcome {
        Ok(Ok(outcome)) => {
            match outcome {
                Outcome::Reply(reply) => match *reply {
                    Reply::Proposals(answer) => store::succeed(&tx, id, &answer).await?,
                    reply => store::reply(&tx, id, &reply).await?,
                },
                Outcome::Portfolio(answer) => store::succeed_jointly(&tx, id, &answer).await?,
            }
            RunState::Succeeded
        }
        Ok(Err(error)) => {
            store::fail(&tx, id, &error.to_string()).await?;
            RunState::Failed
        }
        Err(error) => {
            tracing::error!(run = %id, %error, "the solver stopped");
            store::fail(&tx, id, "the solver stopped unexpectedly; the cause is in the log").await?;
            RunState::Failed
        }
    };
    Ok(tx.commit(finished(id, asker, state)).await?)
}

/// Says that a run will have no answer.
pub(super) async fn fail(app: &App, id: Uuid, asker: Option<Uuid>, why: &str) -> Result<(), DbErr> {
    let tx = finish(app).await?;
    store::fail(&tx, id, why).await?;
    tx.commit(finished(id, asker, RunState::Failed)).await
}

/// The end of a run is a write of the service's own.
pub(super) async fn finish(app: &App) -> Result<Write, DbErr> {
    app.log.begin(&Caller::installation().asking("finish_run")).await
}

pub(super) fn recorded(run: Uuid, asker: Option<Uuid>) -> Recorded {
    Recorded::of("run", run).concerning(asker)
}

/// The end of a run, told to whoever asked for it.
pub(super) fn finished(run: Uuid, asker: Option<Uuid>, state: RunState) -> Recorded {
    let news = News::of(EventType::RunFinished, "run", run, asker);
    recorded(run, asker).telling(news.with(json!({ "state": state })))
}

/// The run, when it is over or when `patience` is. Looks every few milliseconds at first, four times a second later.
///
/// # Errors
/// No such run.
pub async fn wait(app: &App, id: Uuid, patience: Duration) -> Result<Run, Problem> {
    let until = Instant::now() + patience;
    let mut pause = Duration::from_millis(5);
    loop {
        let row = store::find(&app.db, id).await?.ok_or_else(Problem::not_found)?;
        let left = until.saturating_duration_since(Instant::now());
        if is_over(row.state) || left.is_zero() {
            return store::views(&app.db, vec![row]).await?.pop().ok_or_else(Problem::not_found);
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

/// Whether a run will not change any more.
#[must_use]
pub const fn is_over(state: RunState) -> bool {
    matches!(state, RunState::Succeeded | RunState::Failed)
}

pub(super) fn solver_options(options: &RunOptions) -> solver::Options {
    solver::Options {
        proposals: options.proposals,
        locked_in: ids(&options.locked_in),
        locked_out: ids(&options.locked_out),
        time_limit_ms: milliseconds(options.time_limit_seconds),
        ..solver::Options::default()
    }
}

fn ids(list: &[Uuid]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn milliseconds(seconds: u32) -> u64 {
    u64::from(seconds) * 1000
}

fn lock_faults(problem: &solver::Problem, options: &RunOptions) -> Vec<Fault> {
    let mut faults = Vec::new();
    let able = problem.actors.iter().filter(|actor| !actor.capabilities.is_empty());
    let able: BTreeSet<&str> = able.map(|actor| actor.id.as_str()).collect();
    for (member, list) in [("locked_in", &options.locked_in), ("locked_out", &options.locked_out)] {
        let mut seen = BTreeSet::new();
        for (position, id) in list.iter().enumerate() {
            let pointer = format!("/{member}/{position}");
            if !able.contains(id.to_string().as_str()) {
                faults.push(Fault::at(pointer, "no organisation with a capability for this call has this id"));
            } else if !seen.insert(id) {
                faults.push(Fault::at(pointer, "this organisation is there twice"));
            } else if member == "locked_out" && options.locked_in.contains(id) {
                faults.push(Fault::at(pointer, "this organisation is also locked in"));
            }
        }
    }
    faults
}

/// SHA-256 of the inputs in their canonical JSON, and of the engine's version.
pub(super) fn fingerprint(inputs: &impl serde::Serialize) -> Result<String, Problem> {
    Ok(sha256_hex(&serde_json::to_vec(&(solver::VERSION, inputs)).map_err(Problem::internal)?))
}
