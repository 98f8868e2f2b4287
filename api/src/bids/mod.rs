//! Bids: answers to a call that stay sealed until two persons open them together, after the deadline.
//!
//! 1. `routes` takes a bid while the database's clock says that there is time (`intake`), and answers with a receipt.
//! 2. `seal` encrypts it with the key of its call, bound to everything that the receipt says; `keys` keeps that key, itself sealed by
//!    the installation's, which is not in the database.
//! 3. `evaluators` says who may open and read, `openings` lets two of them open; `reading` is how bids are read.
//!
//! Before the opening nobody but the bidder learns that there is a bid: not the funder, not an administrator, not by a count.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;

pub(crate) mod entity;
pub(crate) mod evaluators;
pub(crate) mod intake;
pub mod keys;
pub(crate) mod openings;
pub(crate) mod reading;
pub(crate) mod routes;
pub mod seal;
pub(crate) mod store;
mod validate;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
    evaluators::configure(routes);
    openings::configure(routes);
}

/// What an organisation is in a bid, in the words of the European single procurement document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = BidRole)]
pub enum Role {
    /// Leads a group.
    GroupLead,
    /// Belongs to a group.
    GroupMem,
    /// Answers alone.
    SoleTenderer,
    /// Works for one of the others.
    Subcont,
}

/// An organisation that takes part in a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidMember)]
pub struct Member {
    /// Which.
    pub organisation: Uuid,
    /// What it is in the bid.
    pub role: Role,
    /// Codes of the lots that it works for.
    #[schema(min_items = 1, max_items = 100)]
    pub lots: Vec<String>,
}

/// What a member delivers of a need, over the whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BidAllocation)]
pub struct Allocation {
    /// Code of the need.
    pub need: String,
    /// Who delivers.
    pub organisation: Uuid,
    /// How much, in the unit of the need.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    pub quantity: i64,
    /// For how much.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub amount_cents: i64,
}

/// What a bid says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BidContent {
    /// In whose name; may be left out by those who belong to one organisation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// Codes of the lots that it answers.
    #[schema(min_items = 1, max_items = 100)]
    pub lots: Vec<String>,
    /// Who takes part. The bidder is among them, alone or as the lead.
    #[schema(min_items = 1, max_items = 200)]
    pub members: Vec<Member>,
    /// Who delivers what.
    #[schema(min_items = 1, max_items = 2000)]
    pub allocations: Vec<Allocation>,
    /// What the lead is paid for coordinating, over the whole contract.
    #[serde(default, skip_serializing_if = "is_nought")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub coordination_cents: i64,
    /// The price: the sum of the allocations, and what the lead is paid for coordinating.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub amount_cents: i64,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20000)]
    pub note: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_nought(cents: &i64) -> bool {
    *cents == 0
}

impl BidContent {
    /// What a member is paid: for what it delivers, and the lead for coordinating. O(allocations).
    #[must_use]
    pub fn amount_of(&self, organisation: Uuid) -> i64 {
        let own = self.allocations.iter().filter(|part| part.organisation == organisation);
        let leads = self.organisation == Some(organisation);
        own.map(|part| part.amount_cents).sum::<i64>() + if leads { self.coordination_cents } else { 0 }
    }
}

/// What is sealed: its digest is the SHA-256 of this object in canonical JSON (RFC 8785).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedBid {
    /// What the bid says.
    pub content: BidContent,
    /// 256 random bits: without them, whoever has the digest could try prices until one fits.
    pub salt: String,
}

/// Where a bid stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum BidState {
    /// It counts.
    Received,
    /// A later one of the same organisation counts.
    Superseded,
    /// Its organisation has taken it back.
    Withdrawn,
}

/// Proof that a bid was received.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BidReceipt {
    /// UUIDv7 of the bid.
    pub id: Uuid,
    /// Of which call.
    pub call: Uuid,
    /// Which version of the call it answers.
    pub call_version: i64,
    /// Whose.
    pub organisation: Uuid,
    /// Where it stands.
    pub state: BidState,
    /// When it was received, by the database's clock.
    pub received_at: DateTime<Utc>,
    /// When it was replaced or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// SHA-256 of `sealed` in canonical JSON (RFC 8785), in hexadecimal.
    pub digest: String,
}

/// Whether what is kept is what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BidSeal)]
pub enum Seal {
    /// It is, to the byte: the content fits the receipt.
    Intact,
    /// It is not: somebody has changed the bid or its receipt in the database. Nothing of it is shown.
    Broken,
}

/// A bid, for those who may read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Bid {
    /// Proof that it was received.
    pub receipt: BidReceipt,
    /// Whether it is what was received.
    pub seal: Seal,
    /// What was sealed; absent where the seal is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SealedBid>,
}

/// Somebody who opens and reads the bids of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CallEvaluator {
    /// Of which call.
    pub call: Uuid,
    /// Id of the person.
    pub person: Uuid,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// How far the opening of the bids of a call is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BidOpening {
    /// Of which call.
    pub call: Uuid,
    /// Who asked first.
    pub asked_by: Uuid,
    /// When, by the database's clock.
    pub asked_at: DateTime<Utc>,
    /// Who asked second; absent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<Uuid>,
    /// When: from then on the evaluators read the bids. By the database's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<DateTime<Utc>>,
}
