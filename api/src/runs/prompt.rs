//! Runs whose answer comes within the request: in everything else they are runs like all others, with a place, a quota, a record and a reply.
//!
//! 1. The call and its market are read through the asker's window, the run is recorded.
//! 2. A task of its own waits for a place, computes, and writes the reply, the end of the run and the answer to its key in one
//!    transaction. A caller that goes away ends nothing.
//! 3. The request waits for that task, but no longer than it may: then it tells where the run is.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use attelage_solver::{self as solver, Instance, Query, Reply};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::runner::{
    fail, fingerprint, finish, finished, has_room, path, recorded, refused, solver_options, started_before, unfit,
};
use super::{Asked, RunCall, RunOptions, RunState, runner, store};
use crate::access::{Caller, Role};
use crate::app::App;
use crate::calls::market::Market;
use crate::calls::problem::of_lots;
use crate::calls::window::Window;
use crate::calls::{self, Call};
use crate::database::begin_read;
use crate::limits;
use crate::once::{self, Once};
use crate::problem::{Fault, Problem};

/// How long a request waits beyond twice the time limit of its computation, which may ask a second time: for a place, and for its record.
const PATIENCE: Duration = Duration::from_secs(30);

/// A question, and how its answer is told.
pub trait Ask: Send + 'static {
    /// What is told.
    type Told: Serialize + Send;

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
    once: Once,
    call: Uuid,
    ask: A,
) -> Result<HttpResponse, Problem> {
    if let Some(kept) = once.before(&app.db).await? {
        return again(app, caller, &kept).await;
    }
    has_room(app).await?;
    let snapshot = begin_read(&app.db).await?;
    let call = calls::store::find_visible(&snapshot, caller, call).await?.ok_or_else(Problem::not_found)?;
    let asker = caller.acting(&snapshot, "/organisation", ask.organisation(), Role::Editor).await?;
    limits::solver::check(&snapshot, app.limits.solver_seconds_per_day(), asker).await?;
    let ask = ask.settled(&snapshot, &call, asker).await?;
    let options = ask.run(asker);
    let call = of_lots(&call, &options.lots).map_err(Problem::invalid)?;
    let market = Market::load(&Window::new(&snapshot, asker)).await?;
    snapshot.commit().await?;
    let prepare = move || prepare(ask, &market, call, options);
    let prepared = tokio::task::spawn_blocking(prepare).await.map_err(Problem::internal)??;

    let run = Uuid::now_v7();
    let tx = app.log.begin(caller).await?;
    if let Some(kept) = once.claim(&tx).await? {
        return again(app, caller, &kept).await;
    }
    let Prepared { call, options, fingerprint, .. } = &prepared;
    let calls = [RunCall { call: call.id, version: call.version }];
    let patience = PATIENCE + 2 * Duration::from_secs(options.time_limit_seconds.into());
    store::insert(&tx, run, asker, &calls, Asked::Alone(options.clone()), fingerprint).await?;
    once.keep(&tx, HttpResponse::Accepted().insert_header((LOCATION, path(run))).finish()).await?;
    let (tell, told) = oneshot::channel();
    let own = app.clone();
    actix_web::rt::spawn(async move {
        let result = match tx.commit(recorded(run, asker)).await {
            Ok(()) => compute(&own, &once, run, asker, prepared).await,
            Err(error) => Err(error.into()),
        };
        if result.is_err()
            && let Err(error) = fail(&own, run, asker, "the answer could not be recorded; start another run").await
        {
            tracing::error!(%run, %error, "the failure of a run was not recorded");
        }
        // Nobody may be waiting any more.
        let _ = tell.send(result);
    });
    match tokio::time::timeout(patience, told).await {
        Ok(answer) => {
            caller.saw("run", run, asker);
            answer.map_err(Problem::internal)?
        }
        Err(_) => under_way(app, caller, run).await,
    }
}

/// The answer that was given under the same key; while there is none, the run.
async fn again(app: &App, caller: &Caller, kept: &once::Model) -> Result<HttpResponse, Problem> {
    let run = started_before(kept)?;
    if kept.body.is_none() {
        return under_way(app, caller, run).await;
    }
    let row = store::find(&app.db, run).await?.ok_or_else(Problem::not_found)?;
    caller.saw("run", run, row.organisation_id);
    once::answer(kept)
}

async fn under_way(app: &App, caller: &Caller, run: Uuid) -> Result<HttpResponse, Problem> {
    let run = runner::wait(app, run, Duration::ZERO).await?;
    caller.saw("run", run.id, run.organisation);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, path(run.id))).json(run))
}

/// A question that is ready to be computed.
struct Prepared<A> {
    ask: A,
    call: Call,
    instance: Arc<Instance>,
    fingerprint: String,
    options: RunOptions,
    solver: solver::Options,
}

/// The part of the preparation that takes a processor for a while.
fn prepare<A: Ask>(ask: A, market: &Market, call: Call, options: RunOptions) -> Result<Prepared<A>, Problem> {
    let problem = market.problem(&call);
    Problem::check(ask.faults(&problem, &options))?;
    let solver = solver_options(&options);
    let fingerprint = fingerprint(&(&problem, &solver, &options.question))?;
    let instance = Instance::new(problem).map_err(|faults| unfit(&faults))?;
    solver::validate_query(&instance, &solver, &options.question).map_err(refused)?;
    Ok(Prepared { ask, call, instance: Arc::new(instance), fingerprint, options, solver })
}

/// Waits for a place, computes, and records the reply with the answer.
async fn compute<A: Ask>(
    app: &App,
    once: &Once,
    run: Uuid,
    asker: Option<Uuid>,
    prepared: Prepared<A>,
) -> Result<HttpResponse, Problem> {
    let _place = app.solvers.acquire().await.map_err(Problem::internal)?;
    store::start(&app.db, run).await?;
    let work = tokio::task::spawn_blocking(move || {
        let Prepared { ask, call, instance, fingerprint, options, solver } = prepared;
        let question: &Query = &options.question;
        let reply = solver::ask(&instance, &solver, question, &())?;
        let answered = Answered { run, call, instance, fingerprint, options, solver, reply };
        let told = ask.tell(&answered);
        Ok::<_, solver::OptionsError>((answered.reply, told))
    });
    let (reply, told) = work.await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    let told = told.ok_or_else(|| Problem::internal("a reply to another question"))?;
    let tx = finish(app).await?;
    store::reply(&tx, run, &reply).await?;
    let response = HttpResponse::Ok().insert_header((LOCATION, path(run))).json(told);
    let response = once.keep(&tx, response).await?;
    tx.commit(finished(run, asker, RunState::Succeeded)).await?;
    Ok(response)
}
