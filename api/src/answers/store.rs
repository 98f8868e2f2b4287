//! Queries on what an answer names.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::assemble::Names;
use crate::calls::NewCall;
use crate::vocabularies::{self, Vocabulary};
use crate::{organisations, territories};

/// What the ids and codes of an answer to a call stand for. Seven queries.
pub async fn names(
    db: &impl ConnectionTrait,
    call: &NewCall,
    members: impl IntoIterator<Item = Uuid>,
) -> Result<Names, DbErr> {
    let organisations = members.into_iter().chain([call.funder]).collect::<BTreeSet<_>>();
    let organisations = organisations::store::several(db, organisations).await?;
    let needs = || call.lots.iter().flat_map(|lot| &lot.needs);
    Ok(Names {
        organisations: organisations.into_iter().map(|own| (own.id, own)).collect(),
        services: labels(db, Vocabulary::Services).await?,
        publics: labels(db, Vocabulary::Publics).await?,
        territories: territories::store::names(db, needs().map(|need| need.territory.as_str()).collect()).await?,
    })
}

async fn labels(db: &impl ConnectionTrait, vocabulary: Vocabulary) -> Result<BTreeMap<String, String>, DbErr> {
    let terms = vocabularies::store::all(db, vocabulary).await?;
    Ok(terms.into_iter().map(|term| (term.code, term.label_fr)).collect())
}
