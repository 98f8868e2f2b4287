//! Reads the whole chain, without a service, and says whether anybody has touched it.

use std::fmt;

use sea_orm::sea_query::{Asterisk, Order, Query};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, FromQueryResult as _};

use super::chain;
use super::entity::{Column, Entity, Model, head};
use crate::keyfile::Key;

/// Entries read at once.
const PAGE: u64 = 1000;

/// A place in the log, which a log that has grown since still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of an entry.
    pub position: i64,
    /// Its hash.
    pub hash: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.hash)
    }
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = text
            .split_once(':')
            .and_then(|(position, hash)| Some(Self { position: position.parse().ok()?, hash: hash.to_owned() }));
        place.ok_or_else(|| "POSITION:HASH is expected, as an earlier check printed it".to_owned())
    }
}

/// How a log is broken, at the first place where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// The entry holds what no entry can.
    Unreadable(i64),
    /// There is no entry at this position, but later ones.
    Missing(i64),
    /// There is an entry where none can be.
    Inserted(i64),
    /// The entry is not the one that was written here.
    Changed(i64),
    /// The head is not there.
    Headless,
    /// The head is not one that the service wrote.
    Forged,
    /// Entries up to the head's position are missing from here on.
    CutOff(i64),
    /// Entries follow the head, from here on.
    Beyond(i64),
    /// The log never held, or no longer holds, the place that was seen before.
    Another(Place),
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(position) => write!(f, "entry {position} cannot be read: it has been changed"),
            Self::Missing(position) => write!(f, "entry {position} is missing"),
            Self::Inserted(position) => write!(f, "entry {position} cannot be: it has been inserted"),
            Self::Changed(position) => {
                write!(f, "entry {position} is not what was written there: it has been changed, moved or inserted")
            }
            Self::Headless => write!(f, "the log has no head: it has been removed, or this database was never used"),
            Self::Forged => write!(f, "the head of the log has been changed, or the log has another key"),
            Self::CutOff(position) => {
                write!(f, "the log has been cut off: entry {position} and what follows is missing")
            }
            Self::Beyond(position) => write!(f, "the log goes on after its head: entry {position} has been added"),
            Self::Another(place) => {
                write!(f, "the log does not hold {place}: it has been replaced by another or older one")
            }
        }
    }
}

/// Checks the log under its key; gives the place where it ends, or where it is first broken. `seen` is a place from an earlier check.
///
/// Give it a transaction that reads one state. One query per thousand entries, one thousand of them in memory at once.
///
/// # Errors
/// The database's.
pub async fn verify(db: &impl ConnectionTrait, key: &Key, seen: Option<&Place>) -> Result<Result<Place, Break>, DbErr> {
    let mut end = Place { position: 0, hash: String::new() };
    let mut holds_seen = seen.is_none_or(|seen| *seen == end);
    loop {
        let rows = page(db, end.position).await?;
        let read = rows.len() as u64;
        for row in rows {
            let expected = end.position + 1;
            let Ok(entry) = row else { return Ok(Err(Break::Unreadable(expected))) };
            if entry.position > expected {
                return Ok(Err(Break::Missing(expected)));
            }
            if entry.position < expected {
                return Ok(Err(Break::Inserted(entry.position)));
            }
            if entry.hash != chain::hash(key, &end.hash, &entry) {
                return Ok(Err(Break::Changed(expected)));
            }
            end = Place { position: expected, hash: entry.hash };
            holds_seen |= seen == Some(&end);
        }
        if read < PAGE {
            break;
        }
    }
    if let Some(broken) = broken_head(db, key, &end).await? {
        return Ok(Err(broken));
    }
    match seen {
        Some(seen) if !holds_seen => Ok(Err(Break::Another(seen.clone()))),
        _ => Ok(Ok(end)),
    }
}

/// Up to [`PAGE`] entries after a position; the first page has no lower bound. Entries that cannot be read are errors among them.
async fn page(db: &impl ConnectionTrait, after: i64) -> Result<Vec<Result<Model, DbErr>>, DbErr> {
    let mut query = Query::select();
    query.column(Asterisk).from(Entity).order_by(Column::Position, Order::Asc).limit(PAGE);
    if after > 0 {
        query.and_where(Column::Position.gt(after));
    }
    let rows = db.query_all(&query).await?;
    Ok(rows.iter().map(|row| Model::from_query_result(row, "")).collect())
}

/// What is wrong with the head of a log that ends at a place.
async fn broken_head(db: &impl ConnectionTrait, key: &Key, end: &Place) -> Result<Option<Break>, DbErr> {
    let mut query = Query::select();
    let rows = db.query_all(query.column(Asterisk).from(head::Entity).limit(2)).await?;
    let [row] = rows.as_slice() else { return Ok(Some(if rows.is_empty() { Break::Headless } else { Break::Forged })) };
    let Ok(head) = head::Model::from_query_result(row, "") else { return Ok(Some(Break::Forged)) };
    if chain::head(key, head.position, &head.hash) != head {
        return Ok(Some(Break::Forged));
    }
    Ok(match head.position.cmp(&end.position) {
        std::cmp::Ordering::Greater => Some(Break::CutOff(end.position + 1)),
        std::cmp::Ordering::Less => Some(Break::Beyond(head.position + 1)),
        std::cmp::Ordering::Equal if head.hash != end.hash => Some(Break::Forged),
        std::cmp::Ordering::Equal => None,
    })
}
