//! The life of a consortium as a machine: a state, events, and a function from one to the next. No database and no clock of its own.
//!
//! Three rules run through it.
//! - **Nobody is bound to what they have not accepted.** A change of the plan makes a new version of it and voids all signatures; a
//!   member is bound by a version that it has signed, from the moment at which it is filed, or comes into force.
//! - **Time is an event.** What has happened by itself until an instant (invitations that lapsed, alternates that moved up, the end of
//!   candidacy) follows from the state and the instant alone: it is the same whether somebody looked at it or not.
//! - **The law of the phase.** Before candidacy and in negotiation a group is free; between candidacy and signature it is frozen, but for
//!   members that have become unable for reasons not their own.
//!
//! A test explores every state that three organisations can reach; another keeps the diagram in `docs/consortium.md` true.

mod apply;
#[cfg(test)]
mod diagram;
#[cfg(test)]
mod exploration;
#[cfg(test)]
mod properties;
mod refusal;
mod time;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use apply::apply;
pub use refusal::Refusal;
pub use time::pass;

/// Where a consortium stands.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schema(as = ConsortiumPhase)]
pub enum Phase {
    /// Its members and its plan are being found.
    Forming,
    /// Every member has signed the same version.
    Agreed,
    /// Its answer is filed; until the deadline the lead may withdraw it.
    Filed,
    /// After candidacy, without negotiation: only members unable for reasons not their own leave or are replaced.
    Frozen,
    /// After candidacy, in a procedure with negotiation: members and plan may change, and the answer is filed again.
    Negotiation,
    /// The contract runs.
    Execution,
    /// It is over: see `ending`.
    Ended,
}

/// Why a consortium is over.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schema(as = ConsortiumEnding)]
pub enum Ending {
    /// The lead gave up before there was an answer.
    Abandoned,
    /// The lead became unable for reasons not its own.
    LeadUnable,
    /// Another answer was chosen.
    NotChosen,
    /// The funder gave up the call.
    CallCancelled,
    /// The contract is fulfilled.
    Completed,
}

/// Where an organisation stands in a consortium.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schema(as = ConsortiumStanding)]
pub enum Standing {
    /// Would be invited if somebody else fell out. Only the lead knows.
    Alternate,
    /// Has been asked, and has not answered.
    Invited,
    /// Has said yes to its terms.
    Accepted,
    /// Has said no.
    Declined,
    /// Has not answered in time.
    Expired,
    /// The invitation was taken back, or the member excluded.
    Rescinded,
    /// Has gone after it had accepted.
    Left,
}

impl Standing {
    /// Whether the plan counts on it.
    #[must_use]
    pub const fn is_in_plan(self) -> bool {
        matches!(self, Self::Invited | Self::Accepted)
    }
}

/// The part of a membership that the machine knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// Where it stands.
    pub standing: Standing,
    /// How many versions of its own terms there have been.
    pub terms: i32,
    /// The version of its terms that it has accepted.
    pub accepted: Option<i32>,
    /// The last version of the plan that it has signed.
    pub signed: Option<i64>,
    /// The version of the plan that binds it.
    pub bound: Option<i64>,
    /// Until when it may answer; while it is invited.
    pub answer_by: Option<DateTime<Utc>>,
    /// Days that it has, or will have, to answer.
    pub days: i32,
    /// Whether, having declined or left, it asks to be invited again.
    pub asks_again: bool,
    /// Whether it was bound and left as unable, and what it did is not settled yet.
    pub vacant: bool,
    /// Of an alternate: whose place it would take; anybody's where absent.
    pub replaces: Option<Uuid>,
    /// The order in which alternates move up.
    pub position: i32,
}

