//! Queries on terms.

use std::collections::BTreeSet;

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{ActiveModel, Column, Entity, Model};
use super::{NewTerm, Term, Vocabulary};
use crate::database::now;
use crate::page::Slice;

/// The term as the API shows it.
#[must_use]
pub fn view(row: Model) -> Term {
    let Model { id: _, vocabulary: _, code, parent_id, label_en, label_fr, crosswalks, version, updated_at } = row;
    let parent = parent_id.and_then(|key| key.split_once('/').map(|(_, code)| code.to_owned()));
    Term { code, version, updated_at, value: NewTerm { parent, label_en, label_fr, crosswalks } }
}

/// Up to `slice.limit` terms of a vocabulary, by code. One query.
pub async fn page(db: &impl ConnectionTrait, vocabulary: Vocabulary, slice: &Slice) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().filter(Column::Vocabulary.eq(vocabulary.name())).order_by_asc(Column::Code);
    if let Some(after) = &slice.after {
        query = query.filter(Column::Code.gt(after));
    }
    query.limit(slice.limit).all(db).await
}

/// Every term of a vocabulary, by code. One query.
pub async fn all(db: &impl ConnectionTrait, vocabulary: Vocabulary) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Vocabulary.eq(vocabulary.name())).order_by_asc(Column::Code).all(db).await
}

/// One term. One query.
pub async fn find(db: &impl ConnectionTrait, vocabulary: Vocabulary, code: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(vocabulary.key(code)).one(db).await
}

/// Which of these codes exist. One query.
pub async fn existing<'a>(
    db: &impl ConnectionTrait,
    vocabulary: Vocabulary,
    codes: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<String>, DbErr> {
    let keys: BTreeSet<String> = codes.into_iter().map(|code| vocabulary.key(code)).collect();
    if keys.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = Entity::find().filter(Column::Id.is_in(keys)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.code).collect())
}

fn row(vocabulary: Vocabulary, code: &str, term: &NewTerm, version: i64) -> ActiveModel {
    ActiveModel {
        id: Set(vocabulary.key(code)),
        vocabulary: Set(vocabulary.name().to_owned()),
        code: Set(code.to_owned()),
        parent_id: Set(term.parent.as_deref().map(|parent| vocabulary.key(parent))),
        label_en: Set(term.label_en.clone()),
        label_fr: Set(term.label_fr.clone()),
        crosswalks: Set(term.crosswalks.clone()),
        version: Set(version),
        updated_at: Set(now()),
    }
}

/// Writes a term that does not exist. One query.
pub async fn insert(
    db: &impl ConnectionTrait,
    vocabulary: Vocabulary,
    code: &str,
    term: &NewTerm,
) -> Result<Model, DbErr> {
    Entity::insert(row(vocabulary, code, term, 1)).exec_with_returning(db).await
}

/// Replaces the given version of a term; `false` where it is gone or has changed. One query.
pub async fn replace(
    db: &impl ConnectionTrait,
    vocabulary: Vocabulary,
    code: &str,
    term: &NewTerm,
    version: i64,
) -> Result<bool, DbErr> {
    let done = Entity::update_many()
        .set(row(vocabulary, code, term, version + 1))
        .filter(Column::Id.eq(vocabulary.key(code)))
        .filter(Column::Version.eq(version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Deletes the given version of a term; `false` where it is gone or has changed. One query.
pub async fn delete(
    db: &impl ConnectionTrait,
    vocabulary: Vocabulary,
    code: &str,
    version: i64,
) -> Result<bool, DbErr> {
    let done = Entity::delete_many()
        .filter(Column::Id.eq(vocabulary.key(code)))
        .filter(Column::Version.eq(version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// The chain of parents from `code` upwards, itself first. One query per level.
pub async fn ancestry(db: &impl ConnectionTrait, vocabulary: Vocabulary, code: &str) -> Result<Vec<String>, DbErr> {
    let mut chain = vec![code.to_owned()];
    let mut next = find(db, vocabulary, code).await?.and_then(|row| view(row).value.parent);
    while let Some(parent) = next.filter(|parent| !chain.contains(parent)) {
        next = find(db, vocabulary, &parent).await?.and_then(|row| view(row).value.parent);
        chain.push(parent);
    }
    Ok(chain)
}

/// Writes the terms that the product ships into an empty table; does nothing elsewhere.
///
/// # Errors
/// The database's.
pub async fn seed(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    if Entity::find().count(db).await? > 0 {
        return Ok(());
    }
    let shipped = super::shipped::shipped().map_err(|error| DbErr::Custom(error.to_string()))?;
    let lists = [
        (Vocabulary::Services, &shipped.services),
        (Vocabulary::Publics, &shipped.publics),
        (Vocabulary::Modalities, &shipped.modalities),
    ];
    for (vocabulary, terms) in lists {
        for term in terms {
            let new = NewTerm {
                parent: term.parent.clone(),
                label_en: term.label_en.clone(),
                label_fr: term.label_fr.clone(),
                crosswalks: super::Crosswalks {
                    mediation_numerique: term.mediation_numerique.clone(),
                    data_inclusion: term.data_inclusion.clone(),
                    cpv: term.cpv.clone(),
                },
            };
            insert(db, vocabulary, &term.code, &new).await?;
        }
    }
    Ok(())
}
