//! Queues computations: reads what they are about, checks it, and writes it down as a job that any worker takes.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use attelage_solver::portfolio::PortfolioOptions;
use attelage_solver::{self as solver, Instance, OptionsError, PortfolioInstance};
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::wake::{Stir, announce};
use super::work::{Alone, Jointly, Prompt, Work};
use super::{Asked, JointRunOptions, RunCall, RunOptions, RunState, store};
use crate::access::{Caller, Role};
use crate::app::App;
use crate::audit::Recorded;
use crate::calls::market::{Extent, Market};
use crate::calls::problem::of_lots;
use crate::calls::window::Window;
use crate::calls::{self, Call};
use crate::codes::sha256_hex;
use crate::database::begin_read;
use crate::events::{EventType, News};
use crate::limits;
use crate::once::{self, Once};
use crate::problem::{Fault, Kind, Problem};
use crate::request_id;

/// How many runs may wait or be computed at once, of all and of one organisation: each keeps its inputs in the database. The platform has
/// no bound of its own.
const MOST_UNFINISHED: u64 = 2_048;
const MOST_OF_ONE: u64 = 128;
/// What goes first: questions that somebody waits for before those that may take minutes.
pub(super) const AT_ONCE: i16 = 10;
const IN_TURN: i16 = 0;
const PATH: &str = "/v1/runs/";

/// Reads a call and its market as they stand at one instant, and queues a run on them; gives its id, or that of the run that is the answer
/// already.
///
/// # Errors
/// No such call; options that name organisations which cannot take part; too many runs already; data that cannot be
/// computed on.
pub async fn launch(app: &App, caller: &Caller, once: &Once, call: Uuid, options: RunOptions) -> Result<Uuid, Problem> {
    let about =
        About { call, organisation: options.organisation, lots: options.lots.clone(), extent: options.extent() };
    launch_about(app, caller, once, about, |_| Ok(options)).await
}

/// What a run is about.
pub struct About {
    /// The call.
    pub call: Uuid,
    /// In whose name, where that is said.
    pub organisation: Option<Uuid>,
    /// On which lots; on all where none is named.
    pub lots: Vec<String>,
    /// On what of the directory.
    pub extent: Extent,
}

/// As [`launch`], where what is asked follows from the market, and may leave a part of it out.
///
/// # Errors
/// As [`launch`]; those of `ask`.
pub async fn launch_about(
    app: &App,
    caller: &Caller,
    once: &Once,
    about: About,
    ask: impl FnOnce(&mut solver::Problem) -> Result<RunOptions, Problem>,
) -> Result<Uuid, Problem> {
    let About { call, organisation, lots, extent } = about;
    if let Some(run) = once.before(&app.db).await? {
        return started_before(&run);
    }
    let snapshot = begin_read(&app.db).await?;
    let call = calls::store::find_visible(&snapshot, caller, call).await?.ok_or_else(Problem::not_found)?;
    let asker = caller.acting(&snapshot, "/organisation", organisation, Role::Editor).await?;
    has_room(&snapshot, asker).await?;
    limits::solver::check(&snapshot, app.limits.solver_seconds_per_day(), asker).await?;
    let reduced = of_lots(&call, &lots).map_err(Problem::invalid)?;
    let mut problem = Market::load(&Window::new(&snapshot, asker), &[&reduced], &extent).await?.problem(&reduced);
    snapshot.commit().await?;
    let options = ask(&mut problem)?;
    let (own, trace) = (options.clone(), request_id::trace());
    let prepared =
        tokio::task::spawn_blocking(move || prepare(problem, &own, trace)).await.map_err(Problem::internal)??;
    let job = NewJob { run: Uuid::now_v7(), asker, calls: &[call], asked: Asked::Alone(options), priority: IN_TURN };
    queue(app, caller, once, job, prepared).await
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
    has_room(&snapshot, asker).await?;
    limits::solver::check(&snapshot, app.limits.solver_seconds_per_day(), asker).await?;
    let about: Vec<&Call> = calls.iter().collect();
    let extent = Extent::Near(BTreeSet::new());
    let market = Market::load(&Window::new(&snapshot, asker), &about, &extent).await?;
    snapshot.commit().await?;
    let problems: Vec<solver::Problem> = calls.iter().map(|call| market.problem(call)).collect();
    let (own, trace) = (options.clone(), request_id::trace());
    let prepared = tokio::task::spawn_blocking(move || prepare_jointly(problems, &own, trace));
    let prepared = prepared.await.map_err(Problem::internal)??;
    let job = NewJob { run: Uuid::now_v7(), asker, calls: &calls, asked: Asked::Jointly(options), priority: IN_TURN };
    queue(app, caller, once, job, prepared).await
}

pub(super) async fn has_room(db: &impl ConnectionTrait, asker: Option<Uuid>) -> Result<(), Problem> {
    let (all, own) = store::unfinished(db, asker).await?;
    let detail = if all >= MOST_UNFINISHED {
        format!("{all} runs are waiting or being computed")
    } else if asker.is_some() && own >= MOST_OF_ONE {
        format!("{own} runs of your organisation are waiting or being computed")
    } else {
        return Ok(());
    };
    Err(Problem::new(Kind::Unavailable).because(detail))
}

