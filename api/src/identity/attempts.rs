//! Attempts to sign in, counted: nobody finds a password by trying.
//!
//! An attempt counts before its password is looked at, and is taken back where that was right: attempts that meet count, too. After
//! [`PER_ACCOUNT`] failures for one address, whether it has an account or not, or [`PER_NETWORK`] from one network, nothing is looked at for
//! a quarter of an hour after the last one. The counters are in the database, so that replicas share them; they name nobody (SHA-256) and
//! are gone after their time. Each statement touches one of them and commits alone, so that no two can wait for each other.

use std::net::{IpAddr, Ipv6Addr};

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::entity::sign_in_attempt::{ActiveModel, Column, Entity};
use super::{password, store};
use crate::audit::Log;
use crate::codes::sha256_hex;
use crate::database::now;
use crate::problem::Problem;

/// Failures for one address that are looked at.
pub const PER_ACCOUNT: i32 = 10;
/// Failures from one network that are looked at: an office shares one.
pub const PER_NETWORK: i32 = 100;
const COUNTS_FOR: TimeDelta = TimeDelta::minutes(15);

/// An attempt that counts until it is taken back.
pub struct Attempt {
    account: String,
    network: Option<String>,
}

impl Attempt {
    /// Counts an attempt for an address, from a network if that is known. Three queries.
    ///
    /// # Errors
    /// 429 after too many failures.
    pub async fn count(log: &Log, email: &str, network: Option<IpAddr>) -> Result<Self, Problem> {
        let tx = log.begin_unrecorded().await?;
        Entity::delete_many().filter(Column::ExpiresAt.lte(now())).exec(&*tx).await?;
        tx.commit().await?;
        let network = network.map(|address| sha256_hex(format!("network {}", whole(address)).as_bytes()));
        if let Some(network) = &network {
            add(log, network, PER_NETWORK).await?;
        }
        let attempt = Self { account: account(email), network };
        if let Err(refused) = add(log, &attempt.account, PER_ACCOUNT).await {
            attempt.release_network(log).await?;
            return Err(refused);
        }
        Ok(attempt)
    }

    /// Whether a password is the one that was kept. Two queries where it is.
    ///
    /// # Errors
    /// Too many at once.
    pub async fn verify(&self, log: &Log, password: String, kept: Option<String>) -> Result<bool, Problem> {
        match password::verify(password, kept).await {
            Ok(true) => self.forgive(log).await?,
            Ok(false) => return Ok(false),
            Err(problem) => {
                self.take_back(log).await?;
                return Err(problem);
            }
        }
        Ok(true)
    }

    /// Takes the attempt back: its password was not looked at.
    async fn take_back(&self, log: &Log) -> Result<(), DbErr> {
        subtract(log, &self.account).await?;
        self.release_network(log).await
    }

    /// Takes the attempt back, and with it all failures of the account: its password was right.
    async fn forgive(&self, log: &Log) -> Result<(), DbErr> {
        let tx = log.begin_unrecorded().await?;
        Entity::delete_by_id(self.account.clone()).exec(&*tx).await?;
        tx.commit().await?;
        self.release_network(log).await
    }

    async fn release_network(&self, log: &Log) -> Result<(), DbErr> {
        match &self.network {
            Some(network) => subtract(log, network).await,
            None => Ok(()),
        }
    }
}

/// Forgets the failures of an account: its password is another one. One query.
///
/// # Errors
/// The database's.
pub async fn forget(db: &impl ConnectionTrait, email: &str) -> Result<(), DbErr> {
    Entity::delete_by_id(account(email)).exec(db).await?;
    Ok(())
}

fn account(email: &str) -> String {
    sha256_hex(format!("account {}", store::normalised(email)).as_bytes())
}

/// What one caller holds: an address, or the 64 bits that a network of IPv6 begins with.
fn whole(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Counts one more, unless there are `most`. One query; two where it is refused.
async fn add(log: &Log, subject: &str, most: i32) -> Result<(), Problem> {
    let now = now();
    let row = ActiveModel { subject: Set(subject.to_owned()), failures: Set(1), expires_at: Set(now + COUNTS_FOR) };
    let failures = || Expr::col((Entity, Column::Failures));
    let is_over = || Expr::col((Entity, Column::ExpiresAt)).lte(now);
    let one_more = OnConflict::column(Column::Subject)
        .value(Column::Failures, Expr::case(is_over(), 1).finally(failures().add(1)))
        .value(Column::ExpiresAt, now + COUNTS_FOR)
        .action_and_where(is_over().or(failures().lt(most)))
        .to_owned();
    let tx = log.begin_unrecorded().await?;
    let added = Entity::insert(row).on_conflict(one_more).exec_without_returning(&*tx).await?;
    tx.commit().await?;
    if added > 0 {
        return Ok(());
    }
    let full = Entity::find_by_id(subject.to_owned()).one(log.db()).await?;
    let wait = full.map_or(0, |full| (full.expires_at - now).num_seconds() + 1);
    Err(Problem::too_many_requests(wait.try_into().unwrap_or_default())
        .because("too many failed sign-ins: wait before you try again"))
}

async fn subtract(log: &Log, subject: &str) -> Result<(), DbErr> {
    let some = Column::Subject.eq(subject).and(Column::Failures.gt(0));
    let fewer = Expr::col(Column::Failures).sub(1);
    let tx = log.begin_unrecorded().await?;
    Entity::update_many().col_expr(Column::Failures, fewer).filter(some).exec(&*tx).await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_network_is_an_address_or_the_first_half_of_one() {
        for (address, network) in
            [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
        {
            assert_eq!(whole(address.parse().unwrap()), network.parse::<IpAddr>().unwrap(), "{address}");
        }
    }
}
