//! Seconds of the solver a day, by organisation.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::Share;
use crate::database::now;
use crate::problem::Problem;
use crate::runs;

const WINDOW: TimeDelta = TimeDelta::days(1);

/// Whether an organisation may start one more run: its runs of the last 24 hours have taken less than `limit` seconds. The platform
/// may, always. One query.
///
/// # Errors
/// 429 with the time at which enough of them will be older; the database's.
pub async fn check(db: &impl ConnectionTrait, limit: u32, asker: Option<Uuid>) -> Result<(), Problem> {
    let Some(organisation) = asker.filter(|_| limit > 0) else { return Ok(()) };
    let now = now();
    let runs = runs::store::times(db, organisation, now - WINDOW).await?;
    let Some(wait) = wait(&runs, now, limit) else { return Ok(()) };
    let seconds = u64::try_from(wait.num_seconds()).unwrap_or_default() + 1;
    let window = WINDOW.num_seconds().unsigned_abs();
    let share = Share { policy: "solver-seconds", quota: u64::from(limit), window, left: 0, seconds };
    Err(Problem::exhausted(share)
        .because("the runs of your organisation have used its seconds of the solver of the last 24 hours"))
}

/// How long until the runs that are less than a day old have taken less than `limit` seconds; `None` where they have. Runs stand in
/// the order of their start, each with the milliseconds for which it has been computed so far.
fn wait(runs: &[(DateTime<Utc>, i64)], now: DateTime<Utc>, limit: u32) -> Option<TimeDelta> {
    let limit = TimeDelta::seconds(i64::from(limit));
    let taken = |(_, spent): &(DateTime<Utc>, i64)| TimeDelta::milliseconds((*spent).max(0));
    let mut total: TimeDelta = runs.iter().map(taken).sum();
    if total < limit {
        return None;
    }
    for run in runs {
        total -= taken(run);
        if total < limit {
            return Some(run.0 + WINDOW - now);
        }
    }
    Some(WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_for_a_day_and_the_wait_ends_when_enough_of_them_are_older() {
        let now = now();
        let run = |hours_ago, seconds: i64| {
            let start = now - TimeDelta::hours(hours_ago);
            (start, seconds * 1_000)
        };
        let runs = [run(23, 50), run(10, 30), run(1, 40)];
        assert_eq!(wait(&runs, now, 121), None);
        assert_eq!(wait(&runs, now, 120), Some(TimeDelta::hours(1)));
        assert_eq!(wait(&runs, now, 71), Some(TimeDelta::hours(1)));
        assert_eq!(wait(&runs, now, 70), Some(TimeDelta::hours(14)));
        assert_eq!(wait(&runs, now, 1), Some(TimeDelta::hours(23)));
        assert_eq!(wait(&[], now, 1), None);
    }
}
