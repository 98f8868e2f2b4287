//! Starts computations, each on a thread of its own, as many at once as the service allows.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use attelage_solver::{self as solver, Instance, Query, Reply};
use uuid::Uuid;

use super::entity::Model;
use super::{Run, RunOptions, RunState, store};
use crate::app::App;
use crate::calls;
use crate::codes::sha256_hex;
use crate::database::{begin_read, begin_write};
use crate::problem::{Fault, Kind, Problem};

/// How many runs may wait or be computed at once, each holding its inputs in memory.
const MOST_UNFINISHED: u64 = 64;

/// Reads a call and its market as they stand at one instant, queues a run on them, and starts it in the background.
///
/// # Errors
/// No such call; options that name organisations which cannot take part; too many runs already; data that cannot be
/// computed on.
pub async fn launch(app: &App, call: Uuid, options: RunOptions) -> Result<Model, Problem> {
    if store::unfinished(&app.db).await? >= MOST_UNFINISHED {
        let detail = format!("{MOST_UNFINISHED} runs are waiting or being computed");
        return Err(Problem::new(Kind::Unavailable).because(detail));
    }
    let snapshot = begin_read(&app.db).await?;
    let call = calls::store::find(&snapshot, call).await?.ok_or_else(Problem::not_found)?;
    let problem = calls::problem::load(&snapshot, &call).await?;
    snapshot.commit().await?;
    let asked = solver_options(&options);
    let locked = options.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare(problem, &locked, asked));
    let prepared = prepared.await.map_err(Problem::internal)??;
    let run = store::insert(&app.db, Uuid::now_v7(), &call, &options, &prepared.fingerprint).await?;
    let app = app.clone();
    let id = run.id;
    tokio::spawn(async move {
        if let Err(error) = compute(&app, id, prepared).await {
            tracing::error!(run = %id, %error, "the run was not recorded");
            if let Err(error) = store::fail(&app.db, id, "the answer could not be recorded; start another run").await {
                tracing::error!(run = %id, %error, "nor was its failure");
            }
        }
    });
    Ok(run)
}

/// What a computation needs.
struct Prepared {
    instance: Instance,
    asked: solver::Options,
    question: Query,
    fingerprint: String,
}

/// The part of the preparation that takes a processor for a while.
fn prepare(problem: solver::Problem, locked: &RunOptions, asked: solver::Options) -> Result<Prepared, Problem> {
    Problem::check(lock_faults(&problem, locked))?;
    let question = locked.question.clone();
    let fingerprint = fingerprint(&problem, &asked, &question)?;
    let instance = Instance::new(problem).map_err(|faults| {
        tracing::warn!(?faults, "the solver refuses a stored call");
        let words = faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; ");
        Problem::conflict(format!("the call and its market cannot be computed on as they are: {words}"))
    })?;
    if let Err(error) = solver::validate_query(&instance, &asked, &question) {
        let faults = error.faults.into_iter().map(|fault| Fault::at(fault.path, fault.message));
        return Err(Problem::invalid(faults.collect()));
    }
    Ok(Prepared { instance, asked, question, fingerprint })
}

/// Waits for a place, computes, and records the answer.
async fn compute(app: &App, id: Uuid, prepared: Prepared) -> Result<(), Problem> {
    let _place = app.solvers.acquire().await.map_err(Problem::internal)?;
    store::start(&app.db, id).await?;
    let Prepared { instance, asked, question, fingerprint: _ } = prepared;
    let solved = tokio::task::spawn_blocking(move || solver::ask(&instance, &asked, &question, &())).await;
    match solved {
        Ok(Ok(Reply::Proposals(answer))) => {
            let tx = begin_write(&app.db).await?;
            store::succeed(&tx, id, &answer).await?;
            tx.commit().await?;
        }
        Ok(Ok(reply)) => store::reply(&app.db, id, &reply).await?,
        Ok(Err(error)) => store::fail(&app.db, id, &error.to_string()).await?,
        Err(error) => {
            tracing::error!(run = %id, %error, "the solver stopped");
            store::fail(&app.db, id, "the solver stopped unexpectedly; the cause is in the log").await?;
        }
    }
    Ok(())
}

/// The run, when it is over or when `patience` is. Looks every few milliseconds at first, four times a second later.
///
/// # Errors
/// No such run.
pub async fn wait(app: &App, id: Uuid, patience: Duration) -> Result<Run, Problem> {
    let until = Instant::now() + patience;
    let mut pause = Duration::from_millis(5);
    loop {
        let run = store::view(store::find(&app.db, id).await?.ok_or_else(Problem::not_found)?)?;
        let left = until.saturating_duration_since(Instant::now());
        if is_over(run.state) || left.is_zero() {
            return Ok(run);
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

fn solver_options(options: &RunOptions) -> solver::Options {
    let ids = |list: &[Uuid]| list.iter().map(ToString::to_string).collect();
    solver::Options {
        proposals: options.proposals,
        locked_in: ids(&options.locked_in),
        locked_out: ids(&options.locked_out),
        time_limit_ms: u64::from(options.time_limit_seconds) * 1000,
        ..solver::Options::default()
    }
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
fn fingerprint(problem: &solver::Problem, options: &solver::Options, question: &Query) -> Result<String, Problem> {
    let inputs = serde_json::to_vec(&(solver::VERSION, problem, options, question)).map_err(Problem::internal)?;
    Ok(sha256_hex(&inputs))
}
