//! What checks rest on.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::super::machine::{Phase, Standing};
use super::super::sight::{self, Depth};
use super::super::whole::Whole;
use super::super::{Part, Role, store};
use crate::bids::{self, BidState};
use crate::calls::NewCall;
use crate::calls::window::Window;
use crate::organisations::profile::{Finances, Profile};

/// Somebody who takes part, and of whom the reader knows.
pub struct Taking<'a> {
    pub id: Uuid,
    pub role: Role,
    pub parts: &'a [Part],
    pub profile: Option<&'a Profile>,
}

impl Taking<'_> {
    /// Whether it is a member of the group, not one who helps a member.
    pub fn is_member(&self) -> bool {
        !matches!(self.role, Role::Subcont | Role::Oeron)
    }
}

/// What the reader has to do with the same call elsewhere.
pub struct Elsewhere {
    pub lots: Vec<String>,
    pub leads: bool,
}

/// Everything that checks rest on: nothing that the reader may not know.
pub struct Facts<'a> {
    pub call: &'a NewCall,
    pub whole: &'a Whole,
    pub reader: Uuid,
    pub leads: bool,
    pub team: Vec<Taking<'a>>,
    /// Whether the reader knows everybody.
    pub knows_all: bool,
    pub own_finances: Option<Finances>,
    pub elsewhere: &'a [Elsewhere],
    /// Pairs of the plan that know each other by the first day of the contract.
    pub relations: &'a [(Uuid, Uuid)],
    /// The territory above each.
    pub parents: &'a BTreeMap<String, String>,
    pub profiles: &'a BTreeMap<Uuid, Profile>,
}

/// What is read for checks.
pub struct Read {
    pub profiles: BTreeMap<Uuid, Profile>,
    pub parents: BTreeMap<String, String>,
    pub relations: Vec<(Uuid, Uuid)>,
    pub finances: Option<Finances>,
    pub elsewhere: Vec<Elsewhere>,
}

impl Read {
    /// Reads it, through the window of the reader. Up to a dozen queries; O(organisations + territories).
    pub async fn load(db: &impl ConnectionTrait, call: &NewCall, whole: &Whole, reader: Uuid) -> Result<Self, DbErr> {
        let window = Window::new(db, Some(reader));
        let ids: Vec<Uuid> = whole.in_plan().map(|(id, _)| id).collect();
        let relations = window.relations_among(&ids).await?.into_iter().map(|relation| relation.value);
        let begun = relations.filter(|own| own.since.is_none_or(|since| since <= call.starts_on));
        let relations = begun.map(|own| (own.a, own.b)).collect();
        let profiles = window.profiles_around(&ids).await?.into_iter().map(|profile| (profile.id, profile)).collect();
        let territories = window.territories().await?.into_iter();
        let parents = territories.filter_map(|row| Some((row.code, row.parent_code?))).collect();
        let finances = window.own_finances().await?.remove(&reader);
        Ok(Self { profiles, parents, relations, finances, elsewhere: elsewhere(db, whole, reader).await? })
    }
}

/// Where else the reader has accepted to answer the call, or has answered it by itself.
async fn elsewhere(db: &impl ConnectionTrait, whole: &Whole, reader: Uuid) -> Result<Vec<Elsewhere>, DbErr> {
    let others = store::of_member(db, whole.call, reader).await?;
    let others = others.into_iter().filter(|other| {
        let is_in = other.standing(reader) == Some(Standing::Accepted);
        other.id != whole.id && other.state.phase != Phase::Ended && is_in
    });
    let mut found: Vec<Elsewhere> =
        others.map(|other| Elsewhere { leads: other.state.lead == reader, lots: other.lots }).collect();
    // What a bid says is sealed: that there is one suffices.
    let bids = bids::store::states_of(db, whole.call, reader).await?;
    let is_filed = whole.state.lead == reader && !matches!(whole.state.phase, Phase::Forming | Phase::Agreed);
    if bids.contains(&BidState::Received) && !is_filed {
        found.push(Elsewhere { lots: whole.lots.clone(), leads: false });
    }
    Ok(found)
}

impl<'a> Facts<'a> {
    /// What the reader may know of it.
    pub fn new(call: &'a NewCall, whole: &'a Whole, read: &'a Read, reader: Uuid) -> Self {
        let leads = sight::depth(whole, reader) == Some(Depth::Lead);
        let accepted = |id: Uuid| whole.standing(id) == Some(Standing::Accepted);
        let team = whole.in_plan().filter(|(id, _)| leads || accepted(*id)).map(|(id, own)| Taking {
            id,
            role: whole.role(id).unwrap_or(own.role),
            parts: &own.parts,
            profile: read.profiles.get(&id),
        });
        let team: Vec<Taking> = team.collect();
        Self {
            call,
            whole,
            reader,
            leads,
            knows_all: team.len() == whole.in_plan().count(),
            team,
            own_finances: read.finances,
            elsewhere: &read.elsewhere,
            relations: &read.relations,
            parents: &read.parents,
            profiles: &read.profiles,
        }
    }

    /// The members of the group.
    pub fn members(&self) -> impl Iterator<Item = &Taking<'a>> {
        self.team.iter().filter(|one| one.is_member())
    }

    /// The codes of the needs of a lot.
    pub fn needs_of(&self, lot: &str) -> BTreeSet<&'a str> {
        let lots = self.call.lots.iter().filter(|own| own.code == lot);
        lots.flat_map(|own| &own.needs).map(|need| need.code.as_str()).collect()
    }

    /// Whether one of two territories is the other, or lies in it.
    pub fn are_related(&self, a: &str, b: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            let mut seen = BTreeSet::new();
            let mut here = Some(inner);
            while let Some(code) = here.filter(|code| seen.insert((*code).to_owned())) {
                if code == outer {
                    return true;
                }
                here = self.parents.get(code).map(String::as_str);
            }
            false
        };
        within(a, b) || within(b, a)
    }

    /// What each asks for its parts; nothing where the reader does not know that of all, or some are open.
    pub fn amounts(&self) -> Option<BTreeMap<Uuid, i128>> {
        let own = |one: &Taking| {
            let parts = one.parts.iter().map(|part| part.amount_cents.map(i128::from));
            let known = self.whole.knows_amounts(self.reader, one.id);
            Some((one.id, parts.sum::<Option<i128>>().filter(|_| known)?))
        };
        self.team.iter().map(own).collect()
    }

    /// What the parts of somebody are worth: by amounts where the reader knows those of all, else by the call's published costs of a unit.
    /// Nothing where neither is known for all.
    pub fn worths(&self) -> Option<BTreeMap<Uuid, i128>> {
        if let Some(amounts) = self.amounts() {
            return Some(amounts);
        }
        let cost = |part: &Part| {
            let quantity = i128::from(part.quantity);
            let mut needs = self.call.lots.iter().flat_map(|lot| &lot.needs);
            let need = needs.find(|need| need.code == part.need)?;
            Some(quantity * i128::from(need.reference_unit_cost_cents?))
        };
        self.team.iter().map(|one| Some((one.id, one.parts.iter().map(cost).sum::<Option<i128>>()?))).collect()
    }
}
