//! Whose sealed data a computation may read.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::identity::entity::membership;

/// The organisations in whose name something is asked: nobody else's sealed data can be loaded for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owners {
    /// One organisation.
    One(Uuid),
    /// Those in the care of the platform, since nobody has claimed them.
    Unclaimed,
    /// Several, each of which has agreed to it.
    Together(Everyone),
}

/// Organisations that have all agreed to reckon with what each of them keeps sealed. There is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Everyone(BTreeSet<Uuid>);

impl Everyone {
    /// All of these; nothing unless each is among those who have agreed.
    #[must_use]
    pub fn of(members: impl IntoIterator<Item = Uuid>, agreed: &BTreeSet<Uuid>) -> Option<Self> {
        let members: BTreeSet<Uuid> = members.into_iter().collect();
        members.is_subset(agreed).then_some(Self(members))
    }

    /// Which they are, by id.
    pub fn members(&self) -> impl Iterator<Item = Uuid> {
        self.0.iter().copied()
    }
}

impl Owners {
    /// Of whoever asks: an organisation, or the platform.
    #[must_use]
    pub fn of(asker: Option<Uuid>) -> Self {
        asker.map_or(Self::Unclaimed, Self::One)
    }

    /// Their rows, by the column that names whose a row is.
    pub fn among(self, organisation: impl ColumnTrait) -> Condition {
        let all = Condition::all();
        match self {
            Self::One(id) => all.add(organisation.eq(id)),
            Self::Together(Everyone(ids)) => all.add(organisation.is_in(ids)),
            Self::Unclaimed => {
                let claimed = membership::Entity::find().select_only().column(membership::Column::OrganisationId);
                all.add(organisation.not_in_subquery(claimed.into_query()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_taken_along_who_has_not_agreed() {
        let ids = [1, 2, 3].map(Uuid::from_u128);
        let agreed = BTreeSet::from([ids[0], ids[1]]);
        assert_eq!(Everyone::of(ids, &agreed), None);
        let both =
            Everyone::of([ids[1], ids[0]], &agreed).into_iter().flat_map(|all| all.members().collect::<Vec<_>>());
        assert_eq!(both.collect::<Vec<_>>(), [ids[0], ids[1]]);
    }
}
