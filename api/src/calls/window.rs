//! What a computation sees of the market: everything public, and what is sealed of whoever asks.
//!
//! The market is read through a [`Window`] only. It has no connection to give away and no query for the sealed data of others, so that
//! what an organisation is proposed cannot depend on what others keep to themselves, neither in its numbers nor in its order
//! (non-interference; Goguen and Meseguer, 1982).

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::access::{Everyone, Owners};
use crate::capabilities::store::{Offer, Terms};
use crate::organisations::profile::{Finances, Profile, Tie};
use crate::relations::Relation;
use crate::vocabularies::Vocabulary;
use crate::{capabilities, organisations, relations, reservations, territories, vocabularies};

/// A view of the market from where somebody stands.
pub struct Window<'a, C> {
    db: &'a C,
    owners: Owners,
}

impl<'a, C: ConnectionTrait> Window<'a, C> {
    /// The view of an organisation, or of the platform.
    pub fn new(db: &'a C, asker: Option<Uuid>) -> Self {
        Self { db, owners: Owners::of(asker) }
    }

    /// The view of organisations that have all agreed to reckon with each other's costs and capacities. What is each one's own even
    /// among partners, its cash, its turnover and its reservations, is nobody's here.
    pub fn together(db: &'a C, everyone: Everyone) -> Self {
        Self { db, owners: Owners::Together(everyone) }
    }

    /// What everybody may know of organisations.
    pub async fn profiles(&self) -> Result<Vec<Profile>, DbErr> {
        organisations::profile::all(self.db).await
    }

    /// What everybody may know of capabilities.
    pub async fn offers(&self) -> Result<Vec<Offer>, DbErr> {
        capabilities::store::offers(self.db).await
    }

    /// The organisations with a capability that names one of some territories.
    pub async fn present_in(&self, territories: &[&str]) -> Result<BTreeSet<Uuid>, DbErr> {
        capabilities::store::present_in(self.db, territories).await
    }

    /// Which organisations share certificates or people.
    pub async fn ties(&self) -> Result<Vec<Tie>, DbErr> {
        organisations::profile::ties(self.db).await
    }

    /// What everybody may know of some organisations.
    pub async fn profiles_of(&self, organisations: &[Uuid]) -> Result<Vec<Profile>, DbErr> {
        organisations::profile::of(self.db, organisations).await
    }

    /// What everybody may know of some organisations and of those that they are linked with.
    pub async fn profiles_around(&self, organisations: &[Uuid]) -> Result<Vec<Profile>, DbErr> {
        organisations::profile::around(self.db, organisations).await
    }

    /// What everybody may know of the capabilities of some organisations.
    pub async fn offers_of(&self, organisations: &[Uuid]) -> Result<Vec<Offer>, DbErr> {
        capabilities::store::offers_of(self.db, organisations).await
    }

    /// Who knows whom, as declared.
    pub async fn relations(&self) -> Result<Vec<Relation>, DbErr> {
        relations::store::all(self.db).await
    }

    /// Which of some organisations know each other, as declared.
    pub async fn relations_among(&self, organisations: &[Uuid]) -> Result<Vec<Relation>, DbErr> {
        relations::store::among(self.db, organisations).await
    }

    /// Every territory.
    pub async fn territories(&self) -> Result<Vec<territories::entity::Model>, DbErr> {
        territories::store::all(self.db).await
    }

    /// Every term of a vocabulary.
    pub async fn terms(&self, vocabulary: Vocabulary) -> Result<Vec<vocabularies::entity::Model>, DbErr> {
        vocabularies::store::all(self.db, vocabulary).await
    }

    /// What the asker's own capabilities can do and cost.
    pub async fn own_terms(&self) -> Result<BTreeMap<Uuid, Terms>, DbErr> {
        capabilities::store::terms_of(self.db, self.owners.clone()).await
    }

    /// The asker's own turnover and cash.
    pub async fn own_finances(&self) -> Result<BTreeMap<Uuid, Finances>, DbErr> {
        if matches!(self.owners, Owners::Together(_)) {
            return Ok(BTreeMap::new());
        }
        organisations::profile::finances_of(self.db, self.owners.clone()).await
    }

    /// Whom the asker would rather not work with.
    pub async fn own_reservations(&self) -> Result<Vec<(Uuid, Uuid)>, DbErr> {
        if matches!(self.owners, Owners::Together(_)) {
            return Ok(Vec::new());
        }
        reservations::store::of(self.db, self.owners.clone()).await
    }
}
