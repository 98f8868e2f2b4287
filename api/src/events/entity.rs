//! The tables of events.

use sea_orm::entity::prelude::*;

/// A row of `event`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Its place among all events: those that become visible later have a greater one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// UUIDv7.
    pub id: Uuid,
    /// When it was told.
    pub at: DateTimeUtc,
    /// The name of an [`super::EventType`].
    pub kind: String,
    /// What kind of thing it is about.
    pub subject_kind: String,
    /// Which one.
    pub subject_id: Uuid,
    /// Whether every organisation may know.
    pub public: bool,
    /// More ids and codes, in JSON.
    pub data: String,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which organisations an event is addressed to.
pub mod audience {
    use sea_orm::entity::prelude::*;

    /// A row of `event_audience`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_audience")]
    pub struct Model {
        /// To whom.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
        /// Which event.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i64,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
