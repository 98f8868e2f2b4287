//! Writes to people: one task in the process, one person after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::{AsyncTransport as _, Message};
use tokio::sync::watch;
use uuid::Uuid;

use super::settings::Settings;
use super::store::Untold;
use super::text::Ways;
use super::{Links, MailPreferences, store, text};
use crate::audit::Log;
use crate::database::now;
use crate::identity;
use crate::identity::entity::person;
use crate::problem::Problem;
use crate::telemetry::metrics;

/// How often it looks for people to write to, at most.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// People of one round.
const AT_ONCE: u64 = 100;
/// How long a mail may take: less than the time for which a person is taken on.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long a person rests, at most, whom the server did not take a mail for.
const REST: TimeDelta = TimeDelta::minutes(5);

/// Writes to people.
pub(crate) struct Writer {
    log: Log,
    links: Links,
    settings: Settings,
}

/// What came of writing to somebody.
enum Sent {
    /// There was nothing that they want to read of.
    Nothing,
    /// The server has the mail, or will never take it.
    Done,
    /// Try again later.
    Later,
}

impl Writer {
    /// Writes about what the database of a log holds.
    pub(crate) fn new(log: Log, links: Links, settings: Settings) -> Self {
        Self { log, links, settings }
    }

    /// Works until `stop` changes or is dropped; a mail that is under way is finished.
    pub(crate) async fn work(self, mut stop: watch::Receiver<()>) {
        let pause = self.settings.quiet.div_f64(4.0).clamp(Duration::from_millis(50), LOOK_AGAIN);
        loop {
            if let Err(error) = self.round(&stop).await {
                tracing::warn!(%error, "mails wait");
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Writes to everybody whose time has come.
    async fn round(&self, stop: &watch::Receiver<()>) -> Result<(), Problem> {
        let quiet = TimeDelta::from_std(self.settings.quiet).unwrap_or(TimeDelta::MAX);
        let until = now().checked_sub_signed(quiet).unwrap_or(DateTime::UNIX_EPOCH);
        for person in store::waiting(self.log.db(), until, AT_ONCE).await? {
            // A sender that is gone, or has spoken, wants this to end.
            if stop.has_changed().unwrap_or(true) {
                return Ok(());
            }
            self.write_to(person).await?;
        }
        Ok(())
    }

    /// Tells a person what they were not told, in one mail, if there is something that they want to read of.
    async fn write_to(&self, person: Uuid) -> Result<(), Problem> {
        let db = self.log.db();
        let tx = self.log.begin_unrecorded().await?;
        let Some(position) = store::take_on(&*tx, person).await? else { return Ok(()) };
        tx.commit().await?;
        let mut untold = store::untold(db, person, position).await?;
        let Some(row) = identity::store::person(db, person).await? else { return Ok(()) };
        let wants = store::preferences(db, person).await?;
        untold.items.retain(|item| wants.enabled && !wants.muted.contains(&item.event.kind));
        let last = untold.last.unwrap_or(position);
        let sent = if untold.items.is_empty() { Sent::Nothing } else { self.send(row, &wants, untold).await? };
        let quiet = TimeDelta::from_std(self.settings.quiet).unwrap_or(REST);
        let (position, rest) = match sent {
            Sent::Nothing => (last, now()),
            Sent::Done => (last, now() + quiet),
            Sent::Later => (position, now() + REST.min(quiet)),
        };
        let tx = self.log.begin_unrecorded().await?;
        store::let_go(&*tx, person, position, rest).await?;
        Ok(tx.commit().await?)
    }

    async fn send(&self, to: person::Model, wants: &MailPreferences, untold: Untold) -> Result<Sent, Problem> {
        let Settings { transport, sender, public_url, quiet: _ } = &self.settings;
        let Untold { items, last: _, more } = untold;
        let Ok(address) = to.email.parse() else {
            tracing::warn!(person = %to.id, "an address that no mail reaches");
            return Ok(Sent::Done);
        };
        let calls: BTreeSet<Uuid> = items.iter().filter_map(|item| text::call_of(&item.event)).collect();
        let organisations: BTreeSet<Uuid> = items.iter().map(|item| item.organisation).collect();
        let names = store::names(self.log.db(), organisations, calls).await?;
        let unsubscribe = format!("{public_url}{}", self.links.path(to.id)?);
        let text =
            text::write(wants.language, &items, more, &names, &Ways { service: public_url, unsubscribe: &unsubscribe });
        let header = |name, value| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
        let host = public_url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or("localhost");
        // The same for the same news, so that one that is sent again after a crash is known by it.
        let id = items.last().map(|item| format!("<{}.{}@{host}>", item.event.id, to.id));
        let message = Message::builder()
            .from(sender.clone())
            .to(Mailbox::new(Some(to.name), address))
            .date(std::time::SystemTime::from(now()))
            .message_id(id)
            .raw_header(header("List-Unsubscribe", format!("<{unsubscribe}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()))
            .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
            .subject(text.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.body)
            .map_err(Problem::internal)?;
        let Ok(answer) = tokio::time::timeout(PATIENCE, transport.send(message)).await else {
            tracing::warn!(person = %to.id, "the server does not end its answer");
            metrics::mailed("retried");
            return Ok(Sent::Later);
        };
        match answer {
            Ok(_) => {
                metrics::mailed("sent");
                Ok(Sent::Done)
            }
            // Neither the address nor the answer of the server, which may repeat it, is logged.
            Err(error) if error.is_permanent() => {
                tracing::warn!(person = %to.id, "the server refuses a mail for good");
                metrics::mailed("refused");
                Ok(Sent::Done)
            }
            Err(_) => {
                tracing::warn!(person = %to.id, "the server does not take a mail now");
                metrics::mailed("retried");
                Ok(Sent::Later)
            }
        }
    }
}
