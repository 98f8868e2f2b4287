//! Computations that are no runs: what somebody reads follows from them, and is kept nowhere. They are limited like all others.

use std::time::{Duration, Instant};

use attelage_solver::{Options, Problem as Market, Query, Reply};

use super::child::{Child, Death, Said};
use super::work::{Alone, Line, Outcome, Work};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::telemetry::metrics;

/// How many wait for their turn in this process; further ones are told to come back.
static PATIENCE: Semaphore = Semaphore::const_new(32);

/// The reply to a question about one call, computed in its turn by a process of its own; `None` where the solver refuses it.
///
/// # Errors
/// Too many who wait; a computation that does not end in its time or its memory; internal ones.
pub async fn ask(app: &App, problem: Market, options: Options, question: Query) -> Result<Option<Reply>, Problem> {
    let work = Work::Alone(Box::new(Alone { trace: None, problem, options, question, prompted: None }));
    let limit = Duration::from_millis(work.limit_ms());
    let written = tokio::task::spawn_blocking(move || serde_json::to_vec(&work)).await.map_err(Problem::internal)?;
    let written = written.map_err(Problem::internal)?;
    // Those who wait hold their places among the requests: there are never many of them.
    let waits = PATIENCE.try_acquire().map_err(|_| Problem::unavailable(1))?;
    let _place = app.solvers.acquire().await.map_err(Problem::internal)?;
    drop(waits);
    let began = Instant::now();
    let mut child = Child::start(&app.confinement, written, limit).await.map_err(Problem::internal)?;
    let (end, answer) = loop {
        break match child.next().await {
            Said::Line(line) => match *line {
                Line::Progress(_) | Line::Proposal(..) => continue,
                Line::Done(Outcome::Reply { reply, told: _ }) => ("done", Ok(Some(*reply))),
                Line::Done(Outcome::Portfolio(_)) => ("done", Err(Problem::internal("an answer to another question"))),
                Line::Refused(_) => ("refused", Ok(None)),
            },
            Said::Over(Death::Other(why)) => ("broken", Err(Problem::internal(why))),
            Said::Over(death) => {
                let detail = "this could not be computed within the time and the memory that it may have";
                (death.name(), Err(Problem::new(Kind::Unavailable).because(detail)))
            }
        };
    };
    metrics::computed(end, began.elapsed());
    answer
}
