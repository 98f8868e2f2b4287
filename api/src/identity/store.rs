//! Queries on identity.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, PaginatorTrait as _, QueryFilter,
    QueryOrder, QuerySelect, RelationDef,
};
use uuid::Uuid;

use super::entity::{api_key, invitation, membership, oidc_used_state, person, session};
use super::{Member, Person, sessions};
use crate::access::{Caller, Principal, Role, Scopes, is_claimed};
use crate::codes::sha256_hex;
use crate::database::now;

/// Who holds a key, by what is kept of its secret, and until when it is valid; `None` where it is void. One query.
///
/// # Errors
/// The database's.
pub async fn holder(db: &impl ConnectionTrait, digest: &str) -> Result<Option<(Caller, DateTime<Utc>)>, DbErr> {
    let key = api_key::Entity::find().filter(api_key::Column::Digest.eq(digest)).one(db).await?;
    let key = key.filter(|key| key.revoked_at.is_none() && key.expires_at > now());
    Ok(key.map(|key| {
        let memberships = key.organisation_id.map(|organisation| (organisation, key.role)).into_iter().collect();
        let caller = Caller::new(Principal::Key(key.id), memberships, key.organisation_id.is_none(), key.scopes);
        (caller, key.expires_at)
    }))
}

/// Whether what somebody has shown is still valid. One query, none for nobody and for the installation.
///
/// # Errors
/// The database's.
pub async fn is_valid(db: &impl ConnectionTrait, principal: Principal) -> Result<bool, DbErr> {
    let found = match principal {
        Principal::Nobody | Principal::Installation => return Ok(true),
        Principal::Key(id) => {
            let valid = api_key::Entity::find_by_id(id).filter(api_key::Column::RevokedAt.is_null());
            valid.filter(api_key::Column::ExpiresAt.gt(now())).count(db).await?
        }
        Principal::Person { session: id, .. } => {
            session::Entity::find_by_id(id).filter(session::Column::ExpiresAt.gt(now())).count(db).await?
        }
    };
    Ok(found > 0)
}

/// Who has signed in, by what is kept of the session's secret; `None` where it is over. One query; a second one, once an hour, keeps a
/// session alive that is used.
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
        .column(session::Column::CreatedAt)
        .column(session::Column::ExpiresAt)
        .column(person::Column::Administrator)
        .column(membership::Column::OrganisationId)
        .column(membership::Column::Role)
        .join(JoinType::InnerJoin, to_person)
        .join(JoinType::LeftJoin, to_memberships)
        .filter(session::Column::Digest.eq(digest))
        .filter(session::Column::ExpiresAt.gt(now()));
    let rows: Vec<SessionRow> = rows.into_model().all(db).await?;
    let memberships: BTreeMap<Uuid, Role> = rows.iter().filter_map(|row| row.organisation_id.zip(row.role)).collect();
    let Some(&SessionRow { id, person_id: person, created_at, expires_at, administrator, .. }) = rows.first() else {
        return Ok(None);
    };
    if let Err(error) = sessions::keep_alive(db, id, created_at, expires_at).await {
        // Nobody is turned away for that: the next request tries again.
        tracing::warn!(%error, "the end of a session could not be moved");
    }
    let principal = Principal::Person { person, session: id };
    Ok(Some(Caller::new(principal, memberships, administrator, Scopes::all())))
}

/// A session with one of the memberships of its person.
#[derive(FromQueryResult)]
struct SessionRow {
    id: Uuid,
    person_id: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    administrator: bool,
    organisation_id: Option<Uuid>,
    role: Option<Role>,
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

/// A person, by the provider that vouches for them. One query.
///
/// # Errors
/// The database's.
pub async fn person_by_subject(
    db: &impl ConnectionTrait,
    issuer: &str,
    subject: &str,
) -> Result<Option<person::Model>, DbErr> {
    let of_issuer = person::Entity::find().filter(person::Column::OidcIssuer.eq(issuer));
    of_issuer.filter(person::Column::OidcSubject.eq(subject)).one(db).await
}

/// Uses up the state of a sign-in by a provider, and forgets those that are too old to come again. Two queries.
///
/// # Errors
/// The database's: of one that is used up, too.
pub async fn use_state(db: &impl ConnectionTrait, state: &str, until: DateTime<Utc>) -> Result<(), DbErr> {
    let over = oidc_used_state::Column::ExpiresAt.lte(now());
    oidc_used_state::Entity::delete_many().filter(over).exec(db).await?;
    let row = oidc_used_state::ActiveModel { state: Set(sha256_hex(state.as_bytes())), expires_at: Set(until) };
    oidc_used_state::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
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
#[must_use]
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

/// Makes somebody a member. The first one ends the care of the platform: keys and invitations that it has given out are void. Tells whether
/// there were such keys. Two queries, four for the first member.
///
/// # Errors
/// The database's: of somebody who is a member already, too.
pub async fn join(db: &impl ConnectionTrait, organisation: Uuid, person: Uuid, role: Role) -> Result<bool, DbErr> {
    let mut voided = false;
    if !is_claimed(db, organisation).await? {
        let keys = api_key::Entity::update_many()
            .col_expr(api_key::Column::RevokedAt, Expr::value(now()))
            .filter(api_key::Column::OrganisationId.eq(organisation))
            .filter(api_key::Column::RevokedAt.is_null())
            .exec(db)
            .await?;
        voided = keys.rows_affected > 0;
        invitation::Entity::delete_many()
            .filter(invitation::Column::OrganisationId.eq(organisation))
            .filter(invitation::Column::UsedAt.is_null())
            .exec(db)
            .await?;
    }
    let row = membership::ActiveModel {
        organisation_id: Set(organisation),
        person_id: Set(person),
        role: Set(role),
        version: Set(1),
        created_at: Set(now()),
    };
    membership::Entity::insert(row).exec_without_returning(db).await?;
    Ok(voided)
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

/// The organisations that would have no owner without a person. One query, and one for each that they own: of two owners who go at once,
/// one waits for the other.
///
/// # Errors
/// The database's.
pub async fn sole_ownerships(db: &impl ConnectionTrait, person: Uuid) -> Result<Vec<Uuid>, DbErr> {
    let own = membership::Entity::find()
        .filter(membership::Column::PersonId.eq(person))
        .filter(membership::Column::Role.eq(Role::Owner))
        .order_by_asc(membership::Column::OrganisationId);
    let mut sole = Vec::new();
    for row in own.all(db).await? {
        if owners(db, row.organisation_id).await? == [person] {
            sole.push(row.organisation_id);
        }
    }
    Ok(sole)
}

/// The owners of an organisation, who stay so until the transaction ends. One query.
///
/// # Errors
/// The database's.
pub async fn owners(db: &impl ConnectionTrait, organisation: Uuid) -> Result<Vec<Uuid>, DbErr> {
    let owners = membership::Entity::find()
        .filter(membership::Column::OrganisationId.eq(organisation))
        .filter(membership::Column::Role.eq(Role::Owner))
        .order_by_asc(membership::Column::PersonId)
        .lock_exclusive();
    Ok(owners.all(db).await?.into_iter().map(|owner| owner.person_id).collect())
}
