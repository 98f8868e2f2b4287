//! Queries on identity.

use std::collections::BTreeMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, PaginatorTrait as _, QueryFilter, QuerySelect,
    RelationDef,
};
use uuid::Uuid;

use super::entity::{api_key, membership, person, session};
use super::{Member, Person};
use crate::access::{Caller, Principal, Role, Scopes};
use crate::database::now;

/// Who holds a key, by what is kept of its secret; `None` where it is void. One query.
///
/// # Errors
/// The database's.
pub async fn caller_of_key(db: &impl ConnectionTrait, digest: &str) -> Result<Option<Caller>, DbErr> {
    let key = api_key::Entity::find().filter(api_key::Column::Digest.eq(digest)).one(db).await?;
    let key = key.filter(|key| key.revoked_at.is_none() && key.expires_at > now());
    Ok(key.map(|key| {
        let memberships = key.organisation_id.map(|organisation| (organisation, key.role)).into_iter().collect();
        Caller::new(Principal::Key(key.id), memberships, key.organisation_id.is_none(), key.scopes)
    }))
}

/// Who has signed in, by what is kept of the session's secret; `None` where it is over. One query.
///
/// # Errors
/// The database's.
pub async fn caller_of_session(db: &impl ConnectionTrait, digest: &str) -> Result<Option<Caller>, DbErr> {
    let to_person: RelationDef =
        session::Entity::belongs_to(person::Entity).from(session::Column::PersonId).to(person::Column::Id).into();
    let to_memberships: RelationDef = session::Entity::belongs_to(membership::Entity)
        .from(session::Column::PersonId)
        .to(membership::Column::PersonId)
        .into();
    let rows = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .column(session::Column::PersonId)
        .column(person::Column::Administrator)
        .column(membership::Column::OrganisationId)
        .column(membership::Column::Role)
        .join(JoinType::InnerJoin, to_person)
        .join(JoinType::LeftJoin, to_memberships)
        .filter(session::Column::Digest.eq(digest))
        .filter(session::Column::ExpiresAt.gt(now()));
    let rows: Vec<(Uuid, Uuid, bool, Option<Uuid>, Option<Role>)> = rows.into_tuple().all(db).await?;
    let memberships: BTreeMap<Uuid, Role> = rows.iter().filter_map(|row| row.3.zip(row.4)).collect();
    Ok(rows.first().map(|&(session, person, administrator, ..)| {
        Caller::new(Principal::Person { person, session }, memberships, administrator, Scopes::all())
    }))
}

/// A person. One query.
///
/// # Errors
/// The database's.
pub async fn person(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<person::Model>, DbErr> {
    person::Entity::find_by_id(id).one(db).await
}

/// A person, by their address. One query.
///
/// # Errors
/// The database's.
pub async fn person_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<person::Model>, DbErr> {
    person::Entity::find().filter(person::Column::Email.eq(normalised(email))).one(db).await
}

/// An address as it is kept: two that differ in case only are one.
#[must_use]
pub fn normalised(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Who a person is, and how they show it.
pub struct NewPerson {
    /// Their address.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What is kept of their password.
    pub password_hash: Option<String>,
    /// The provider that vouches for them, and by what it knows them.
    pub provider: Option<(String, String)>,
    /// Whether they run the platform.
    pub administrator: bool,
}

/// Writes a person who does not exist; gives their id. One query.
///
/// # Errors
/// The database's: of an address that is taken, too.
pub async fn insert_person(db: &impl ConnectionTrait, new: NewPerson) -> Result<Uuid, DbErr> {
    let (id, now) = (Uuid::now_v7(), now());
    let (issuer, subject) = new.provider.unzip();
    let row = person::ActiveModel {
        id: Set(id),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        email: Set(normalised(&new.email)),
        name: Set(new.name),
        password_hash: Set(new.password_hash),
        oidc_issuer: Set(issuer),
        oidc_subject: Set(subject),
        administrator: Set(new.administrator),
    };
    person::Entity::insert(row).exec_without_returning(db).await?;
    Ok(id)
}

/// A person as the API shows them.
pub fn view(row: person::Model) -> Person {
    let person::Model { id, email, name, .. } = row;
    Person { id, email, name }
}

/// People, by id. One query.
///
/// # Errors
/// The database's.
pub async fn people(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, Person>, DbErr> {
    let rows = person::Entity::find().filter(person::Column::Id.is_in(ids)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id, view(row))).collect())
}

/// Makes somebody a member, or gives a member another role. One query.
///
/// # Errors
/// The database's: of somebody who is a member already, too.
pub async fn join(db: &impl ConnectionTrait, organisation: Uuid, person: Uuid, role: Role) -> Result<(), DbErr> {
    let row = membership::ActiveModel {
        organisation_id: Set(organisation),
        person_id: Set(person),
        role: Set(role),
        version: Set(1),
        created_at: Set(now()),
    };
    membership::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// A membership. One query.
///
/// # Errors
/// The database's.
pub async fn membership(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    person: Uuid,
) -> Result<Option<membership::Model>, DbErr> {
    membership::Entity::find_by_id((organisation, person)).one(db).await
}

/// Members of an organisation as the API shows them. One query.
///
/// # Errors
/// The database's.
pub async fn members(db: &impl ConnectionTrait, rows: Vec<membership::Model>) -> Result<Vec<Member>, DbErr> {
    let mut people = people(db, rows.iter().map(|row| row.person_id)).await?;
    let members = rows.into_iter().filter_map(|row| {
        let person = people.remove(&row.person_id)?;
        Some(Member { person, role: row.role, version: row.version, created_at: row.created_at })
    });
    Ok(members.collect())
}

/// The organisations that would have no owner without a person. One query, and one for each that they own.
///
/// # Errors
/// The database's.
pub async fn sole_ownerships(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Uuid>, DbErr> {
    let owns = |query: sea_orm::Select<membership::Entity>| query.filter(membership::Column::Role.eq(Role::Owner));
    let own = owns(membership::Entity::find().filter(membership::Column::PersonId.eq(person))).all(db).await?;
    let mut sole = Vec::new();
    for row in own {
        let of = membership::Entity::find().filter(membership::Column::OrganisationId.eq(row.organisation_id));
        if owns(of).count(db).await? == 1 {
            sole.push(row.organisation_id);
        }
    }
    Ok(sole)
}
