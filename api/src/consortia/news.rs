//! Who is told what: exactly those who see it, by [`super::sight`].

use serde_json::json;
use uuid::Uuid;

use super::machine::{Ending, Happened, Standing};
use super::whole::Whole;
use crate::events::{EventType, News};

/// The news of what led from one state of a consortium to another.
#[must_use]
pub fn of(before: &Whole, after: &Whole, happened: &[Happened]) -> Vec<News> {
    happened.iter().flat_map(|one| told(before, after, *one)).collect()
}

/// Those who have accepted.
fn members(whole: &Whole) -> Vec<Uuid> {
    let members = whole.state.members.iter().filter(|(_, own)| own.standing == Standing::Accepted);
    members.map(|(id, _)| *id).collect()
}

/// Those who are invited and whose terms are other ones now.
fn asked_anew(before: &Whole, after: &Whole) -> Vec<Uuid> {
    let invited = after.state.members.iter().filter(|(_, own)| own.standing == Standing::Invited);
    let changed = invited.filter(|(id, own)| before.state.members.get(id).is_some_and(|was| was.terms != own.terms));
    changed.map(|(id, _)| *id).collect()
}

fn told(before: &Whole, after: &Whole, happened: Happened) -> Vec<News> {
    let lead = after.state.lead;
    let news = |kind, audience: Vec<Uuid>, about: Option<Uuid>| {
        let news = News::of(kind, "consortium", after.id, audience);
        match about {
            Some(organisation) => news.with(json!({ "call": after.call, "organisation": organisation })),
            None => news.with(json!({ "call": after.call })),
        }
    };
    let with = |mut some: Vec<Uuid>, one: Uuid| {
        some.push(one);
        some
    };
    match happened {
        Happened::Invited(id) => vec![news(EventType::ConsortiumInvited, vec![id], None)],
        Happened::Promoted { organisation, .. } => vec![
            news(EventType::ConsortiumInvited, vec![organisation], None),
            news(EventType::ConsortiumPromoted, vec![lead], Some(organisation)),
        ],
        // An alternate knows nothing, and the lead has done it itself.
        Happened::StandsBy(_) | Happened::StandsDown(_) => vec![],
        Happened::Accepted(id) => vec![news(EventType::ConsortiumAccepted, members(after), Some(id))],
        Happened::Declined(id) => vec![news(EventType::ConsortiumDeclined, vec![lead], Some(id))],
        Happened::Expired(id) => vec![news(EventType::ConsortiumExpired, vec![lead, id], Some(id))],
        Happened::Rescinded(id) if before.standing(id) == Some(Standing::Accepted) => {
            vec![news(EventType::ConsortiumRescinded, with(members(after), id), Some(id))]
        }
        Happened::Rescinded(id) => vec![news(EventType::ConsortiumRescinded, vec![id], Some(id))],
        Happened::Left(id) => vec![news(EventType::ConsortiumLeft, members(after), Some(id))],
        Happened::AsksAgain(id) => vec![news(EventType::ConsortiumAskedAgain, vec![lead], Some(id))],
        Happened::Changed => {
            let audience = [members(after), asked_anew(before, after)].concat();
            vec![news(EventType::ConsortiumChanged, audience, None)]
        }
        Happened::Signed(id) => vec![news(EventType::ConsortiumSigned, members(after), Some(id))],
        Happened::Agreed => vec![news(EventType::ConsortiumAgreed, members(after), None)],
        Happened::Filed => vec![news(EventType::ConsortiumFiled, members(after), None)],
        Happened::Withdrawn => vec![news(EventType::ConsortiumWithdrawn, members(after), None)],
        Happened::Closed => vec![news(EventType::ConsortiumClosed, members(after), None)],
        Happened::Awarded => vec![news(EventType::ConsortiumAwarded, members(after), None)],
        Happened::Ended(Ending::Abandoned | Ending::LeadUnable) => {
            vec![news(EventType::ConsortiumDissolved, members(after), None)]
        }
        Happened::Ended(_) => vec![news(EventType::ConsortiumEnded, members(after), None)],
    }
}
