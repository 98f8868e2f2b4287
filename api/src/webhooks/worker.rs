//! Sends what is due: one task in the process.
//!
//! A turn is one transaction: it writes down what came of the attempts that have ended, and claims what is due. Between turns the task
//! sleeps until something is told in this process, an attempt ends, or the next delivery is due.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use uuid::Uuid;

use super::entity::{self, delivery};
use super::queue::{self, Outcome};
use super::sending::{Answer, Sender};
use super::settings::Settings;
use super::{DeliveryState, WebhookFault, secrets, store};
use crate::audit::{Log, Recorded};
use crate::bids::seal::SealingKey;
use crate::database::now;
use crate::events::{self, EventType, News};
use crate::problem::Problem;
use crate::telemetry::metrics;
use crate::telemetry::traces::Span;

/// Attempts at once, and to one webhook.
const AT_ONCE: usize = 64;
const TO_ONE: usize = 8;
/// How often it looks for what another replica has told, and how long it rests where the database fails.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long attempts that are under way may take when the service stops.
const LAST_ATTEMPTS: Duration = Duration::from_secs(5);

/// Sends events to webhooks.
pub(crate) struct Worker {
    log: Log,
    sealing: SealingKey,
    settings: Settings,
    sender: Sender,
}

/// An attempt that has ended.
struct Ended {
    delivery: Uuid,
    claim: Option<Uuid>,
    webhook: Uuid,
    attempts: i32,
    answer: Answer,
}

/// Something to post.
struct Parcel {
    row: delivery::Model,
    url: String,
    secrets: Vec<Vec<u8>>,
    event: Uuid,
    body: Vec<u8>,
}

impl Worker {
    /// A worker on the database of a log.
    ///
    /// # Errors
    /// A system that trusts no certificates.
    pub(crate) fn new(log: Log, sealing: SealingKey, settings: Settings) -> Result<Self, Problem> {
        let sender = Sender::new(settings.reach())?;
        Ok(Self { log, sealing, settings, sender })
    }

    /// Works until `stop` changes or is dropped, and then writes down what comes of the last attempts.
    pub(crate) async fn work(self, mut stop: watch::Receiver<()>) {
        let mut bell = self.log.bell().listen();
        let (mut under_way, mut whose) = (JoinSet::new(), HashMap::new());
        let mut ended = Vec::new();
        loop {
            let next = match self.turn(&mut ended, AT_ONCE - under_way.len(), &busy(&whose)).await {
                Ok((parcels, next)) => {
                    for parcel in parcels {
                        let webhook = parcel.row.webhook_id;
                        let attempt = under_way.spawn(attempt(self.sender.clone(), parcel));
                        whose.insert(attempt.id(), webhook);
                    }
                    next.map_or(LOOK_AGAIN, until).min(LOOK_AGAIN)
                }
                Err(error) => {
                    tracing::warn!(%error, "deliveries wait for the database");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                Some(first) = under_way.join_next_with_id() => {
                    keep(first, &mut whose, &mut ended);
                    while let Some(more) = under_way.try_join_next_with_id() {
                        keep(more, &mut whose, &mut ended);
                    }
                }
                _ = bell.changed() => {}
                () = tokio::time::sleep(next) => {}
                _ = stop.changed() => break,
            }
        }
        let last = tokio::time::timeout(LAST_ATTEMPTS, async {
            while let Some(one) = under_way.join_next_with_id().await {
                keep(one, &mut whose, &mut ended);
            }
        });
        // Those that take longer are sent again by whoever comes next.
        let _ = last.await;
        if let Err(error) = self.turn(&mut ended, 0, &HashMap::new()).await {
            tracing::warn!(%error, "what came of the last deliveries is not written down: they are sent again");
        }
    }

    /// One transaction; what it has written down is taken out of `ended`. Gives what to send, and when the next one is due.
    async fn turn(
        &self,
        ended: &mut Vec<Ended>,
        room: usize,
        busy: &HashMap<Uuid, usize>,
    ) -> Result<(Vec<Parcel>, Option<DateTime<Utc>>), DbErr> {
        let tx = self.log.begin_unrecorded().await?;
        // Deliveries before webhooks, each in the order of their ids: so do all who lock them, and nobody waits in a circle.
        ended.sort_by_key(|one| one.delivery);
        let mut states = Vec::with_capacity(ended.len());
        for one in ended.iter() {
            states.push(self.record(&*tx, one).await?);
        }
        let answered: BTreeMap<Uuid, bool> = ended.iter().fold(BTreeMap::new(), |mut answered, one| {
            *answered.entry(one.webhook).or_default() |= one.answer.is_success();
            answered
        });
        for (webhook, succeeded) in &answered {
            if *succeeded {
                store::has_succeeded(&*tx, *webhook).await?;
            } else {
                store::is_failing(&*tx, *webhook, now()).await?;
            }
        }
        let failing: Vec<Uuid> = answered.iter().filter(|(_, succeeded)| !**succeeded).map(|(id, _)| *id).collect();
        // Those that have just failed are passed over until it is known whether they stay on.
        let mut busy = busy.clone();
        busy.extend(failing.iter().map(|webhook| (*webhook, TO_ONE)));
        let mut claim = queue::claim(&tx, room, TO_ONE, &busy).await?;
        tx.commit().await?;
        for state in states {
            metrics::delivered(match state {
                DeliveryState::Delivered => "delivered",
                DeliveryState::Pending => "retried",
                DeliveryState::Failed => "failed",
            });
        }
        if !failing.is_empty() {
            claim.next = Some(now());
        }
        let gone: BTreeSet<Uuid> =
            ended.drain(..).filter(|one| one.answer.status == Some(410)).map(|one| one.webhook).collect();
        for webhook in failing {
            let because = if gone.contains(&webhook) { WebhookFault::Gone } else { WebhookFault::Failing };
            self.give_up(webhook, because).await?;
        }
        Ok((self.parcels(claim.deliveries).await?, claim.next))
    }

    /// Writes down what came of an attempt, and in which state that leaves the delivery. One query.
    async fn record(&self, tx: &impl ConnectionTrait, ended: &Ended) -> Result<DeliveryState, DbErr> {
        let Ended { delivery, claim, webhook: _, attempts, answer } = ended;
        let retry = usize::try_from(attempts - 1).ok().and_then(|failures| self.settings.retries.get(failures));
        let (state, due_at) = match retry {
            _ if answer.is_success() => (DeliveryState::Delivered, now()),
            Some(pause) => (DeliveryState::Pending, now() + jittered(*pause)),
            None => (DeliveryState::Failed, now()),
        };
        let status = answer.status.and_then(|status| i16::try_from(status).ok());
        let outcome = Outcome { state, due_at, status, answer: answer.text.clone() };
        queue::record(tx, *delivery, *claim, outcome).await?;
        Ok(state)
    }

    /// Switches off a webhook that has failed for too long, and tells its organisation. One query where it has not.
    async fn give_up(&self, webhook: Uuid, because: WebhookFault) -> Result<(), DbErr> {
        let patience = match because {
            WebhookFault::Gone => TimeDelta::zero(),
            WebhookFault::Failing => TimeDelta::from_std(self.settings.patience).unwrap_or(TimeDelta::MAX),
        };
        let Some(cutoff) = now().checked_sub_signed(patience) else { return Ok(()) };
        if !store::has_failed_since(self.log.db(), webhook, cutoff).await? {
            return Ok(());
        }
        let tx = self.log.begin_own("disable_webhook").await?;
        let Some(off) = store::disable(&tx, webhook, because, cutoff).await? else { return Ok(()) };
        let news = News::of(EventType::WebhookDisabled, "webhook", webhook, [off.organisation]);
        let news = news.with(serde_json::json!({ "because": because }));
        let recorded = Recorded::of("webhook", webhook).concerning([off.organisation]).version(off.version);
        tx.commit(recorded.telling(news)).await
    }

    /// What to post for deliveries that were claimed. Three queries.
    async fn parcels(&self, rows: Vec<delivery::Model>) -> Result<Vec<Parcel>, DbErr> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let db = self.log.db();
        let events = events::store::at(db, rows.iter().map(|row| row.position)).await?;
        let webhooks: BTreeSet<Uuid> = rows.iter().map(|row| row.webhook_id).collect();
        let secrets = secrets::of(db, &self.sealing, webhooks.iter().copied()).await?;
        let webhooks = entity::Entity::find().filter(entity::Column::Id.is_in(webhooks)).all(db).await?;
        let urls: HashMap<Uuid, String> = webhooks.into_iter().map(|row| (row.id, row.url)).collect();
        let parcel = |row: delivery::Model| {
            let event = events.get(&row.position)?;
            let body = serde_json::to_vec(event).ok()?;
            let (url, secrets) = (urls.get(&row.webhook_id)?.clone(), secrets.get(&row.webhook_id)?.clone());
            Some(Parcel { event: event.id, row, url, secrets, body })
        };
        Ok(rows.into_iter().filter_map(parcel).collect())
    }
}

