//! What somebody sees of a consortium: one function, from what there is and who looks to what is shown.
//!
//! | who | sees |
//! |---|---|
//! | the lead | everybody it has asked, with their answers; amounts that it offered, or that both share |
//! | a member that has accepted | the other members, with contact and shares; amounts that both share; how many have not answered |
//! | whoever is invited | the call, the lead, its own terms; members that let themselves be shown |
//! | whoever declined, was late, was rescinded or left | the call, the lead, what it was asked |
//! | an alternate, and everybody else | nothing: there is no such consortium |

use std::collections::BTreeMap;

use uuid::Uuid;

use super::machine::Standing;
use super::statement::statement;
use super::whole::Whole;
use super::{Consortium, ConsortiumMember, ConsortiumSummary, Part};
use crate::problem::Problem;

/// How much somebody sees, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What it was asked, once.
    Past,
    /// What it is asked.
    Invited,
    /// The group that it belongs to.
    Member,
    /// Everybody that it has asked.
    Lead,
}

/// How much an organisation sees; nothing where it is not to know.
#[must_use]
pub fn depth(whole: &Whole, reader: Uuid) -> Option<Depth> {
    Some(match whole.standing(reader)? {
        Standing::Alternate => return None,
        Standing::Accepted if reader == whole.state.lead => Depth::Lead,
        Standing::Accepted => Depth::Member,
        Standing::Invited => Depth::Invited,
        Standing::Declined | Standing::Expired | Standing::Rescinded | Standing::Left => Depth::Past,
    })
}

/// Which of some organisations sees most.
#[must_use]
pub fn deepest(whole: &Whole, readers: impl IntoIterator<Item = Uuid>) -> Option<Uuid> {
    let seeing = readers.into_iter().filter_map(|reader| Some((depth(whole, reader)?, reader)));
    seeing.max_by_key(|(depth, reader)| (*depth, std::cmp::Reverse(*reader))).map(|(_, reader)| reader)
}

/// What an organisation sees; `contacts` are those of all members, by organisation.
///
/// # Errors
/// Only internal ones.
pub fn view(whole: &Whole, reader: Uuid, contacts: &BTreeMap<Uuid, String>) -> Result<Option<Consortium>, Problem> {
    let Some((depth, standing)) = depth(whole, reader).zip(whole.standing(reader)) else { return Ok(None) };
    let is_in = depth >= Depth::Member;
    let order = |id: &Uuid| (*id != whole.state.lead, *id);
    let mut ids: Vec<Uuid> = whole.details.keys().copied().collect();
    ids.sort_by_key(order);
    let members = ids.into_iter().filter_map(|id| member(whole, reader, depth, id, contacts)).collect();
    let waiting = whole.state.members.values().filter(|own| own.standing == Standing::Invited).count();
    let agreed = if is_in { statement(whole)? } else { None };
    let (statement, digest) = agreed.unzip();
    Ok(Some(Consortium {
        id: whole.id,
        version: version(whole, reader),
        seen_as: reader,
        standing,
        call: whole.call,
        call_version: whole.call_version,
        lead: whole.state.lead,
        name: whole.name.clone(),
        form: whole.form,
        lots: whole.lots.clone(),
        members,
        pending: is_in.then_some(i32::try_from(waiting).unwrap_or(i32::MAX)),
        phase: is_in.then_some(whole.state.phase),
        ending: whole.state.ending.filter(|_| is_in),
        coordination_cents: is_in.then_some(whole.coordination_cents),
        plan: is_in.then_some(whole.state.plan),
        digest,
        statement,
    }))
}

/// The version that a reader is told: outside of the group one sees one's own terms change, not what others do.
#[must_use]
pub fn version(whole: &Whole, reader: Uuid) -> i64 {
    let own = whole.state.members.get(&reader).map_or(1, |own| i64::from(own.terms));
    if depth(whole, reader) >= Some(Depth::Member) { whole.version } else { own }
}

