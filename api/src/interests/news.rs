//! Whom the events of an interest are told to: those who may see it, and those who could until now.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use super::{Audience, NewInterest};
use crate::audit::Recorded;
use crate::events::{EventType, News};

/// Who learns of an interest.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Readers {
    Everybody,
    Some(BTreeSet<Uuid>),
}

impl Readers {
    /// Of an interest in a call of this funder; nobody where there is no interest.
    fn of(interest: Option<&NewInterest>, funder: Uuid) -> Self {
        let Some(NewInterest { organisation, audience, chosen, .. }) = interest else {
            return Self::Some(BTreeSet::new());
        };
        let others = match audience {
            Audience::Nobody => Vec::new(),
            Audience::Funder => vec![funder],
            Audience::Chosen => chosen.clone(),
            Audience::Registered => return Self::Everybody,
        };
        Self::Some(others.into_iter().chain([*organisation]).collect())
    }

    fn without(&self, others: &Self) -> Self {
        match (self, others) {
            (Self::Some(own), Self::Some(others)) => Self::Some(own - others),
            (Self::Everybody, Self::Some(_)) => Self::Everybody,
            (_, Self::Everybody) => Self::Some(BTreeSet::new()),
        }
    }

    fn among(&self, others: &Self) -> Self {
        match (self, others) {
            (Self::Everybody, own) | (own, Self::Everybody) => own.clone(),
            (Self::Some(own), Self::Some(others)) => Self::Some(own & others),
        }
    }
}

/// What happened, told of an interest that was `before` and is `after`. Whoever could see it and no longer may is told that it is
/// withdrawn, whoever may from now on that it is declared: to each as if nobody else were told.
pub fn told(
    recorded: Recorded,
    id: Uuid,
    funder: Uuid,
    before: Option<&NewInterest>,
    after: Option<&NewInterest>,
) -> Recorded {
    let Some(interest) = after.or(before) else { return recorded };
    let (were, are) = (Readers::of(before, funder), Readers::of(after, funder));
    let data = json!({ "call": interest.call, "organisation": interest.organisation });
    let all = [
        (EventType::InterestWithdrawn, were.without(&are)),
        (EventType::InterestDeclared, are.without(&were)),
        (EventType::InterestChanged, were.among(&are)),
    ];
    all.into_iter().fold(recorded, |recorded, (kind, readers)| {
        let news = match readers {
            Readers::Everybody => News::of(kind, "interest", id, [interest.organisation]).to_everybody(),
            Readers::Some(some) if some.is_empty() => return recorded,
            Readers::Some(some) => News::of(kind, "interest", id, some),
        };
        recorded.telling(news.with(data.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interest(audience: Audience, chosen: &[u128]) -> NewInterest {
        NewInterest {
            call: Uuid::from_u128(100),
            organisation: Uuid::from_u128(1),
            lots: Vec::new(),
            message: None,
            audience,
            chosen: chosen.iter().copied().map(Uuid::from_u128).collect(),
        }
    }

    fn some(ids: &[u128]) -> Readers {
        Readers::Some(ids.iter().copied().map(Uuid::from_u128).collect())
    }

    /// Told that it is withdrawn, declared, changed.
    fn changes(before: Option<&NewInterest>, after: Option<&NewInterest>) -> [Readers; 3] {
        let funder = Uuid::from_u128(9);
        let (were, are) = (Readers::of(before, funder), Readers::of(after, funder));
        [were.without(&are), are.without(&were), were.among(&are)]
    }

    #[test]
    fn each_is_told_what_changes_for_it() {
        let funded = interest(Audience::Funder, &[]);
        let chosen = interest(Audience::Chosen, &[2, 3]);
        let open = interest(Audience::Registered, &[]);
        let nobody = interest(Audience::Nobody, &[]);
        assert_eq!(changes(None, Some(&chosen)), [some(&[]), some(&[1, 2, 3]), some(&[])]);
        assert_eq!(changes(Some(&chosen), Some(&funded)), [some(&[2, 3]), some(&[9]), some(&[1])]);
        assert_eq!(changes(Some(&funded), Some(&nobody)), [some(&[9]), some(&[]), some(&[1])]);
        assert_eq!(changes(Some(&open), Some(&open)), [some(&[]), some(&[]), Readers::Everybody]);
        assert_eq!(changes(Some(&open), None), [Readers::Everybody, some(&[]), some(&[])]);
    }
}
