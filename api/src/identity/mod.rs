//! People, the organisations they belong to, and the keys of those.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Role, Routes, Scope};

pub mod administration;
pub mod attempts;
pub(crate) mod entity;
pub mod entrance;
pub(crate) mod invitations;
pub(crate) mod joining;
pub(crate) mod keys;
pub mod leases;
pub(crate) mod members;
pub mod oidc;
pub mod password;
pub(crate) mod people;
pub(crate) mod sessions;
pub mod store;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    people::configure(routes);
    sessions::configure(routes);
    members::configure(routes);
    invitations::configure(routes);
    joining::configure(routes);
    keys::configure(routes);
    oidc::routes::configure(routes);
}

/// A person who wants an account.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Where they are reached; they sign in with it.
    #[schema(format = "email", max_length = 254, examples("camille@example.org"))]
    pub email: String,
    /// What they are called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Known to them alone.
    #[schema(min_length = 12, max_length = 200, format = "password", write_only)]
    pub password: String,
}

/// A password and the one that replaces it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one.
    #[schema(max_length = 200, format = "password", write_only)]
    pub current: String,
    /// The next one.
    #[schema(min_length = 12, max_length = 200, format = "password", write_only)]
    pub new: String,
}

/// What a person signs in with.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Their address.
    #[schema(max_length = 254)]
    pub email: String,
    /// Their password.
    #[schema(max_length = 200, format = "password", write_only)]
    pub password: String,
}

/// A person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Person {
    /// UUIDv7.
    pub id: Uuid,
    /// Where they are reached.
    pub email: String,
    /// What they are called.
    pub name: String,
}

/// Who belongs to an organisation, in which role.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Membership {
    /// The organisation.
    pub organisation: Uuid,
    /// The role.
    pub role: Role,
}

/// Who asks, as the service sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Me {
    /// The person who has signed in; absent for a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// The id of the key; absent for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Uuid>,
    /// Whether they run the platform.
    pub administrator: bool,
    /// To which organisations they belong.
    pub memberships: Vec<Membership>,
    /// What the credential may be used for.
    pub scopes: Vec<Scope>,
}

/// A person who has signed in, somewhere.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// UUIDv7.
    pub id: Uuid,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until when, if it is not used before: use moves it, up to seven days after the sign-in.
    pub expires_at: DateTime<Utc>,
}

/// A member of an organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OrganisationMember)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// In which role.
    pub role: Role,
    /// Grows by one at each change; name it in `If-Match`.
    pub version: i64,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// The role that a member shall have.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// It.
    pub role: Role,
}

/// An invitation to write.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// The role that it gives.
    pub role: Role,
    /// Days until it is void.
    #[serde(default = "two_weeks")]
    #[schema(minimum = 1, maximum = 90, default = 14)]
    pub valid_days: u16,
}

const fn two_weeks() -> u16 {
    14
}

/// An invitation, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// UUIDv7.
    pub id: Uuid,
    /// To which organisation.
    pub organisation: Uuid,
    /// The role that it gives.
    pub role: Role,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When somebody accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<DateTime<Utc>>,
}

/// An invitation with its secret, which is shown this once: it has no `Debug`.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// Send it to the person who is invited, by a way that you trust.
    pub secret: String,
}

/// The secret of an invitation.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationAnswer {
    /// As it was received.
    #[schema(max_length = 200, write_only)]
    pub secret: String,
}

/// Who decides on a request to join.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum JoinKind {
    /// The organisation has members: its owners decide.
    Membership,
    /// Nobody looks after it (it was imported): an administrator of the platform reviews the claim.
    Claim,
}

/// Where a request to join stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum JoinState {
    /// Waits for a decision.
    Open,
    /// The person has joined.
    Accepted,
    /// The person has not.
    Declined,
}

/// A request to join an organisation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJoinRequest {
    /// Why: what makes you part of it, and where that can be checked.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub message: Option<String>,
}

/// A request to join an organisation, with where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JoinRequest {
    /// UUIDv7.
    pub id: Uuid,
    /// Which organisation.
    pub organisation: Uuid,
    /// Who asks.
    pub person: Person,
    /// Who decides.
    pub kind: JoinKind,
    /// What was decided.
    pub state: JoinState,
    /// What they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
}

/// A key to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for, in words.
    #[schema(min_length = 1, max_length = 200, examples("nightly synchronisation"))]
    pub name: String,
    /// What it is in its organisation. Keys of the platform are administrators whatever stands here.
    #[serde(default = "editor")]
    pub role: Role,
    /// What it may be used for.
    #[schema(min_items = 1, max_items = 6)]
    pub scopes: Vec<Scope>,
    /// Days until it is void.
    #[serde(default = "a_year")]
    #[schema(minimum = 1, maximum = 730, default = 365)]
    pub valid_days: u16,
}

const fn editor() -> Role {
    Role::Editor
}

const fn a_year() -> u16 {
    365
}

/// A key, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKey {
    /// UUIDv7.
    pub id: Uuid,
    /// Whose; of the platform where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// What it is for, in words.
    pub name: String,
    /// The first characters of its secret.
    pub prefix: String,
    /// What it is in its organisation.
    pub role: Role,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key with its secret, which is shown this once: it has no `Debug`.
#[derive(Clone, Serialize, ToSchema)]
pub struct IssuedApiKey {
    /// The key.
    pub api_key: ApiKey,
    /// Send it as `Authorization: Bearer …`.
    pub secret: String,
}