/// What somebody sees of one of those who were asked; nothing where they are not to know.
fn member(
    whole: &Whole,
    reader: Uuid,
    depth: Depth,
    id: Uuid,
    contacts: &BTreeMap<Uuid, String>,
) -> Option<ConsortiumMember> {
    let (state, details) = (whole.state.members.get(&id)?, whole.details.get(&id)?);
    let (is_own, leads) = (id == reader, depth == Depth::Lead);
    let accepted = state.standing == Standing::Accepted;
    let is_shown = match depth {
        Depth::Lead => true,
        Depth::Member => accepted,
        Depth::Invited => accepted && details.consent.show_to_invited,
        Depth::Past => false,
    };
    if !is_own && !is_shown {
        return None;
    }
    let whole_terms = is_own || leads || depth == Depth::Member;
    let amounts = whole.knows_amounts(reader, id);
    let parts =
        details.parts.iter().map(|part| Part { amount_cents: part.amount_cents.filter(|_| amounts), ..part.clone() });
    let both_accepted = accepted && depth >= Depth::Member;
    Some(ConsortiumMember {
        organisation: id,
        role: whole.role(id)?,
        standing: state.standing,
        terms: whole_terms.then_some(state.terms),
        parts: whole_terms.then(|| parts.collect()),
        salt: (amounts && both_accepted).then(|| details.salt.clone()),
        contact: contacts.get(&id).filter(|_| both_accepted).cloned(),
        answer_by: state.answer_by.filter(|_| is_own || leads),
        has_signed: both_accepted.then_some(state.signed == Some(whole.state.plan)),
        bound_by: state.bound.filter(|_| both_accepted),
        consent: is_own.then_some(details.consent),
        message: details.message.clone().filter(|_| is_own || leads),
        reason: details.reason.clone().filter(|_| is_own || leads),
        asks_again: (is_own || leads).then_some(state.asks_again).filter(|asks| *asks),
        replaces: state.replaces.filter(|_| leads),
    })
}

