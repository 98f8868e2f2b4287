//! Decisions of people on the bids of a call, with their reasons: recorded, versioned, and told to bidders from a moment on. The service
//! decides nothing.
//!
//! 1. `routes` takes a decision of somebody who evaluates the call, after the opening. Each replaces the one before, which is kept.
//! 2. `telling` tells it when its moment has come: until then bidders do not learn that there is one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;

pub(crate) mod entity;
pub(crate) mod routes;
pub(crate) mod store;
pub mod telling;
mod validate;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
}

/// What becomes of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DecisionOutcome)]
pub enum Outcome {
    /// One bid at least is chosen.
    Awarded,
    /// None is.
    NoAward,
}

/// What is decided on a bid, for a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionOnBid {
    /// Which bid.
    pub bid: Uuid,
    /// Whether it is chosen.
    pub chosen: bool,
    /// Why: its bidder will read this.
    #[schema(min_length = 1, max_length = 20000)]
    pub reasons: String,
}

/// What is decided on a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionOnLot {
    /// Code of the lot.
    pub lot: String,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why: all its bidders will read this.
    #[schema(min_length = 1, max_length = 20000)]
    pub reasons: String,
    /// Every bid on it that stands.
    #[schema(max_items = 1000)]
    pub bids: Vec<DecisionOnBid>,
}

/// A decision, as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// The decision that it replaces; there must be none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Uuid>,
    /// From when on bidders read it; at once where that has passed.
    pub tell_at: DateTime<Utc>,
    /// The lots that are decided.
    #[schema(min_items = 1, max_items = 100)]
    pub lots: Vec<DecisionOnLot>,
}

/// A decision that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Decision {
    /// UUIDv7.
    pub id: Uuid,
    /// On which call.
    pub call: Uuid,
    /// 1 is the first on its call; the highest stands.
    pub number: i64,
    /// The decision that it replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Uuid>,
    /// Id of the person who decided.
    pub decided_by: Uuid,
    /// When, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// From when on bidders read it.
    pub tell_at: DateTime<Utc>,
    /// When bidders were told; absent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<DateTime<Utc>>,
    /// The lots that are decided.
    pub lots: Vec<DecisionOnLot>,
}

impl Decision {
    /// Whether it chooses a bid for some lot.
    #[must_use]
    pub fn chooses(&self, bid: Uuid) -> bool {
        self.lots.iter().flat_map(|lot| &lot.bids).any(|own| own.bid == bid && own.chosen)
    }
}

/// The lots of a decision in one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, sea_orm::FromJsonQueryResult)]
#[serde(transparent)]
pub struct Lots(pub Vec<DecisionOnLot>);

/// What a bidder learns of what was decided on its bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BidOutcome {
    /// On which bid.
    pub bid: Uuid,
    /// The decision; absent while nothing is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Uuid>,
    /// When it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    /// The lots of the bid that are decided.
    pub lots: Vec<BidOutcomeOnLot>,
}

/// What was decided on a lot of a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BidOutcomeOnLot {
    /// Code of the lot.
    pub lot: String,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why.
    pub lot_reasons: String,
    /// Whether this bid is chosen.
    pub chosen: bool,
    /// Why, of this bid.
    pub reasons: String,
    /// Whose bids are chosen.
    pub chosen_organisations: Vec<Uuid>,
}
