//! What keeps the database from doing what it is asked for, and passes.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Why the same request may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hindrance {
    /// Others have what it needs: connections, or a lock.
    Busy,
    /// Its disk takes no more.
    Full,
    /// It cannot be reached, or is about to stop or to start.
    Away,
}

impl Hindrance {
    /// What is in the way, by the error; `None` for what would not pass.
    pub(super) fn of(error: &DbErr) -> Option<Self> {
        match error {
            DbErr::ConnectionAcquire(_) => Some(Self::Busy),
            DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error))
            | DbErr::Conn(RuntimeErr::SqlxError(error)) => Self::of_driver(error),
            _ => None,
        }
    }

    fn of_driver(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed => Some(Self::Away),
            sqlx::Error::PoolTimedOut => Some(Self::Busy),
            sqlx::Error::Database(error) => Self::of_code(error.code()?.as_ref()),
            _ => None,
        }
    }

    /// SQLite: its extended result codes; `PostgreSQL`: SQLSTATE.
    fn of_code(code: &str) -> Option<Self> {
        match code {
            // The write lock did not come in time; one of two transactions was given up; no connection was left.
            "5" | "261" | "517" | "40001" | "40P01" | "53300" => Some(Self::Busy),
            // No page more; a write, a sync, or a change of a file's length that failed.
            "13" | "778" | "1034" | "1546" | "4874" | "53100" => Some(Self::Full),
            // Ended by an administrator or a crash, not yet or no longer there.
            "57P01" | "57P02" | "57P03" => Some(Self::Away),
            _ if code.len() == 5 && code.starts_with("08") => Some(Self::Away),
            _ => None,
        }
    }

    /// What to say of it, where there is more to say than that the service is busy.
    pub(super) fn detail(self) -> Option<&'static str> {
        match self {
            Self::Busy => None,
            Self::Full => {
                Some("the disk of the database takes no more, so that nothing can be written for now; reading goes on")
            }
            // A commit may have been on its way when the connection broke.
            Self::Away => Some(
                "the database does not answer for now. Should this have changed something, it may have been done: \
                 send it again with the same `Idempotency-Key`, or read first",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for (code, hindrance) in [
            ("5", Some(Hindrance::Busy)),
            ("40P01", Some(Hindrance::Busy)),
            ("13", Some(Hindrance::Full)),
            ("53100", Some(Hindrance::Full)),
            ("57P01", Some(Hindrance::Away)),
            ("08006", Some(Hindrance::Away)),
            ("0800", None),
            ("1", None),
            ("11", None),
            ("42P01", None),
        ] {
            assert_eq!(Hindrance::of_code(code), hindrance, "{code}");
        }
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let broken = DbErr::Query(RuntimeErr::SqlxError(sqlx::Error::Io(broken).into()));
        assert_eq!(Hindrance::of(&broken), Some(Hindrance::Away));
        assert_eq!(Hindrance::of(&DbErr::RecordNotFound(String::new())), None);
    }
}
