//! How everything that is done to a consortium begins and ends.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::entity::signature;
use super::machine::{Event, Happened, Refusal, Who};
use super::sight::{self, Depth};
use super::whole::Whole;
use super::{Consortium, news, store};
use crate::access::{Caller, Role};
use crate::audit::Recorded;
use crate::calls::{self, Call};
use crate::database::clock;
use crate::organisations;
use crate::problem::{Kind, Problem};
use crate::resource::etagged;

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = if refusal == Refusal::NotLead { Kind::Forbidden } else { Kind::Conflict };
        Self::new(kind).because(refusal.to_string())
    }
}

/// A consortium in the hands of somebody, in a transaction that nobody else changes it in.
pub struct Acting {
    /// As it was last written.
    before: Whole,
    /// As it is.
    pub whole: Whole,
    /// What has happened since the last write.
    happened: Vec<Happened>,
    /// The time, by the database's clock.
    pub now: DateTime<Utc>,
    /// Who acts.
    who: Who,
}

impl Acting {
    /// Takes a consortium for an organisation that has a membership of it. Six queries.
    ///
    /// # Errors
    /// 404 where the caller or the organisation does not know of it, 403 where their role does not suffice.
    pub async fn of_member(
        tx: &impl ConnectionTrait,
        caller: &Caller,
        id: Uuid,
        organisation: Uuid,
    ) -> Result<Self, Problem> {
        let acting = Self::take(tx, id, Who::Organisation(organisation)).await?;
        if sight::depth(&acting.whole, organisation).is_none() {
            return Err(Problem::not_found());
        }
        caller.require_inside(tx, organisation, Role::Editor).await?;
        Ok(acting)
    }

    /// Takes a consortium for its lead. Up to seven queries.
    ///
    /// # Errors
    /// 404 where the caller does not know of it, 403 where they do and do not lead it.
    pub async fn of_lead(tx: &impl ConnectionTrait, caller: &Caller, id: Uuid) -> Result<Self, Problem> {
        let mut acting = Self::take(tx, id, Who::Service).await?;
        let lead = acting.whole.state.lead;
        if caller.may(tx, lead, Role::Editor).await? {
            acting.who = Who::Organisation(lead);
            return Ok(acting);
        }
        let knows = own_sight(tx, caller, &acting.whole).await?.is_some();
        Err(if knows { Refusal::NotLead.into() } else { Problem::not_found() })
    }

    /// Takes a consortium for the service: what follows from what the funder does, who was asked before whether it may. Four queries.
    ///
    /// # Errors
    /// 404 where there is no such consortium.
    pub async fn of_service(tx: &impl ConnectionTrait, id: Uuid) -> Result<Self, Problem> {
        Self::take(tx, id, Who::Service).await
    }

    async fn take(tx: &impl ConnectionTrait, id: Uuid, who: Who) -> Result<Self, Problem> {
        if !store::lock(tx, id).await? {
            return Err(Problem::not_found());
        }
        let now = clock(tx).await?;
        let before = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
        let (whole, happened) = before.clone().at(now);
        Ok(Self { before, whole, happened, now, who })
    }

    /// Has something happen.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn done(&mut self, event: &Event) -> Result<(), Refusal> {
        let (whole, happened) = self.whole.clone().after(event, self.who, self.now)?;
        self.whole = whole;
        self.happened.extend(happened);
        Ok(())
    }

    /// In whose name; nobody's where the service acts.
    #[must_use]
    pub fn organisation(&self) -> Option<Uuid> {
        match self.who {
            Who::Organisation(id) => Some(id),
            Who::Service => None,
        }
    }

    /// The version that its `ETag` names for whoever acts.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.organisation().map_or(self.whole.version, |id| sight::version(&self.whole, id))
    }

    /// Keeps what was done; gives what to record of it, with the news for all who may know. Five queries.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep(&mut self, tx: &impl ConnectionTrait) -> Result<Recorded, DbErr> {
        store::save(tx, &mut self.whole).await?;
        let recorded =
            Recorded::of("consortium", self.whole.id).concerning(self.organisation()).version(self.version());
        let news = news::of(&self.before, &self.whole, &self.happened);
        Ok(news.into_iter().fold(recorded, Recorded::telling))
    }

    /// What whoever acts sees now, with its `ETag`. Up to four queries.
    ///
    /// # Errors
    /// 404 where the service acts, which sees nothing by itself; the database's.
    pub async fn answer(&self, tx: &impl ConnectionTrait, caller: &Caller) -> Result<HttpResponse, Problem> {
        let reader = self.organisation().ok_or_else(Problem::not_found)?;
        let seen = seen(tx, caller, &self.whole, reader).await?;
        Ok(etagged(seen.version, &seen))
    }
}

/// As which of their organisations the caller sees a consortium; nothing where they do not. At most one query.
///
/// # Errors
/// The database's.
pub async fn own_sight(db: &impl ConnectionTrait, caller: &Caller, whole: &Whole) -> Result<Option<Uuid>, DbErr> {
    let own = caller.own_among(db, whole.details.keys().copied()).await?;
    Ok(sight::deepest(whole, own))
}

/// What an organisation sees of a consortium. It is noted that the caller is shown its amounts, and those that others share with it.
/// Four queries at most.
///
/// # Errors
/// 404 where it sees nothing.
pub async fn seen(
    db: &impl ConnectionTrait,
    caller: &Caller,
    whole: &Whole,
    reader: Uuid,
) -> Result<Consortium, Problem> {
    let mut contacts = BTreeMap::new();
    if sight::depth(whole, reader) >= Some(Depth::Member) {
        let ids: Vec<Uuid> = whole.in_plan().map(|(id, _)| id).collect();
        contacts = organisations::store::contacts(db, &ids).await?;
    }
    let view = sight::view(whole, reader, &contacts)?.ok_or_else(Problem::not_found)?;
    caller.saw("consortium", whole.id, Some(reader));
    // Salts come with the amounts of members. What was offered to others is the lead's own.
    for other in view.members.iter().filter(|other| other.organisation != reader && other.salt.is_some()) {
        caller.saw("consortium", whole.id, Some(other.organisation));
    }
    Ok(view)
}

/// Who has signed the present version, when and through whom. One query.
///
/// # Errors
/// The database's.
pub async fn signatures(db: &impl ConnectionTrait, whole: &Whole) -> Result<Vec<signature::Model>, DbErr> {
    store::signatures(db, whole.id, whole.state.plan).await
}

/// The call of a consortium. Three queries.
///
/// # Errors
/// The database's.
pub async fn call_of(db: &impl ConnectionTrait, whole: &Whole) -> Result<Call, Problem> {
    calls::store::find(db, whole.call).await?.ok_or_else(|| Problem::internal("a consortium without its call"))
}

/// A consortium for whoever may read it, as it is at this moment, without a lock. Up to nine queries.
///
/// # Errors
/// 404 where the caller does not know of it.
pub async fn readable(
    db: &impl ConnectionTrait,
    caller: &Caller,
    id: Uuid,
    named: Option<Uuid>,
) -> Result<(Whole, Uuid), Problem> {
    let whole = store::find(db, id).await?.ok_or_else(Problem::not_found)?;
    let (whole, _) = whole.at(clock(db).await?);
    let own = caller.own_among(db, whole.details.keys().copied()).await?;
    let own = own.into_iter().filter(|id| named.is_none_or(|named| named == *id));
    let reader = sight::deepest(&whole, own).ok_or_else(Problem::not_found)?;
    Ok((whole, reader))
}
