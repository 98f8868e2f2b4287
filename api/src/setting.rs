//! Settings that belong to the installation rather than to its processes.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

/// A row of `setting`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "setting")]
pub struct Model {
    /// What it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A secret of the installation, made at its first use. Replicas that meet agree on the first one written. Three queries.
///
/// # Errors
/// The database's.
pub async fn secret(db: &impl ConnectionTrait, name: &str) -> Result<Vec<u8>, DbErr> {
    // Two random UUIDs carry 244 bits from the system's generator.
    let fresh = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let row = ActiveModel { name: Set(name.to_owned()), value: Set(fresh) };
    let keep_first = OnConflict::column(Column::Name).do_nothing().to_owned();
    Entity::insert(row).on_conflict(keep_first).exec_without_returning(db).await?;
    let kept = Entity::find_by_id(name.to_owned()).one(db).await?;
    kept.map(|row| row.value).ok_or_else(|| DbErr::RecordNotFound(format!("setting {name}")))
}