/// The same in a list.
#[must_use]
pub fn summary(whole: &Whole, reader: Uuid) -> Option<ConsortiumSummary> {
    let (depth, own) = (depth(whole, reader)?, whole.state.members.get(&reader)?);
    Some(ConsortiumSummary {
        id: whole.id,
        seen_as: reader,
        standing: own.standing,
        call: whole.call,
        lead: whole.state.lead,
        name: whole.name.clone(),
        phase: (depth >= Depth::Member).then_some(whole.state.phase),
        answer_by: own.answer_by,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::machine::{Event, Invitation, State, Who};
    use super::super::whole::Details;
    use super::super::{Consent, Form, Role};
    use super::*;

    const LEAD: Uuid = Uuid::from_u128(1);
    const OPEN: Uuid = Uuid::from_u128(2);
    const SHY: Uuid = Uuid::from_u128(3);
    const INVITED: Uuid = Uuid::from_u128(4);
    const DECLINED: Uuid = Uuid::from_u128(5);
    const ALTERNATE: Uuid = Uuid::from_u128(6);
    const STRANGER: Uuid = Uuid::from_u128(7);
    const ALL: [(Uuid, char); 7] =
        [(LEAD, 'l'), (OPEN, 'o'), (SHY, 's'), (INVITED, 'i'), (DECLINED, 'd'), (ALTERNATE, 'a'), (STRANGER, 'x')];

    /// The lead and one member share prices; the member lets itself be shown. The other has settled its own amounts and shares nothing.
    fn whole() -> Whole {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let details = |consent: Consent, own_prices| Details {
            role: Role::GroupMem,
            parts: vec![Part { need: "kits".to_owned(), quantity: 2, amount_cents: Some(300) }],
            own_prices,
            salt: "00".to_owned(),
            consent,
            message: Some("come".to_owned()),
            reason: Some("why".to_owned()),
        };
        let shares = Consent { show_to_invited: true, share_prices: true };
        let mut whole = Whole {
            id: Uuid::from_u128(100),
            version: 9,
            call: Uuid::from_u128(101),
            call_version: 2,
            name: "x".to_owned(),
            form: Form::Conjoint,
            lots: vec!["equipment".to_owned()],
            coordination_cents: 5,
            state: State::new(LEAD, false, None),
            details: BTreeMap::from([(LEAD, details(Consent { show_to_invited: false, ..shares }, false))]),
        };
        for (organisation, consent, own_prices) in [
            (OPEN, shares, true),
            (SHY, Consent::default(), true),
            (INVITED, Consent::default(), false),
            (DECLINED, Consent::default(), false),
            (ALTERNATE, Consent::default(), false),
        ] {
            let alternate = organisation == ALTERNATE;
            let replaces = alternate.then_some(SHY);
            let invite = Event::Invite(Invitation { organisation, days: 3, alternate, replaces });
            whole.details.insert(organisation, details(consent, own_prices));
            whole = whole.after(&invite, Who::Organisation(LEAD), now).unwrap().0;
        }
        for (who, event) in
            [(OPEN, Event::Accept { terms: 1 }), (SHY, Event::Accept { terms: 1 }), (DECLINED, Event::Decline)]
        {
            whole = whole.after(&event, Who::Organisation(who), now).unwrap().0;
        }
        whole
    }

    /// Of whom a reader sees something that `shown` looks for, by their letters.
    fn letters(view: &Consortium, shown: impl Fn(&ConsortiumMember) -> bool) -> String {
        let of = |id: Uuid| ALL.iter().find(|(own, _)| *own == id).map(|(_, letter)| *letter).unwrap();
        view.members.iter().filter(|one| shown(one)).map(|one| of(one.organisation)).collect()
    }

    #[test]
    fn each_reader_sees_a_row_of_this_table_and_no_more() {
        let whole = whole();
        let contacts = ALL.iter().map(|(id, letter)| (*id, letter.to_string())).collect();
        // Who is shown; with parts; with amounts; with contact; with a reason; whether the group is.
        let table = [
            (LEAD, Some(("losida", "losida", "loida", "los", "losida", true))),
            (OPEN, Some(("los", "los", "lo", "los", "o", true))),
            (SHY, Some(("los", "los", "s", "los", "s", true))),
            (INVITED, Some(("oi", "i", "i", "", "i", false))),
            (DECLINED, Some(("d", "d", "d", "", "d", false))),
            (ALTERNATE, None),
            (STRANGER, None),
        ];
        for (reader, row) in table {
            let view = view(&whole, reader, &contacts).unwrap();
            let seen = view.as_ref().map(|view| {
                let amounts =
                    |one: &ConsortiumMember| one.parts.iter().flatten().any(|part| part.amount_cents.is_some());
                (
                    letters(view, |_| true),
                    letters(view, |one| one.parts.is_some()),
                    letters(view, amounts),
                    letters(view, |one| one.contact.is_some()),
                    letters(view, |one| one.reason.is_some()),
                    view.phase.is_some() && view.plan.is_some() && view.pending == Some(1) && view.version == 9,
                )
            });
            let row = row.map(|(all, parts, amounts, contact, reason, group)| {
                let own = |text: &str| text.to_owned();
                (own(all), own(parts), own(amounts), own(contact), own(reason), group)
            });
            assert_eq!(seen, row, "{reader}");
            assert_eq!(summary(&whole, reader).is_some(), view.is_some());
            assert!(view.is_none_or(|view| view.statement.is_none()), "somebody has not answered");
        }
    }

    #[test]
    fn salts_go_with_the_amounts_of_members() {
        let whole = whole();
        let salts =
            |reader| letters(&view(&whole, reader, &BTreeMap::new()).unwrap().unwrap(), |one| one.salt.is_some());
        assert_eq!([LEAD, OPEN, SHY, INVITED].map(salts), ["lo", "lo", "s", ""]);
    }

    #[test]
    fn who_belongs_to_several_sees_as_the_one_that_sees_most() {
        let whole = whole();
        assert_eq!(deepest(&whole, [DECLINED, INVITED, SHY]), Some(SHY));
        assert_eq!(deepest(&whole, [OPEN, LEAD]), Some(LEAD));
        assert_eq!(deepest(&whole, [ALTERNATE, STRANGER]), None);
    }
}