/// A run to be queued, without what is computed.
pub(super) struct NewJob<'a> {
    /// Its id.
    pub run: Uuid,
    /// In whose name.
    pub asker: Option<Uuid>,
    /// On which calls.
    pub calls: &'a [Call],
    /// What was asked.
    pub asked: Asked,
    /// How urgent it is.
    pub priority: i16,
}

/// Queues a run; gives its id. Where the same was asked before, that of the run of then.
pub(super) async fn queue(
    app: &App,
    caller: &Caller,
    once: &Once,
    job: NewJob<'_>,
    prepared: Prepared,
) -> Result<Uuid, Problem> {
    let NewJob { run, asker, calls, asked, priority } = job;
    let Prepared { work, limit_ms, fingerprint, form } = prepared;
    let twin = sha256_hex(&serde_json::to_vec(&(asker, &fingerprint, form)).map_err(Problem::internal)?);
    let calls: Vec<RunCall> = calls.iter().map(|call| RunCall { call: call.id, version: call.version }).collect();
    let tx = app.log.begin(caller).await?;
    if let Some(run) = once.claim(&tx).await? {
        return started_before(&run);
    }
    let id = if let Some(twin) = store::twin(&tx, &twin).await? {
        twin
    } else {
        let (fingerprint, calls) = (fingerprint.as_str(), calls.as_slice());
        let new = store::NewRun {
            id: run,
            organisation: asker,
            calls,
            options: asked,
            fingerprint,
            twin: &twin,
            priority,
            limit_ms,
            work,
        };
        if store::insert(&tx, new).await? {
            announce(&tx, Stir::Queued).await?;
            run
        } else {
            // Somebody was faster by a moment.
            let faster = store::twin(&tx, &twin).await?;
            faster.ok_or_else(|| Problem::conflict("the same was asked and ended at this moment: ask again"))?
        }
    };
    once.keep(&tx, HttpResponse::Accepted().insert_header((LOCATION, path(id))).finish()).await?;
    tx.commit(recorded(id, asker)).await?;
    app.wake.ring(Stir::Queued);
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

/// A computation that has been checked and written down.
pub(super) struct Prepared {
    /// A [`Work`], in one line of JSON.
    pub work: Vec<u8>,
    /// How long it may take.
    pub limit_ms: u64,
    /// SHA-256 of what is computed on.
    pub fingerprint: String,
    /// How it is told, in JSON, where otherwise than the solver does.
    pub form: Option<String>,
}

impl Prepared {
    pub(super) fn of(work: &Work, fingerprint: String, form: Option<&Prompt>) -> Result<Self, Problem> {
        let form = form.map(serde_json::to_string).transpose().map_err(Problem::internal)?;
        let limit_ms = work.limit_ms();
        Ok(Self { work: serde_json::to_vec(work).map_err(Problem::internal)?, limit_ms, fingerprint, form })
    }
}

/// The part of the preparation that takes a processor for a while.
fn prepare(problem: solver::Problem, asked: &RunOptions, trace: Option<String>) -> Result<Prepared, Problem> {
    Problem::check(lock_faults(&problem, asked))?;
    let (options, question) = (solver_options(asked), asked.question.clone());
    let fingerprint = fingerprint(&(&problem, &options, &question))?;
    let work = Work::Alone(Box::new(Alone { trace, problem, options, question, prompted: None }));
    let prepared = Prepared::of(&work, fingerprint, None)?;
    check(work)?;
    Ok(prepared)
}

fn prepare_jointly(
    problems: Vec<solver::Problem>,
    asked: &JointRunOptions,
    trace: Option<String>,
) -> Result<Prepared, Problem> {
    let options = PortfolioOptions {
        maximum_calls_per_actor: asked.maximum_calls_per_actor,
        maximum_share_percent: asked.maximum_share_percent,
        exclusive: asked.exclusive.iter().map(|set| ids(set)).collect(),
        fairness: asked.fairness.clone(),
        time_limit_ms: milliseconds(asked.time_limit_seconds),
        ..PortfolioOptions::default()
    };
    let fingerprint = fingerprint(&(&problems, &options))?;
    let work = Work::Jointly(Box::new(Jointly { trace, problems, options }));
    let prepared = Prepared::of(&work, fingerprint, None)?;
    check(work)?;
    Ok(prepared)
}

/// Whether the solver takes a work, before it is queued.
pub(super) fn check(work: Work) -> Result<(), Problem> {
    match work {
        Work::Alone(own) => {
            let instance = Instance::new(own.problem).map_err(|faults| unfit(&faults))?;
            solver::validate_query(&instance, &own.options, &own.question).map_err(refused)
        }
        Work::Jointly(own) => {
            let instance = PortfolioInstance::of(own.problems).map_err(|faults| unfit(&faults))?;
            solver::validate_portfolio(&own.options, &instance).map_err(refused)
        }
    }
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

pub(super) fn recorded(run: Uuid, asker: Option<Uuid>) -> Recorded {
    Recorded::of("run", run).concerning(asker)
}

/// The end of a run, told to whoever asked for it.
pub(super) fn finished(run: Uuid, asker: Option<Uuid>, state: RunState) -> Recorded {
    let news = News::of(EventType::RunFinished, "run", run, asker);
    recorded(run, asker).telling(news.with(json!({ "state": state })))
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
