//! Starts computations, each on a thread of its own, as many at once as the service allows.

use attelage_solver::{self as solver, Instance};
use sea_orm::TransactionTrait;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::entity::Model;
use super::{RunOptions, RunState, store};
use crate::app::App;
use crate::calls::{self, Call};
use crate::database::begin_write;
use crate::problem::{Fault, Problem};

/// Reads the inputs of a call as they are now, queues a run on them, and starts it in the background.
///
/// # Errors
/// Options that name organisations which cannot take part; a call that the solver refuses.
pub async fn launch(app: &App, call: &Call, options: RunOptions) -> Result<Model, Problem> {
    // One snapshot: what is computed is what stood in the database at one instant.
    let snapshot = app.db.begin().await?;
    let problem = calls::problem::load(&snapshot, call).await?;
    snapshot.commit().await?;
    Problem::check(lock_faults(&problem, &options))?;
    let asked = solver_options(&options);
    let fingerprint = fingerprint(&problem, &asked)?;
    let instance = Instance::new(problem).map_err(|faults| {
        let detail = faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message));
        Problem::invalid(vec![Fault::at("", detail.collect::<Vec<_>>().join("; "))])
    })?;
    let tx = begin_write(&app.db).await?;
    let run = store::insert(&tx, Uuid::now_v7(), call, &options, &fingerprint).await?;
    tx.commit().await?;
    let app = app.clone();
    let id = run.id;
    tokio::spawn(async move {
        if let Err(error) = compute(&app, id, instance, asked).await {
            tracing::error!(run = %id, %error, "the run could not be recorded");
        }
    });
    Ok(run)
}

/// Waits for a place, computes, and records the answer.
async fn compute(app: &App, id: Uuid, instance: Instance, options: solver::Options) -> Result<(), Problem> {
    let _place = app.solvers.acquire().await.map_err(Problem::internal)?;
    store::start(&app.db, id).await?;
    let solved = tokio::task::spawn_blocking(move || solver::solve(&instance, &options)).await;
    let tx = begin_write(&app.db).await?;
    match solved {
        Ok(Ok(answer)) => store::succeed(&tx, id, &answer).await?,
        Ok(Err(error)) => store::fail(&tx, id, &error.to_string()).await?,
        Err(error) => {
            tracing::error!(run = %id, %error, "the solver stopped");
            store::fail(&tx, id, "the solver stopped unexpectedly; the cause is in the log").await?;
        }
    }
    tx.commit().await?;
    Ok(())
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
    let known = |id: &Uuid| problem.actors.iter().any(|actor| actor.id == id.to_string());
    for (member, list) in [("locked_in", &options.locked_in), ("locked_out", &options.locked_out)] {
        for (position, id) in list.iter().enumerate() {
            let pointer = format!("/{member}/{position}");
            if !known(id) {
                faults.push(Fault::at(pointer, "no organisation with a capability for this call has this id"));
            } else if list[..position].contains(id) {
                faults.push(Fault::at(pointer, "this organisation is there twice"));
            } else if member == "locked_out" && options.locked_in.contains(id) {
                faults.push(Fault::at(pointer, "this organisation is also locked in"));
            }
        }
    }
    faults
}

/// SHA-256 of the inputs in their canonical JSON, and of the engine's version.
fn fingerprint(problem: &solver::Problem, options: &solver::Options) -> Result<String, Problem> {
    let inputs = serde_json::to_vec(&(solver::VERSION, problem, options)).map_err(Problem::internal)?;
    Ok(Sha256::digest(inputs).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")))
}
