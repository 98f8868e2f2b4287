//! What history teaches: who wins a contract together has worked together.

use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;
use uuid::Uuid;

use super::routes::recorded;
use super::{NewRelation, RelationKind, store};
use crate::audit::Recorded;
use crate::calls::Call;
use crate::consortia::Role;
use crate::consortia::machine::Standing;
use crate::consortia::whole::Whole;

/// How well two know each other after their first contract.
const FIRST: i16 = 60;
/// How much better after each further one; 100 is the most.
const FURTHER: i16 = 20;

/// Notes that a consortium has won a contract: each two members that it binds are related by [`RelationKind::CoContracting`], the more
/// strongly the more contracts they have won. Subcontractors and those who lend a certificate are no members, and the public does not learn
/// of them. One query for each two; gives what to record.
///
/// What somebody wrote of a relation stays, but that it has ended: its first day and its source are completed where they are open.
///
/// # Errors
/// The database's.
pub async fn won(tx: &impl ConnectionTrait, whole: &Whole, call: &Call, on: NaiveDate) -> Result<Vec<Recorded>, DbErr> {
    let title: String = call.value.written.title.chars().take(400).collect();
    let source = format!("{title} ({})", call.id);
    let mut records = Vec::new();
    for (a, b) in pairs(&bound(whole)) {
        let new = NewRelation {
            a,
            b,
            kind: RelationKind::CoContracting,
            strength_percent: FIRST,
            source: Some(source.clone()),
            since: Some(on),
            until: None,
        };
        let relation = store::strengthen(tx, &new, FURTHER).await?;
        let details = json!({ "call": call.id, "consortium": whole.id });
        records.push(recorded(&relation).version(relation.version).with(details));
    }
    Ok(records)
}

/// The members of the group that a version of its plan binds, by id.
fn bound(whole: &Whole) -> Vec<Uuid> {
    let members = whole.state.members.iter().filter(|(id, own)| {
        let helps = whole.details.get(id).is_none_or(|own| matches!(own.role, Role::Subcont | Role::Oeron));
        own.standing == Standing::Accepted && own.bound.is_some() && !helps
    });
    members.map(|(id, _)| *id).collect()
}

/// Each two, the smaller id first.
fn pairs(ids: &[Uuid]) -> Vec<(Uuid, Uuid)> {
    let with_later = ids.iter().enumerate().flat_map(|(place, a)| ids[place + 1..].iter().map(move |b| (*a, *b)));
    with_later.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_two_meet_once() {
        let ids: Vec<Uuid> = (1..=4).map(Uuid::from_u128).collect();
        let found: Vec<(u128, u128)> = pairs(&ids).into_iter().map(|(a, b)| (a.as_u128(), b.as_u128())).collect();
        assert_eq!(found, [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]);
        assert!(pairs(&ids[..1]).is_empty());
    }
}
