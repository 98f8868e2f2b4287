//! The tables of organisations and of what belongs to each.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::{EconomicModel, LegalFamily, OrganisationSize, ResourceMix};

/// A list of texts in one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Texts(pub Vec<String>);

/// A row of `organisation`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation")]
#[expect(clippy::struct_field_names, reason = "an economic model is what the field calls it")]
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
    /// What an import knows it by.
    pub import_key: Option<String>,
    /// Legal name.
    pub name: String,
    /// Name and aliases as they are searched, between `|`.
    pub search_name: String,
    /// Name as it is sorted.
    pub sort_name: String,
    /// Other names.
    #[sea_orm(column_type = "JsonBinary")]
    pub aliases: Texts,
    /// INSEE legal category.
    pub legal_form: Option<String>,
    /// Broad legal family.
    pub legal_family: Option<LegalFamily>,
    /// How it lives.
    pub economic_model: Option<EconomicModel>,
    /// Where its money comes from.
    #[sea_orm(column_type = "JsonBinary")]
    pub resource_mix: ResourceMix,
    /// Size class.
    pub size: Option<OrganisationSize>,
    /// Employees.
    pub full_time_equivalents: Option<f64>,
    /// Volunteers.
    pub volunteers: Option<i32>,
    /// Territories where it is at home.
    #[sea_orm(column_type = "JsonBinary")]
    pub home_territories: Texts,
    /// Web site.
    pub website: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Whom to ask (P2).
    pub contact: Option<String>,
    /// Source of the data.
    pub source: Option<String>,
    /// Freshness of the data.
    pub fresh_on: Option<Date>,
    /// Invented figures.
    pub illustrative: bool,
    /// Yearly turnover (P4).
    pub turnover_cents: Option<i64>,
    /// Cash it can advance (P4).
    pub available_cash_cents: Option<i64>,
}

/// None: children are loaded for all parents at once.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Numbers given by registers.
pub mod identifier {
    use sea_orm::entity::prelude::*;

    use crate::organisations::IdentifierScheme;

    /// A row of `organisation_identifier`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "organisation_identifier")]
    pub struct Model {
        /// The register.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scheme: IdentifierScheme,
        /// The number.
        #[sea_orm(primary_key, auto_increment = false)]
        pub value: String,
        /// Whose.
        pub organisation_id: Uuid,
        /// Order in its organisation.
        pub position: i16,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Links between entities.
pub mod link {
    use sea_orm::entity::prelude::*;

    use crate::organisations::LinkKind;

    /// A row of `organisation_link`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "organisation_link")]
    pub struct Model {
        /// Who declares it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organisation_id: Uuid,
        /// The other.
        #[sea_orm(primary_key, auto_increment = false)]
        pub to_id: Uuid,
        /// What kind.
        pub kind: LinkKind,
        /// Certificates serve the other.
        pub shares_credentials: bool,
        /// Capacity counts once.
        pub shares_capacity: bool,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Certificates, labels, agreements.
pub mod credential {
    use sea_orm::entity::prelude::*;

    use crate::organisations::Evidence;

    /// A row of `credential`.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "credential")]
    pub struct Model {
        /// UUIDv7.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// Whose.
        pub organisation_id: Uuid,
        /// Order in its organisation.
        pub position: i16,
        /// Which one.
        pub code: String,
        /// Its number.
        pub number: Option<String>,
        /// First day.
        pub valid_from: Option<Date>,
        /// Last day.
        pub valid_to: Option<Date>,
        /// How sure.
        pub evidence: Evidence,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
