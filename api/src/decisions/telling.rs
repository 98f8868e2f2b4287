//! Tells decisions when their moment has come.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use super::{Decision, store};
use crate::audit::{Log, Recorded};
use crate::bids;
use crate::calls;
use crate::consortia::machine::Event;
use crate::database::clock;
use crate::events::{EventType, News};
use crate::filing::follow::follow;
use crate::problem::Problem;

/// Tells every decision whose moment has come: a transaction for each call.
///
/// # Errors
/// The database's.
pub async fn tell_due(log: &Log) -> Result<(), Problem> {
    let now = clock(log.db()).await?;
    for call in store::due(log.db(), now).await? {
        let tx = log.begin_own("tell_decision").await?;
        bids::store::lock(&tx, call).await?;
        let decision = store::latest(&tx, call).await?;
        let now = clock(&tx).await?;
        // Another may have told it, or a later one waits for a moment of its own.
        let due = decision.filter(|decision| decision.told_at.is_none() && decision.tell_at <= now);
        let told = match due {
            Some(decision) => vec![tell(&tx, &decision, now).await?],
            None => Vec::new(),
        };
        tx.commit_all(told).await?;
    }
    Ok(())
}

/// Tells a decision on a call that is locked: from now on its bidders read it, and their consortia go on or end. Six
/// queries, and some for each consortium.
///
/// # Errors
/// The database's.
pub async fn tell(tx: &impl ConnectionTrait, decision: &Decision, now: DateTime<Utc>) -> Result<Recorded, Problem> {
    store::tell(tx, decision, now).await?;
    let call = calls::store::find(tx, decision.call).await?.ok_or_else(Problem::not_found)?;
    let standing = bids::store::standing_bids(tx, decision.call).await?;
    let decided = |bid: Uuid| decision.lots.iter().flat_map(|lot| &lot.bids).any(|own| own.bid == bid);
    let bidders = standing.iter().filter(|bid| decided(bid.id)).map(|bid| bid.organisation_id);
    let audience = bidders.chain([call.value.written.funder]);
    let news = News::of(EventType::DecisionRecorded, "call", decision.call, audience.clone());
    let news = news.with(json!({ "decision": decision.id }));
    let recorded = Recorded::of("decision", decision.id).concerning(audience).version(decision.number).telling(news);
    let fate = |bid: Uuid| decided(bid).then(|| if decision.chooses(bid) { Event::Award } else { Event::Reject });
    follow(tx, decision.call, fate, recorded).await
}