/// How many attempts are under way to each webhook.
fn busy(whose: &HashMap<task::Id, Uuid>) -> HashMap<Uuid, usize> {
    let mut busy = HashMap::new();
    for webhook in whose.values() {
        *busy.entry(*webhook).or_default() += 1;
    }
    busy
}

type Joined = Result<(task::Id, Ended), task::JoinError>;

/// Keeps what came of an attempt. One that broke down has no outcome: its claim runs out, and it is sent again.
fn keep(joined: Joined, whose: &mut HashMap<task::Id, Uuid>, ended: &mut Vec<Ended>) {
    match joined {
        Ok((id, one)) => {
            whose.remove(&id);
            ended.push(one);
        }
        Err(error) => {
            whose.remove(&error.id());
            tracing::error!(%error, "an attempt to deliver an event broke down");
        }
    }
}

async fn attempt(sender: Sender, parcel: Parcel) -> Ended {
    let Parcel { row, url, secrets, event, body } = parcel;
    let mut span = Span::delivery(row.id, row.attempts);
    let answer = sender.post(&url, &secrets, event, now(), body).await;
    match answer.status {
        Some(status) => span.received(status),
        // Not why: the words may name the address.
        None => span.failed("no_answer"),
    }
    Ended { delivery: row.id, claim: row.claim, webhook: row.webhook_id, attempts: row.attempts, answer }
}

/// How long it is until then.
fn until(then: DateTime<Utc>) -> Duration {
    (then - now()).to_std().unwrap_or_default()
}

/// A pause, a fifth longer or shorter, so that receivers that failed together are not all asked again at once.
fn jittered(pause: Duration) -> TimeDelta {
    let mut byte = [0];
    // Without random numbers nobody loses anything but the spread.
    let _ = getrandom::fill(&mut byte);
    let share = 0.8 + 0.4 * f64::from(byte[0]) / 255.0;
    TimeDelta::from_std(pause.mul_f64(share)).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_by_a_fifth_at_most() {
        let pauses: BTreeSet<TimeDelta> = (0..200).map(|_| jittered(Duration::from_secs(100))).collect();
        let within = |pause: &TimeDelta| (80_000..=120_000).contains(&pause.num_milliseconds());
        assert!(pauses.len() > 20 && pauses.iter().all(within), "{pauses:?}");
    }
}
