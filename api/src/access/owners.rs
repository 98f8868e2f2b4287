//! Whose sealed data a computation may read.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::identity::entity::membership;

/// The organisations in whose name something is asked: nobody else's sealed data can be loaded for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// One organisation.
    One(Uuid),
    /// Those in the care of the platform, since nobody has claimed them.
    Unclaimed,
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
            Self::Unclaimed => {
                let claimed = membership::Entity::find().select_only().column(membership::Column::OrganisationId);
                all.add(organisation.not_in_subquery(claimed.into_query()))
            }
        }
    }
}
