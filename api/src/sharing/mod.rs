//! Fair sharing: how the members of a consortium could divide what it is paid beyond its costs.
//!
//! 1. Each member agrees, for one version of the plan, to reckon with the costs and capacities of all: [`crate::access::Everyone`] is the
//!    door, which only the consent of each opens.
//! 2. `reckon` asks the solver for the Shapley value, the nucleolus, and whether rivals could undercut the group, and says in words what
//!    that means.
//!
//! It proposes, and decides nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;

pub(crate) mod entity;
mod reckon;
pub(crate) mod routes;
mod store;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
}

/// That a member reckons with the others on their sealed costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareConsent {
    /// Which member; may be left out by those who have one membership only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// For which version of the plan: the present one.
    pub plan: i64,
}

/// Who has agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShareConsents {
    /// In which consortium.
    pub consortium: Uuid,
    /// For which version of the plan.
    pub plan: i64,
    /// How many members have not agreed yet.
    pub missing: u32,
}

/// How the members could divide what they are paid beyond their costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsortiumShares {
    /// Of which consortium.
    pub consortium: Uuid,
    /// Which version of the plan.
    pub plan: i64,
    /// What is paid for coordination.
    pub coordination_cents: i64,
    /// What the price is above what the work costs its members, without the coordination; nought where it is not.
    pub surplus_cents: i64,
    /// By id.
    pub members: Vec<ShareOfMember>,
    /// Whether some division satisfies every part of the group.
    pub core: ShareVerdict,
    /// Whether some rival consortium could undercut the price.
    pub rivals: ShareVerdict,
}

/// What a member could get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShareOfMember {
    /// Which.
    pub organisation: Uuid,
    /// What it would contribute alone.
    pub alone_cents: i64,
    /// What the others would contribute less without it.
    pub last_cents: i64,
    /// Its Shapley value: what it contributes on average, over all orders in which the members could come together.
    pub shapley_cents: i64,
    /// Its part under the nucleolus, which makes the least satisfied as satisfied as can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nucleolus_cents: Option<i64>,
    /// Its part of the coordination, in proportion to its Shapley value.
    pub coordination_share_cents: i64,
    /// Its part of the surplus, in proportion to its Shapley value.
    pub surplus_share_cents: i64,
}

/// An answer in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShareVerdict {
    /// Yes or no; absent where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// What that means, in English.
    pub text_en: String,
    /// The same in French.
    pub text_fr: String,
}
