//! A consortium as it is kept, all secrets included. Nothing of it leaves the service but through `sight`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::machine::{Event, Happened, Refusal, Standing, State, Who, apply, pass};
use super::{Consent, Form, Part, Role};

/// What the lead and a member have settled for the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// What it is: [`Role::GroupLead`] for the lead, with or without a group.
    pub role: Role,
    /// What it delivers, for how much.
    pub parts: Vec<Part>,
    /// Whether its amounts are its own word; else the lead offered them, and knows them.
    pub own_prices: bool,
    /// 256 random bits in hexadecimal, which hide its amounts in what all sign.
    pub salt: String,
    /// What it lets others see.
    pub consent: Consent,
    /// What the lead wrote to it.
    pub message: Option<String>,
    /// Why it declined or left.
    pub reason: Option<String>,
}

/// A consortium with everybody in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// UUIDv7.
    pub id: Uuid,
    /// Grows by one at each change.
    pub version: i64,
    /// Which call it answers.
    pub call: Uuid,
    /// Which version of the call.
    pub call_version: i64,
    /// What it is called.
    pub name: String,
    /// Who answers for what.
    pub form: Form,
    /// Codes of the lots that it answers.
    pub lots: Vec<String>,
    /// What the lead is paid for coordinating.
    pub coordination_cents: i64,
    /// Where everybody stands.
    pub state: State,
    /// What everybody does. Has the same keys as the members of the state.
    pub details: BTreeMap<Uuid, Details>,
}

impl Whole {
    /// What it is at an instant, with what has happened by itself until then.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> (Self, Vec<Happened>) {
        let moved = pass(self.state, now);
        self.state = moved.state;
        self.follow(&moved.happened);
        (self, moved.happened)
    }

    /// What it is after somebody does something.
    ///
    /// # Errors
    /// Why that cannot be done.
    pub fn after(mut self, event: &Event, who: Who, now: DateTime<Utc>) -> Result<(Self, Vec<Happened>), Refusal> {
        let moved = apply(self.state, event, who, now)?;
        self.state = moved.state;
        self.follow(&moved.happened);
        Ok((self, moved.happened))
    }

    /// Forgets alternates that are not wanted any more, and gives those who move up the parts of whom they replace, unless they have
    /// their own. What a member asked for itself is its secret,
    /// and does not pass on.
    fn follow(&mut self, happened: &[Happened]) {
        for one in happened {
            if let Happened::StandsDown(organisation) = one {
                self.details.remove(organisation);
            }
            let Happened::Promoted { organisation, instead_of: Some(gone) } = one else { continue };
            let Some(before) = self.details.get(gone).cloned() else { continue };
            let Some(own) = self.details.get_mut(organisation) else { continue };
            if own.parts.is_empty() {
                own.parts = before.parts;
                if before.own_prices {
                    own.parts.iter_mut().for_each(|part| part.amount_cents = None);
                }
            }
        }
    }

    /// Where an organisation stands.
    #[must_use]
    pub fn standing(&self, organisation: Uuid) -> Option<Standing> {
        self.state.members.get(&organisation).map(|own| own.standing)
    }

    /// Those whom the plan counts on, the lead first, then by id.
    pub fn in_plan(&self) -> impl Iterator<Item = (Uuid, &Details)> {
        let lead = self.state.lead;
        let others = self.state.in_plan().map(|(id, _)| id).filter(move |id| *id != lead);
        std::iter::once(lead).chain(others).filter_map(|id| self.details.get(&id).map(|own| (id, own)))
    }

    /// What an organisation is: a lead without a group answers alone.
    #[must_use]
    pub fn role(&self, organisation: Uuid) -> Option<Role> {
        let own = self.details.get(&organisation)?;
        let has_group = self.in_plan().any(|(_, other)| other.role == Role::GroupMem);
        Some(if own.role == Role::GroupLead && !has_group { Role::SoleTenderer } else { own.role })
    }

    /// Whether somebody may know what another asks for its parts: their own, what the lead itself offered, and what members share who
    /// have both accepted.
    #[must_use]
    pub fn knows_amounts(&self, reader: Uuid, of: Uuid) -> bool {
        let Some(other) = self.details.get(&of) else { return false };
        if reader == of || (reader == self.state.lead && !other.own_prices) {
            return true;
        }
        let shares = |id| {
            let accepted = self.standing(id) == Some(Standing::Accepted);
            accepted && self.details.get(&id).is_some_and(|own| own.consent.share_prices)
        };
        shares(reader) && shares(of)
    }

    /// Whether every part of the plan has its amount.
    #[must_use]
    pub fn is_priced(&self) -> bool {
        self.in_plan().all(|(_, own)| own.parts.iter().all(|part| part.amount_cents.is_some()))
    }
}
