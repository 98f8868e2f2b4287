//! What is asked of a consortium that there is: bodies of requests.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Consent, Part, Role};

/// An invitation, as the lead writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsortiumInvitation {
    /// Whom.
    pub organisation: Uuid,
    /// As what.
    pub role: Role,
    /// To deliver what.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub parts: Vec<Part>,
    /// Days to answer; until the deadline of the call at most.
    #[serde(default = "two_weeks")]
    #[schema(minimum = 1, maximum = 90, default = 14)]
    pub days_to_answer: i32,
    /// Whether only if somebody else falls out. Then it learns nothing until that happens, and takes over the part of whom it replaces
    /// unless it has parts of its own.
    #[serde(default)]
    pub alternate: bool,
    /// Of an alternate: whose place it would take; anybody's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Uuid>,
    /// A word to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub message: Option<String>,
}

/// A yes to an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsortiumAcceptance {
    /// The `terms` that were read: others are not accepted by it.
    #[schema(minimum = 1)]
    pub terms: i32,
    /// What it lets others see.
    #[serde(default)]
    pub consent: Consent,
}

/// A no, a leave or an end, with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConsortiumDeparture {
    /// Why, in words that the lead reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// Whether the organisation has become unable for reasons not its own: the only way to go between candidacy and signature. Says
    /// nothing of an invitation.
    pub unable: bool,
}

/// What a member settles for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsortiumMemberTerms {
    /// What it lets others see.
    pub consent: Consent,
    /// What it asks for each need that it delivers, in place of what stood there; nothing changes where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500)]
    pub amounts: Option<Vec<Amount>>,
}

/// What is asked for a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsortiumAmount)]
pub struct Amount {
    /// Code of the need.
    pub need: String,
    /// For how much, over the contract.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub amount_cents: i64,
}

/// What is asked of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ConsortiumRepairOptions)]
pub struct RepairOptions {
    /// Seconds after which the best so far is kept.
    #[schema(minimum = 1, maximum = 300)]
    pub time_limit_seconds: u32,
}

impl Default for RepairOptions {
    fn default() -> Self {
        Self { time_limit_seconds: 30 }
    }
}

/// Which plan of which repair is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsortiumRepairChoice)]
pub struct RepairChoice {
    /// The run of the repair.
    pub run: Uuid,
    /// Which of its plans, from 1.
    #[schema(minimum = 1, maximum = 20)]
    pub plan: u32,
    /// Days that those who are invited have to answer.
    #[serde(default = "two_weeks")]
    #[schema(minimum = 1, maximum = 90, default = 14)]
    pub days_to_answer: i32,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsortiumSignature {
    /// Who signs; may be left out by those who have one membership only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// The `digest` of what is signed.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
}

pub(super) const fn two_weeks() -> i32 {
    14
}
