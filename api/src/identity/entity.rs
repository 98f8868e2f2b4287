//! The tables of identity.

/// People.
pub mod person {
    use sea_orm::entity::prelude::*;

    /// A row of `person`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "person")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Optimistic lock.
        pub version: i64,
        /// First write.
        pub created_at: DateTimeUtc,
        /// Last write.
        pub updated_at: DateTimeUtc,
        /// In lower case.
        pub email: String,
        /// What they are called.
        pub name: String,
        /// Argon2id, in PHC format; absent where a provider vouches for them.
        pub password_hash: Option<String>,
        /// The provider that vouches for them.
        pub oidc_issuer: Option<String>,
        /// By what it knows them.
        pub oidc_subject: Option<String>,
        /// Whether they run the platform.
        pub administrator: bool,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who has signed in.
pub mod session {
    use sea_orm::entity::prelude::*;

    /// A row of `session`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "session")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose.
        pub person_id: Uuid,
        /// SHA-256 of the secret.
        pub digest: String,
        /// Since when.
        pub created_at: DateTimeUtc,
        /// Until when.
        pub expires_at: DateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who belongs to which organisation.
pub mod membership {
    use sea_orm::entity::prelude::*;

    use crate::access::Role;

    /// A row of `membership`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "membership")]
    pub struct Model {
        /// Of which organisation.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
        /// Who.
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
        /// In which role.
        pub role: Role,
        /// Optimistic lock.
        pub version: i64,
        /// Since when.
        pub created_at: DateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Secrets that let somebody join an organisation.
pub mod invitation {
    use sea_orm::entity::prelude::*;

    use crate::access::Role;

    /// A row of `invitation`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "invitation")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// To which organisation.
        pub organisation_id: Uuid,
        /// In which role.
        pub role: Role,
        /// SHA-256 of the secret.
        pub digest: String,
        /// Since when.
        pub created_at: DateTimeUtc,
        /// Until when.
        pub expires_at: DateTimeUtc,
        /// When it was accepted.
        pub used_at: Option<DateTimeUtc>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// People who ask to join an organisation, or to take over one that nobody looks after.
pub mod join_request {
    use sea_orm::entity::prelude::*;

    use crate::identity::{JoinKind, JoinState};

    /// A row of `join_request`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "join_request")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Which organisation.
        pub organisation_id: Uuid,
        /// Who asks.
        pub person_id: Uuid,
        /// Who decides.
        pub kind: JoinKind,
        /// What was decided.
        pub state: JoinState,
        /// What they say.
        pub message: Option<String>,
        /// When it was asked.
        pub created_at: DateTimeUtc,
        /// When it was decided.
        pub decided_at: Option<DateTimeUtc>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Keys of organisations and of the platform.
pub mod api_key {
    use sea_orm::entity::prelude::*;

    use crate::access::{Role, Scopes};

    /// A row of `api_key`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_key")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose; of the platform where absent.
        pub organisation_id: Option<Uuid>,
        /// What it is for, in words.
        pub name: String,
        /// Its first characters.
        pub prefix: String,
        /// SHA-256 of the secret.
        pub digest: String,
        /// What it is in its organisation.
        pub role: Role,
        /// What it may be used for.
        #[sea_orm(column_type = "JsonBinary")]
        pub scopes: Scopes,
        /// Since when.
        pub created_at: DateTimeUtc,
        /// Until when.
        pub expires_at: DateTimeUtc,
        /// When it was revoked.
        pub revoked_at: Option<DateTimeUtc>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Failed sign-ins, by what they were tried on.
pub mod sign_in_attempt {
    use sea_orm::entity::prelude::*;

    /// A row of `sign_in_attempt`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in_attempt")]
    pub struct Model {
        /// SHA-256 of an address or of a network.
        #[sea_orm(primary_key, auto_increment = false)]
        pub subject: String,
        /// How many.
        pub failures: i32,
        /// When they are forgotten.
        pub expires_at: DateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Sign-ins by a provider that are done: none is done twice.
pub mod oidc_used_state {
    use sea_orm::entity::prelude::*;

    /// A row of `oidc_used_state`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "oidc_used_state")]
    pub struct Model {
        /// SHA-256 of its `state`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub state: String,
        /// Until when it could be sent again.
        pub expires_at: DateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
