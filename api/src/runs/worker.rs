//! Computes runs: as many tasks in a process as it has solvers, each with one run at a time.
//!
//! 1. A task takes the run that is next, with a lease on it, and starts a process that computes it.
//! 2. While that goes on, it lengthens the lease, keeps the progress, and looks whether the run is to end or the lease is lost.
//! 3. What came out, the end of the run and the news of it are one transaction, which has no effect without the lease.
//!
//! A process that dies leaves its leases to end: others compute its runs. One that stops gives them back at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attelage_solver::{Proposal, Query};
use chrono::TimeDelta;
use sd_notify::NotifyState;
use sea_orm::ActiveValue::Set;
use sea_orm::{DbBackend, DbErr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument as _;
use uuid::Uuid;

use super::child::{Child, Death, Said};
use super::entity::ActiveModel;
use super::queue::{self, Ending, Job, Lease, Taker};
use super::runner::finished;
use super::settings::Settings;
use super::store::{kept, kept_so_far};
use super::wake::{Ear, Stir, Wake, announce};
use super::work::{Line, Outcome, trace};
use super::{Asked, RunProgress, RunState};
use crate::audit::Log;
use crate::tasks::Keeper;
use crate::telemetry::metrics;
use crate::telemetry::traces::{self, Span};

/// How often a run is begun before it has failed.
const MOST_ATTEMPTS: i32 = 3;
/// How long a run rests after its first attempt; four times as long after each further one.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(2);
/// How often somebody who computes looks whether they are still to. PostgreSQL tells them, so that they look for what was lost only: each
/// look is a query, and workers are many there.
const GLANCE: Duration = Duration::from_millis(100);
const GLANCE_IF_TOLD: Duration = Duration::from_millis(500);
/// How often the progress is kept, if there is some: at every other look, or every tenth.
const KEEP: Duration = Duration::from_millis(900);
/// How often somebody who has nothing to do looks for what nobody has told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The tasks that compute in this process. They end when this is dropped, and leave their leases to end by themselves.
pub struct Computing {
    tasks: JoinSet<()>,
    stop: watch::Sender<()>,
    /// Hears what other processes tell.
    _relay: JoinSet<()>,
}

impl Computing {
    /// Starts as many as the settings say.
    #[must_use]
    pub fn start(log: &Log, wake: &Wake, settings: &Settings) -> Self {
        let mut relay = JoinSet::new();
        relay.spawn(wake.clone().relay(log.db().clone()));
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        let place = place();
        for number in 1..=settings.solvers {
            let worker = Worker {
                log: log.clone(),
                wake: wake.clone(),
                settings: Arc::new(settings.clone()),
                name: format!("{place}/{number}"),
            };
            tasks.spawn(worker.work(stopped.clone()));
        }
        Self { tasks, stop, _relay: relay }
    }

    /// Ends the computations of this process, and gives their runs back.
    pub async fn stop(mut self) {
        drop(self.stop);
        while let Some(joined) = self.tasks.join_next().await {
            if let Err(error) = joined {
                tracing::error!(%error, "a worker broke down");
            }
        }
    }
}

/// Computes until the process is asked to end, and gives back what is not done. `begun` is called as soon as it can be asked.
///
/// # Errors
/// Signals that cannot be listened for.
pub async fn serve(log: &Log, settings: &Settings, begun: impl FnOnce()) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let computing = Computing::start(log, &Wake::default(), settings);
    // What services delete for good is by their setting, which nobody gives to workers.
    let keeper = Keeper::start(log.clone(), None);
    begun();
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    // Only a service manager wants to know.
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    computing.stop().await;
    keeper.stop().await;
    Ok(())
}

/// This process on this machine.
fn place() -> String {
    let uname = rustix::system::uname();
    format!("{}/{}", uname.nodename().to_string_lossy(), std::process::id())
}

/// One task.
struct Worker {
    log: Log,
    wake: Wake,
    settings: Arc<Settings>,
    name: String,
}