/// Where a consortium and its members stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// Where it stands.
    pub phase: Phase,
    /// Why it is over; once it is.
    pub ending: Option<Ending>,
    /// Whether the procedure is negotiated.
    pub negotiated: bool,
    /// When answers are due.
    pub due: Option<DateTime<Utc>>,
    /// Who leads.
    pub lead: Uuid,
    /// The version of the plan.
    pub plan: i64,
    /// Everybody who was ever asked, or would be.
    pub members: BTreeMap<Uuid, Membership>,
}

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// An organisation.
    Organisation(Uuid),
    /// The service: what the funder has decided.
    Service,
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The lead invites an organisation, or makes it an alternate.
    Invite(Invitation),
    /// An invited organisation says yes to a version of its terms.
    Accept {
        /// The version that it has read.
        terms: i32,
    },
    /// An invited organisation says no.
    Decline,
    /// The lead takes an invitation back, or excludes a member.
    Rescind(Uuid),
    /// A member goes.
    Leave {
        /// Whether it has become unable for reasons not its own.
        unable: bool,
    },
    /// Whoever declined or left asks to be invited again.
    AskAgain,
    /// The lead invites an alternate.
    Promote(Uuid),
    /// The plan changes: the lead changes it, or a member its own terms.
    Change {
        /// Those whose own terms change.
        of: BTreeSet<Uuid>,
    },
    /// A member signs a version of the plan.
    Sign {
        /// Which.
        plan: i64,
    },
    /// The lead files the answer.
    File,
    /// The lead withdraws the answer before the deadline.
    Withdraw,
    /// Candidacy is over.
    Close,
    /// The funder has chosen the answer.
    Award,
    /// The funder has chosen another.
    Reject,
    /// The funder gives the call up.
    Cancel,
    /// The contract is fulfilled: the lead or the service says so.
    Complete,
    /// The lead ends the consortium.
    Dissolve {
        /// Whether it has become unable for reasons not its own.
        unable: bool,
    },
}

/// Whom the lead invites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Whom.
    pub organisation: Uuid,
    /// Days to answer.
    pub days: i32,
    /// Whether only if somebody else falls out.
    pub alternate: bool,
    /// Whose place an alternate would take; anybody's where absent.
    pub replaces: Option<Uuid>,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// An organisation was invited.
    Invited(Uuid),
    /// An organisation stands by as an alternate.
    StandsBy(Uuid),
    /// It no longer does.
    StandsDown(Uuid),
    /// It accepted.
    Accepted(Uuid),
    /// It declined.
    Declined(Uuid),
    /// Its invitation lapsed.
    Expired(Uuid),
    /// It was rescinded.
    Rescinded(Uuid),
    /// It left.
    Left(Uuid),
    /// It asks to be invited again.
    AsksAgain(Uuid),
    /// An alternate was invited in the place of another.
    Promoted {
        /// Who.
        organisation: Uuid,
        /// In whose place, where in somebody's.
        instead_of: Option<Uuid>,
    },
    /// The plan changed.
    Changed,
    /// A member signed.
    Signed(Uuid),
    /// Every member has signed the same version.
    Agreed,
    /// The answer was filed.
    Filed,
    /// The answer was withdrawn.
    Withdrawn,
    /// Candidacy is over.
    Closed,
    /// The answer was chosen.
    Awarded,
    /// It is over.
    Ended(Ending),
}

/// A state, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where things stand now.
    pub state: State,
    /// What has happened, in order.
    pub happened: Vec<Happened>,
}

impl Membership {
    /// An organisation that has been named, and nothing more.
    #[must_use]
    pub const fn named(standing: Standing, days: i32, position: i32) -> Self {
        Self {
            standing,
            terms: 1,
            accepted: None,
            signed: None,
            bound: None,
            answer_by: None,
            days,
            asks_again: false,
            vacant: false,
            replaces: None,
            position,
        }
    }
}

impl State {
    /// A consortium of its lead alone.
    #[must_use]
    pub fn new(lead: Uuid, negotiated: bool, due: Option<DateTime<Utc>>) -> Self {
        let founder = Membership { accepted: Some(1), ..Membership::named(Standing::Accepted, 0, 0) };
        Self {
            phase: Phase::Forming,
            ending: None,
            negotiated,
            due,
            lead,
            plan: 1,
            members: BTreeMap::from([(lead, founder)]),
        }
    }

    /// Those whom the plan counts on.
    pub fn in_plan(&self) -> impl Iterator<Item = (Uuid, &Membership)> {
        self.members.iter().filter(|(_, own)| own.standing.is_in_plan()).map(|(id, own)| (*id, own))
    }

    /// Whether nobody is left who was invited and has not answered.
    #[must_use]
    pub fn all_have_answered(&self) -> bool {
        self.in_plan().all(|(_, own)| own.standing == Standing::Accepted)
    }

    /// Whether all whom the plan counts on have signed it as it is.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.all_have_answered() && self.in_plan().all(|(_, own)| own.signed == Some(self.plan))
    }

    /// Whether somebody left as unable, and the others have not settled what that means.
    #[must_use]
    pub fn has_vacancy(&self) -> bool {
        self.members.values().any(|own| own.vacant)
    }

    /// When an invitation of so many days lapses: with the deadline at the latest, where that is still to come.
    fn answer_by(&self, from: DateTime<Utc>, days: i32) -> DateTime<Utc> {
        let by = from + TimeDelta::days(i64::from(days));
        self.due.filter(|due| *due > from).map_or(by, |due| due.min(by))
    }
}
