//! The tables of mail.

/// What mail people want.
pub mod preference {
    use sea_orm::entity::prelude::*;

    use crate::mail::Language;
    use crate::webhooks::entity::Types;

    /// A row of `mail_preference`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mail_preference")]
    pub struct Model {
        /// Whose.
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
        /// Optimistic lock.
        pub version: i64,
        /// Last write.
        pub updated_at: DateTimeUtc,
        /// In which language.
        pub language: Language,
        /// Whether they want any.
        pub enabled: bool,
        /// Of which types they do not.
        #[sea_orm(column_type = "JsonBinary")]
        pub muted: Types,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// How far people have been told.
pub mod progress {
    use sea_orm::entity::prelude::*;

    /// A row of `mail_progress`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mail_progress")]
    pub struct Model {
        /// Who.
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
        /// Until which event.
        pub position: i64,
        /// Until when somebody is at it, or it has to rest.
        pub busy_until: DateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
