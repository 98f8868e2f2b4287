//! Why something cannot be done.

use thiserror::Error;

use super::Phase;

/// Why the machine refuses an event. The sentences say what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Somebody else leads.
    #[error("only the lead of the consortium can do this")]
    NotLead,
    /// The funder decides this.
    #[error("this follows from what the funder decides")]
    NotYours,
    /// Not with this standing.
    #[error("{0}")]
    Standing(&'static str),
    /// They are in already.
    #[error("this organisation is invited, a member or an alternate already")]
    IsIn,
    /// They have said no, and have not asked since.
    #[error("this organisation declined or left: it can be invited again once it asks for it")]
    HasDeclined,
    /// Not in this phase.
    #[error("the consortium is {}: {why}", phase.word())]
    Phase {
        /// Where it stands.
        phase: Phase,
        /// What the phase allows.
        why: &'static str,
    },
    /// The terms or the plan have changed since they were read.
    #[error("this has changed since you read it: read it again")]
    Changed,
    /// Some have not answered.
    #[error("some who were invited have not answered: wait for them, or take their invitations back")]
    Pending,
    /// Some have not signed.
    #[error("not all members have signed this version")]
    Unsigned,
    /// The deadline has passed.
    #[error("answers were due before now, by the clock of the service")]
    TooLate,
}

impl Phase {
    /// In a sentence.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Forming => "being formed",
            Self::Agreed => "agreed",
            Self::Filed => "filed",
            Self::Frozen => "frozen between candidacy and signature",
            Self::Negotiation => "in negotiation",
            Self::Execution => "in execution",
            Self::Ended => "over",
        }
    }
}
