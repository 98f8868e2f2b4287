//! Writes what organisations keep to themselves straight into the database: nothing else of it changes, no version, no time.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use uuid::Uuid;

/// What only its owner and evaluators know of a capability, and how much it can do within its band.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub unit_cost_cents: Option<i64>,
    pub fixed_cost_cents: i64,
    pub minimum_quantity: i64,
    pub capacity_per_year: i64,
}

fn id(text: &str) -> Uuid {
    text.parse().unwrap()
}

/// Replaces what a capability costs.
pub async fn set_terms(db: &DatabaseConnection, capability: &str, terms: Terms) {
    let Terms { unit_cost_cents, fixed_cost_cents, minimum_quantity, capacity_per_year } = terms;
    let update = Query::update()
        .table("capability")
        .value("unit_cost_cents", unit_cost_cents)
        .value("fixed_cost_cents", fixed_cost_cents)
        .value("minimum_quantity", minimum_quantity)
        .value("capacity_per_year", capacity_per_year)
        .and_where(Expr::col("id").eq(id(capability)))
        .to_owned();
    assert_eq!(db.execute(&update).await.unwrap().rows_affected(), 1);
}

/// Replaces what an organisation has, and whom to ask there.
pub async fn set_finances(
    db: &DatabaseConnection,
    organisation: &str,
    turnover: Option<i64>,
    cash: Option<i64>,
    contact: &str,
) {
    let update = Query::update()
        .table("organisation")
        .value("turnover_cents", turnover)
        .value("available_cash_cents", cash)
        .value("contact", contact)
        .and_where(Expr::col("id").eq(id(organisation)))
        .to_owned();
    assert_eq!(db.execute(&update).await.unwrap().rows_affected(), 1);
}

/// Replaces whom an organisation would rather not work with.
pub async fn set_reservations(db: &DatabaseConnection, organisation: &str, against: &[&str]) {
    let clear = Query::delete()
        .from_table("reservation")
        .and_where(Expr::col("organisation_id").eq(id(organisation)))
        .to_owned();
    db.execute(&clear).await.unwrap();
    for other in against {
        let insert = Query::insert()
            .into_table("reservation")
            .columns(["id", "organisation_id", "against_id", "created_at"])
            .values_panic([Uuid::now_v7().into(), id(organisation).into(), id(other).into(), Expr::current_timestamp()])
            .to_owned();
        db.execute(&insert).await.unwrap();
    }
}

/// Replaces the interest of an organisation in a call: to whom, and who is chosen; none where absent.
pub async fn set_interest(db: &DatabaseConnection, call: &str, organisation: &str, interest: Option<(&str, &[&str])>) {
    let clear = Query::delete()
        .from_table("interest")
        .and_where(Expr::col("organisation_id").eq(id(organisation)))
        .and_where(Expr::col("call_id").eq(id(call)))
        .to_owned();
    db.execute(&clear).await.unwrap();
    let Some((audience, chosen)) = interest else { return };
    let own = Uuid::now_v7();
    let now = Expr::current_timestamp;
    let insert = Query::insert()
        .into_table("interest")
        .columns(["id", "version", "created_at", "updated_at", "call_id", "organisation_id", "lots", "audience"])
        .values_panic([
            own.into(),
            1.into(),
            now(),
            now(),
            id(call).into(),
            id(organisation).into(),
            serde_json::json!([]).into(),
            audience.into(),
        ])
        .to_owned();
    db.execute(&insert).await.unwrap();
    let mut named: Vec<&str> = chosen.iter().copied().filter(|other| *other != organisation).collect();
    named.sort_unstable();
    named.dedup();
    for other in named {
        let insert = Query::insert()
            .into_table("interest_reader")
            .columns(["interest_id", "organisation_id"])
            .values_panic([own.into(), id(other).into()])
            .to_owned();
        db.execute(&insert).await.unwrap();
    }
}

/// Has a run wait again, for longer than any test lasts.
pub async fn postpone_run(db: &DatabaseConnection, run: &str) {
    let update = Query::update()
        .table("run")
        .value("state", "queued")
        .value("finished_at", Option::<chrono::DateTime<chrono::Utc>>::None)
        .value("available_at", chrono::Utc::now() + chrono::TimeDelta::days(1))
        .and_where(Expr::col("id").eq(id(run)))
        .to_owned();
    assert_eq!(db.execute(&update).await.unwrap().rows_affected(), 1);
}

/// Has a run have begun so many seconds earlier.
pub async fn lengthen_run(db: &DatabaseConnection, run: &str, seconds: i64) {
    let began = chrono::Utc::now() - chrono::TimeDelta::seconds(seconds);
    let update = Query::update()
        .table("run")
        .value("started_at", began)
        .value("spent_ms", seconds * 1_000)
        .and_where(Expr::col("id").eq(id(run)))
        .to_owned();
    assert_eq!(db.execute(&update).await.unwrap().rows_affected(), 1);
}
