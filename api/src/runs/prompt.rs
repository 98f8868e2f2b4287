//! Runs whose answer comes within the request: in everything else they are runs like all others, with a place in the queue, a quota, a
//! record and a reply.
//!
//! 1. The call and its market are read through the asker's window, the run is queued before those that may take minutes.
//! 2. Whoever computes it tells its answer, too, which is kept with the run. A caller that goes away ends nothing.
//! 3. The request waits for the end of the run, but no longer than it may: then it tells where the run is.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use attelage_solver::{self as solver, Instance, Reply};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use uuid::Uuid;

use super::runner::{
    AT_ONCE, NewJob, Prepared, check, fingerprint, has_room, path, queue, solver_options, started_before,
};
use super::work::{Alone, Prompt, Prompted, Work};
use super::{Asked, RunOptions, RunState, follow, store};
use crate::access::{Caller, Role};
use crate::app::App;
use crate::calls::market::Market;
use crate::calls::problem::of_lots;
use crate::calls::window::Window;
use crate::calls::{self, Call};
use crate::database::begin_read;
use crate::limits::{self, crowd};
use crate::once::Once;
use crate::problem::{Fault, Problem};
use crate::request_id;

/// How long a request waits beyond the time that its computation may take: for its turn, and for its record.
const PATIENCE: Duration = Duration::from_secs(30);

/// A question, and how its answer is told.
pub trait Ask: Clone + Into<Prompt> + Send + 'static {
    /// What is told.
    type Told: Serialize;

    /// In whose name it is asked.
    fn organisation(&self) -> Option<Uuid>;

    /// The question with what it refers to read in, as the asker may see it.
    fn settled(
        self,
        _db: &DatabaseTransaction,
        _call: &Call,
        _asker: Option<Uuid>,
    ) -> impl Future<Output = Result<Self, Problem>>
    where
        Self: Sized,
    {
        std::future::ready(Ok(self))
    }

    /// The run that it is, asked by an organisation or by the platform.
    fn run(&self, asker: Option<Uuid>) -> RunOptions;

    /// What is wrong with it, given who could take part.
    fn faults(&self, problem: &solver::Problem, run: &RunOptions) -> Vec<Fault>;

    /// The answer; `None` where the reply is to another question. It takes a processor for a while.
    fn tell(&self, answered: &Answered) -> Option<Self::Told>;
}

/// A computation that is over.
pub struct Answered {
    /// The run.
    pub run: Uuid,
    /// The call, reduced to the lots that were asked about.
    pub call: Call,
    /// What was computed on.
    pub instance: Arc<Instance>,
    /// SHA-256 of everything that was computed on.
    pub fingerprint: String,
    /// What was asked.
    pub options: RunOptions,
    /// The same for the solver.
    pub solver: solver::Options,
    /// The reply.
    pub reply: Reply,
}

/// Asks, and answers with what is told, or with the run where that takes too long.
///
/// # Errors
/// As [`runner::launch`].
pub async fn answer<A: Ask>(
    app: &App,
    caller: &Caller,
    request: &HttpRequest,
    once: Once,
    call: Uuid,
    ask: A,
) -> Result<HttpResponse, Problem> {
    if let Some(kept) = once.before(&app.db).await? {
        // The same request, sent again: it gets the same answer, or what there is of it.
        return told(app, caller, started_before(&kept)?, Duration::ZERO).await;
    }
    let snapshot = begin_read(&app.db).await?;
    let call = calls::store::find_visible(&snapshot, caller, call).await?.ok_or_else(Problem::not_found)?;
    let asker = caller.acting(&snapshot, "/organisation", ask.organisation(), Role::Editor).await?;
    has_room(&snapshot, asker).await?;
    limits::solver::check(&snapshot, app.limits.solver_seconds_per_day(), asker).await?;
    let ask = ask.settled(&snapshot, &call, asker).await?;
    let options = ask.run(asker);
    let call = of_lots(&call, &options.lots).map_err(Problem::invalid)?;
    let market = Market::load(&Window::new(&snapshot, asker), &[&call], &options.extent()).await?;
    snapshot.commit().await?;
    let run = Uuid::now_v7();
    let (about, question) = ([call.clone()], Asked::Alone(options.clone()));
    let trace = request_id::trace();
    let prepare = move || prepare(run, &ask, (&market, call), options, trace);
    let prepared = tokio::task::spawn_blocking(prepare).await.map_err(Problem::internal)??;
    let patience = PATIENCE + Duration::from_millis(prepared.limit_ms);
    let job = NewJob { run, asker, calls: &about, asked: question, priority: AT_ONCE };
    let run = queue(app, caller, &once, job, prepared).await?;
    // Whoever waits leaves their place to others.
    crowd::leave(request);
    told(app, caller, run, patience).await
}

/// The answer of a run, if it is there in time; else the run.
async fn told(app: &App, caller: &Caller, id: Uuid, patience: Duration) -> Result<HttpResponse, Problem> {
    let run = follow::wait(app, id, patience).await?;
    caller.saw("run", id, run.organisation);
    let location = (LOCATION, path(id));
    match run.state {
        RunState::Queued | RunState::Running => Ok(HttpResponse::Accepted().insert_header(location).json(run)),
        RunState::Succeeded => {
            let told =
                store::told(&app.db, id).await?.ok_or_else(|| Problem::internal("an answer that is not told"))?;
            Ok(HttpResponse::Ok().insert_header(location).content_type("application/json").body(told))
        }
        RunState::Cancelled => Err(Problem::conflict(format!("its run was cancelled: {}", path(id)))),
        RunState::Failed => {
            let why = run.failure.unwrap_or_default();
            Err(Problem::conflict(format!("it could not be computed: {why}. Its run is {}", path(id))))
        }
    }
}

/// The part of the preparation that takes a processor for a while.
fn prepare<A: Ask>(
    run: Uuid,
    ask: &A,
    (market, call): (&Market, Call),
    asked: RunOptions,
    trace: Option<String>,
) -> Result<Prepared, Problem> {
    let problem = market.problem(&call);
    Problem::check(ask.faults(&problem, &asked))?;
    let (options, question) = (solver_options(&asked), asked.question.clone());
    let fingerprint = fingerprint(&(&problem, &options, &question))?;
    let prompt: Prompt = ask.clone().into();
    let prompted = Some(Prompted { run, call, fingerprint: fingerprint.clone(), asked, prompt: ask.clone().into() });
    let work = Work::Alone(Box::new(Alone { trace, problem, options, question, prompted }));
    let prepared = Prepared::of(&work, fingerprint, Some(&prompt))?;
    check(work)?;
    Ok(prepared)
}
