//! What somebody sees of a framework.
//!
//! | who | sees |
//! |---|---|
//! | the lead | everybody whom it has asked, with their answers |
//! | a member that stays | the others that stay |
//! | whoever has not answered, or left | the lead, and itself |
//! | everybody else | nothing: there is no such framework |
//!
//! What the last but one read does not change with what others do, not even its version.

use uuid::Uuid;

use super::entity::{Parts, member};
use super::store::Whole;
use super::{Framework, FrameworkMember, FrameworkSummary, Standing};

/// How much somebody sees, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What it was asked.
    Asked,
    /// Those who stay.
    Member,
    /// Everybody.
    Lead,
}

/// How much an organisation sees; nothing where it is not to know.
#[must_use]
pub fn depth(whole: &Whole, reader: Uuid) -> Option<Depth> {
    Some(match whole.standing(reader)? {
        Standing::Accepted if reader == whole.row.lead_id => Depth::Lead,
        Standing::Accepted => Depth::Member,
        Standing::Asked | Standing::Left => Depth::Asked,
    })
}

/// Which of some organisations sees most.
#[must_use]
pub fn deepest(whole: &Whole, readers: impl IntoIterator<Item = Uuid>) -> Option<Uuid> {
    let seeing = readers.into_iter().filter_map(|reader| Some((depth(whole, reader)?, reader)));
    seeing.max_by_key(|(depth, reader)| (*depth, std::cmp::Reverse(*reader))).map(|(_, reader)| reader)
}

/// The version that a reader is told: who does not belong to it sees its own answers and the end, not what others do.
#[must_use]
pub fn version(whole: &Whole, reader: Uuid) -> i64 {
    if depth(whole, reader) >= Some(Depth::Member) {
        return whole.row.version;
    }
    let own = whole.members.get(&reader).map_or(0, |own| i64::from(own.answers));
    1 + own + i64::from(whole.row.ended_at.is_some())
}

/// The members that somebody sees, the lead first, then by id.
pub fn members(whole: &Whole, reader: Uuid) -> Vec<&member::Model> {
    let depth = depth(whole, reader);
    let shown = |own: &&member::Model| {
        let is_named = own.organisation_id == reader || own.organisation_id == whole.row.lead_id;
        match depth {
            Some(Depth::Lead) => true,
            Some(Depth::Member) => is_named || own.standing == Standing::Accepted,
            Some(Depth::Asked) => is_named,
            None => false,
        }
    };
    let mut members: Vec<&member::Model> = whole.members.values().filter(shown).collect();
    members.sort_by_key(|own| (own.organisation_id != whole.row.lead_id, own.organisation_id));
    members
}

/// What an organisation sees; nothing where there is nothing for it.
#[must_use]
pub fn view(whole: &Whole, reader: Uuid) -> Option<Framework> {
    let standing = whole.standing(reader)?;
    let members = members(whole, reader).into_iter().cloned().map(|own| {
        let member::Model { framework_id: _, organisation_id, role, standing, answers: _, parts: Parts(parts), kept } =
            own;
        FrameworkMember { organisation: organisation_id, role, standing, parts, kept }
    });
    Some(Framework {
        id: whole.row.id,
        version: version(whole, reader),
        seen_as: reader,
        standing,
        lead: whole.row.lead_id,
        name: whole.row.name.clone(),
        consortium: whole.row.consortium_id,
        call: whole.row.call_id,
        months: whole.row.months,
        kept_in: whole.row.kept_in,
        kept_at: whole.row.created_at,
        ended_at: whole.row.ended_at,
        members: members.collect(),
    })
}

/// The same in a list.
#[must_use]
pub fn summary(whole: &Whole, reader: Uuid) -> Option<FrameworkSummary> {
    Some(FrameworkSummary {
        id: whole.row.id,
        seen_as: reader,
        standing: whole.standing(reader)?,
        lead: whole.row.lead_id,
        name: whole.row.name.clone(),
        kept_at: whole.row.created_at,
        ended_at: whole.row.ended_at,
    })
}