/// How a computation ended.
enum End {
    /// It said what came out.
    Done(Outcome),
    /// It was ended before; the best so far.
    Cut(Vec<Proposal>),
    /// It would not go better another time.
    Hopeless {
        /// In a word.
        kind: &'static str,
        /// In words for whoever asked.
        why: String,
    },
    /// It might go better another time.
    Broken(String),
    /// Somebody else computes the run.
    Lost,
    /// This process stops.
    Stopped,
}

impl End {
    /// In a word.
    fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Cut(_) => "cut",
            Self::Hopeless { kind, .. } => kind,
            Self::Broken(_) => "broken",
            Self::Lost => "lost",
            Self::Stopped => "stopped",
        }
    }
}

/// A computation that goes on.
struct Course {
    lease: Lease,
    began: Instant,
    /// Before this attempt.
    spent_ms: i64,
    renewed: Instant,
    progress: Option<RunProgress>,
    best: BTreeMap<usize, Proposal>,
    cancelled: bool,
}

impl Course {
    fn spent_ms(&self) -> i64 {
        let now = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.spent_ms.saturating_add(now)
    }
}

impl Worker {
    async fn work(self, mut stop: watch::Receiver<()>) {
        let mut ear = self.wake.listen();
        loop {
            match self.take().await {
                Ok(Some(job)) => {
                    let run = job.lease.run;
                    let line = tracing::info_span!("run", run_id = %run, worker = self.name);
                    if let Err(error) = self.attempt(job, &mut stop).instrument(line).await {
                        tracing::error!(%run, %error, "what came of a run is not written down: it is computed again");
                    }
                }
                Ok(None) => wait(&mut ear, &mut stop).await,
                Err(error) => {
                    tracing::warn!(%error, "runs wait for the database");
                    wait(&mut ear, &mut stop).await;
                }
            }
            if stop.has_changed().is_err() {
                return;
            }
        }
    }

    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.settings.lease).unwrap_or(TimeDelta::MAX)
    }

    /// Takes the next run. One query where there is none.
    async fn take(&self) -> Result<Option<Job>, DbErr> {
        if !queue::has_work(self.log.db()).await? {
            return Ok(None);
        }
        let tx = self.log.begin_unrecorded().await?;
        let job = queue::take(&tx, &Taker { name: &self.name, lease: self.lease() }).await?;
        if let Some(job) = &job {
            announce(&*tx, Stir::Changed(job.lease.run)).await?;
        }
        tx.commit().await?;
        if let Some(job) = &job {
            self.wake.ring(Stir::Changed(job.lease.run));
        }
        Ok(job)
    }

    /// Computes a run, and writes down what came of it.
    async fn attempt(&self, job: Job, stop: &mut watch::Receiver<()>) -> Result<(), DbErr> {
        let Job { lease, run, work } = job;
        let queued_by = work.as_ref().filter(|_| traces::are_sent()).and_then(|(document, _)| trace(document));
        let mut span = Span::run(lease.run, run.attempts + 1, queued_by.as_deref());
        let now = Instant::now();
        let mut course = Course {
            lease,
            began: now,
            spent_ms: run.spent_ms,
            renewed: now,
            progress: None,
            best: BTreeMap::new(),
            cancelled: run.cancel_requested,
        };
        let end = match work {
            _ if run.attempts >= MOST_ATTEMPTS => {
                let why = format!("the processes that computed it were lost, {MOST_ATTEMPTS} times");
                End::Hopeless { kind: "given_up", why }
            }
            _ if course.cancelled => End::Cut(Vec::new()),
            None => {
                let why = "it was queued by a release that kept its inputs elsewhere; start another run".to_owned();
                End::Hopeless { kind: "refused", why }
            }
            Some((document, limit_ms)) => {
                let mut part = span.computation();
                let end = self.compute(&mut course, document, limit_ms, stop).await;
                part.ended(end.name());
                metrics::computed(end.name(), now.elapsed());
                end
            }
        };
        span.ended(end.name());
        tracing::info!(end = end.name(), attempt = run.attempts + 1, "computed");
        let lists = matches!(&run.options, Asked::Alone(asked) if matches!(asked.question, Query::Proposals(_)));
        let broken = match end {
            End::Lost => {
                tracing::warn!(run = %lease.run, "the lease on a run was lost; another computes it");
                metrics::lease_lost();
                return Ok(());
            }
            End::Stopped => return self.give_back(&course, TimeDelta::zero(), false).await,
            End::Done(outcome) => {
                let (row, proposals) = kept(outcome)?;
                let state = if course.cancelled { RunState::Cancelled } else { RunState::Succeeded };
                return self.end(&course, run.organisation_id, Ending { state, row, proposals }).await;
            }
            End::Cut(best) if course.cancelled || lists => {
                let (mut row, proposals) = kept_so_far(best);
                let state = if course.cancelled { RunState::Cancelled } else { RunState::Succeeded };
                if course.cancelled && proposals.is_empty() {
                    row.result = Set(None);
                }
                return self.end(&course, run.organisation_id, Ending { state, row, proposals }).await;
            }
            End::Cut(_) => {
                let why = "it did not end in its time, and questions of its kind have no best so far";
                return self.fail(&course, run.organisation_id, why.to_owned()).await;
            }
            End::Hopeless { why, .. } => return self.fail(&course, run.organisation_id, why).await,
            End::Broken(why) => why,
        };
        let attempts = run.attempts + 1;
        tracing::warn!(run = %lease.run, attempts, why = broken, "a computation broke down");
        if attempts >= MOST_ATTEMPTS {
            let why = format!("the computation broke down {attempts} times; the cause is in the log of the service");
            return self.fail(&course, run.organisation_id, why).await;
        }
        self.give_back(&course, pause_after(attempts), true).await
    }

    /// Lets a process compute, and watches over it.
    async fn compute(
        &self,
        course: &mut Course,
        document: Vec<u8>,
        limit_ms: i64,
        stop: &mut watch::Receiver<()>,
    ) -> End {
        let limit = Duration::from_millis(u64::try_from(limit_ms).unwrap_or_default());
        let mut ear = self.wake.listen();
        let mut child = match Child::start(&self.settings.confinement(), document, limit).await {
            Ok(child) => child,
            Err(error) => return End::Broken(format!("no process could be started: {error}")),
        };
        let told = self.log.db().get_database_backend() == DbBackend::Postgres;
        let mut glance = interval(if told { GLANCE_IF_TOLD } else { GLANCE });
        glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stop.changed() => return End::Stopped,
                said = child.next() => match said {
                    Said::Line(line) => match *line {
                        Line::Progress(progress) => course.progress = Some(progress),
                        Line::Proposal(place, proposal) => drop(course.best.insert(place, *proposal)),
                        Line::Done(outcome) => return End::Done(outcome),
                        Line::Refused(why) => {
                            return End::Hopeless { kind: "refused", why: format!("the solver refuses it: {why}") };
                        }
                    },
                    Said::Over(death) => return self.after(death, course),
                },
                () = ear.changed(course.lease.run) => {
                    if !self.attend(course, &child).await {
                        return End::Lost;
                    }
                }
                _ = glance.tick() => {
                    if !self.attend(course, &child).await {
                        return End::Lost;
                    }
                }
            }
        }
    }

    /// What the death of a process means.
    fn after(&self, death: Death, course: &mut Course) -> End {
        match death {
            Death::Ended => End::Cut(std::mem::take(&mut course.best).into_values().collect()),
            Death::Memory => {
                let most = self.settings.memory_mib;
                let why = format!(
                    "it needs more than the {most} MiB of memory that a computation may have: ask about fewer lots"
                );
                End::Hopeless { kind: "memory", why }
            }
            Death::Processor => {
                let why = "it needs more of the processor than a computation may have".to_owned();
                End::Hopeless { kind: "processor", why }
            }
            Death::Other(why) => End::Broken(why),
        }
    }

    /// Looks whether the run is to end, lengthens the lease, and keeps the progress; false where the lease is lost. A database that does
    /// not answer takes the lease away no sooner than it ends by itself.
    async fn attend(&self, course: &mut Course, child: &Child) -> bool {
        let left = self.settings.lease.saturating_sub(course.renewed.elapsed());
        match tokio::time::timeout(left, self.attended(course, child)).await {
            Ok(Ok(held)) => held,
            Ok(Err(error)) => {
                tracing::warn!(run = %course.lease.run, %error, "the lease on a run is not lengthened for now");
                course.renewed.elapsed() < self.settings.lease
            }
            Err(_) => false,
        }
    }

    async fn attended(&self, course: &mut Course, child: &Child) -> Result<bool, DbErr> {
        let db = self.log.db();
        let Some(cancelled) = queue::is_cancelled(db, course.lease).await? else { return Ok(false) };
        if cancelled && !course.cancelled {
            course.cancelled = true;
            child.stop();
        }
        let since = course.renewed.elapsed();
        if since < self.settings.lease / 3 && (course.progress.is_none() || since < KEEP) {
            return Ok(true);
        }
        let (asked, progress) = (Instant::now(), course.progress.take());
        let is_news = progress.is_some();
        let tx = self.log.begin_unrecorded().await?;
        if !queue::renew(&*tx, course.lease, self.lease(), course.spent_ms(), progress).await? {
            return Ok(false);
        }
        if is_news {
            announce(&*tx, Stir::Changed(course.lease.run)).await?;
        }
        tx.commit().await?;
        course.renewed = asked;
        if is_news {
            self.wake.ring(Stir::Changed(course.lease.run));
        }
        Ok(true)
    }

    /// Gives a run back, for whoever comes next.
    async fn give_back(&self, course: &Course, pause: TimeDelta, counts: bool) -> Result<(), DbErr> {
        let tx = self.log.begin_unrecorded().await?;
        if queue::give_back(&*tx, course.lease, pause, course.spent_ms(), counts).await? {
            announce(&*tx, Stir::Queued).await?;
            tx.commit().await?;
            self.wake.ring(Stir::Queued);
        }
        Ok(())
    }

    async fn fail(&self, course: &Course, asker: Option<Uuid>, why: String) -> Result<(), DbErr> {
        let row = ActiveModel { failure: Set(Some(why)), ..Default::default() };
        self.end(course, asker, Ending { state: RunState::Failed, row, proposals: Vec::new() }).await
    }

    /// Writes down how a run ended, and tells whoever asked, if the lease still holds.
    async fn end(&self, course: &Course, asker: Option<Uuid>, ending: Ending) -> Result<(), DbErr> {
        let (run, state) = (course.lease.run, ending.state);
        let tx = self.log.begin_own("finish_run").await?;
        if !queue::end(&tx, course.lease, course.spent_ms(), ending).await? {
            tracing::warn!(%run, "the lease on a run ended before what came of it was written down");
            metrics::lease_lost();
            return tx.commit_all(Vec::new()).await;
        }
        announce(&tx, Stir::Changed(run)).await?;
        tx.commit(finished(run, asker, state)).await?;
        metrics::run_ended(state);
        self.wake.ring(Stir::Changed(run));
        Ok(())
    }
}

/// Ends when there may be something to do.
async fn wait(ear: &mut Ear, stop: &mut watch::Receiver<()>) {
    tokio::select! {
        () = ear.queued() => {}
        () = tokio::time::sleep(LOOK_AGAIN) => {}
        _ = stop.changed() => {}
    }
}

/// How long a run rests after so many attempts.
fn pause_after(attempts: i32) -> TimeDelta {
    FIRST_PAUSE * 4_i32.saturating_pow(attempts.saturating_sub(1).max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_four() {
        let pauses: Vec<i64> = (1..=3).map(|attempts| pause_after(attempts).num_seconds()).collect();
        assert_eq!(pauses, [2, 8, 32]);
    }
}
