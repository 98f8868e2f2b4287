//! Writes down who read what is sealed: one task for all readers, who wait for it together.

use std::collections::BTreeMap;

use sea_orm::DbErr;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{Author, Entry, Log, Recorded};
use crate::access::Caller;
use crate::problem::Problem;

/// Readers who may wait at once; further ones wait for a place.
const WAITING: usize = 1024;
/// Readers written down in one transaction, at most.
const AT_ONCE: usize = 256;

type Reading = (Vec<Entry>, oneshot::Sender<Result<(), DbErr>>);

/// Something sealed that a caller is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What kind of thing.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Whose.
    pub organisation: Option<Uuid>,
}

/// Where readings are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Readings(mpsc::Sender<Reading>);

impl Readings {
    /// Starts the task. It ends with the last clone.
    #[must_use]
    pub fn start(log: Log) -> Self {
        let (hand_in, mut handed_in) = mpsc::channel::<Reading>(WAITING);
        tokio::spawn(async move {
            let mut readings = Vec::with_capacity(AT_ONCE);
            while handed_in.recv_many(&mut readings, AT_ONCE).await > 0 {
                let (entries, readers): (Vec<Vec<Entry>>, Vec<_>) = readings.drain(..).unzip();
                let kept = log.keep(entries.into_iter().flatten().collect()).await;
                for reader in readers {
                    // Somebody who has gone away is told nothing.
                    let _ = reader.send(kept.clone());
                }
            }
        });
        Self(hand_in)
    }

    /// Writes down what somebody is shown, and waits until it is kept.
    ///
    /// # Errors
    /// The database's: they must not be shown it then.
    pub async fn keep(&self, caller: &Caller, shown: Vec<Shown>) -> Result<(), Problem> {
        let author = Author::of(caller);
        let entries = grouped(shown).into_iter().flat_map(|recorded| recorded.entries(&author)).collect();
        let (tell, told) = oneshot::channel();
        self.0.send((entries, tell)).await.map_err(Problem::internal)?;
        Ok(told.await.map_err(Problem::internal)??)
    }
}

/// One record for each kind and organisation: it names the one thing that was shown, or lists them.
fn grouped(shown: Vec<Shown>) -> Vec<Recorded> {
    let mut groups: BTreeMap<(String, Option<Uuid>), Vec<String>> = BTreeMap::new();
    for Shown { kind, id, organisation } in shown {
        let ids = groups.entry((kind, organisation)).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let record = |((kind, organisation), ids): ((String, Option<Uuid>), Vec<String>)| {
        let recorded = match ids.as_slice() {
            [only] => Recorded::of(&kind, only),
            several => Recorded::all(&kind).with(json!({ "ids": several })),
        };
        recorded.concerning(organisation)
    };
    groups.into_iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_shows_is_one_record_for_each_owner() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let shown = |id: &str, organisation| Shown { kind: "capability".to_owned(), id: id.to_owned(), organisation };
        let records =
            grouped(vec![shown("a", Some(one)), shown("b", Some(other)), shown("c", Some(one)), shown("a", Some(one))]);
        let said: Vec<_> =
            records.iter().map(|one| (one.subject.as_str(), &one.organisations[..], &one.details)).collect();
        let both = Some(json!({ "ids": ["a", "c"] }));
        assert_eq!(said, [("capability", &[one][..], &both), ("capability:b", &[other][..], &None)]);
    }
}
