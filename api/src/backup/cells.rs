//! A value, as both kinds of database and a file of JSON lines know it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use sea_orm::{DbErr, QueryResult, Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A whole number, as a number.
    Integer,
    /// A truth value.
    Boolean,
    /// Text.
    Text,
    /// A UUID, as text.
    Uuid,
    /// An instant, as text in RFC 3339, to the microsecond.
    Instant,
    /// A day, as text.
    Date,
    /// Any JSON.
    Json,
    /// Bytes, in base64.
    Bytes,
    /// A floating-point number, as text that reads back as the same number.
    Real,
}

impl Kind {
    /// The kind of a type, as a database declares it.
    #[must_use]
    pub fn declared(sql: &str) -> Option<Self> {
        let name = sql.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
        Some(match name.as_str() {
            "integer" | "bigint" | "smallint" => Self::Integer,
            "boolean" => Self::Boolean,
            "text" | "varchar" | "character varying" => Self::Text,
            "uuid" | "uuid_text" => Self::Uuid,
            "timestamp with time zone" | "timestamp_with_timezone_text" => Self::Instant,
            "date" | "date_text" => Self::Date,
            "json" | "jsonb" | "json_text" | "jsonb_text" => Self::Json,
            "bytea" | "blob" => Self::Bytes,
            "double precision" | "double" | "real" => Self::Real,
            _ => return None,
        })
    }

    /// The cell of a column in a row that a database gave.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn read(self, row: &QueryResult, column: &str) -> Result<Value, DbErr> {
        Ok(match self {
            Self::Integer => row.try_get::<Option<i64>>("", column)?.into(),
            Self::Boolean => row.try_get::<Option<bool>>("", column)?.into(),
            Self::Text => row.try_get::<Option<String>>("", column)?.into(),
            Self::Uuid => row.try_get::<Option<Uuid>>("", column)?.map(|id| id.to_string()).into(),
            Self::Instant => row.try_get::<Option<DateTime<Utc>>>("", column)?.map(instant).into(),
            Self::Date => row.try_get::<Option<NaiveDate>>("", column)?.map(|day| day.to_string()).into(),
            Self::Json => row.try_get::<Option<Value>>("", column)?.unwrap_or_default(),
            Self::Bytes => row.try_get::<Option<Vec<u8>>>("", column)?.map(|bytes| STANDARD.encode(bytes)).into(),
            Self::Real => row.try_get::<Option<f64>>("", column)?.map(|number| format!("{number:?}")).into(),
        })
    }

    /// What a database is given for a cell; nothing where the cell is of another kind.
    #[must_use]
    pub fn bind(self, cell: &Value) -> Option<Bound> {
        if cell.is_null() {
            return Some(self.null());
        }
        Some(match self {
            Self::Integer => cell.as_i64()?.into(),
            Self::Boolean => cell.as_bool()?.into(),
            Self::Text => cell.as_str()?.into(),
            Self::Uuid => cell.as_str()?.parse::<Uuid>().ok()?.into(),
            Self::Instant => cell.as_str()?.parse::<DateTime<Utc>>().ok()?.into(),
            Self::Date => cell.as_str()?.parse::<NaiveDate>().ok()?.into(),
            Self::Json => cell.clone().into(),
            Self::Bytes => STANDARD.decode(cell.as_str()?).ok()?.into(),
            Self::Real => cell.as_str()?.parse::<f64>().ok()?.into(),
        })
    }

    /// Nothing, of this kind: `PostgreSQL` wants to know of which.
    fn null(self) -> Bound {
        match self {
            Self::Integer => None::<i64>.into(),
            Self::Boolean => None::<bool>.into(),
            Self::Text => None::<String>.into(),
            Self::Uuid => None::<Uuid>.into(),
            Self::Instant => None::<DateTime<Utc>>.into(),
            Self::Date => None::<NaiveDate>.into(),
            Self::Json => None::<Value>.into(),
            Self::Bytes => None::<Vec<u8>>.into(),
            Self::Real => None::<f64>.into(),
        }
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_of_another_kind_is_not_bound() {
        for (kind, good, bad) in [
            (Kind::Integer, json!(-3), json!("3")),
            (Kind::Boolean, json!(true), json!(1)),
            (Kind::Text, json!("é"), json!(1)),
            (Kind::Uuid, json!("019e0000-0000-7000-8000-000000000000"), json!("x")),
            (Kind::Instant, json!("2026-11-22T10:00:00.000001Z"), json!("2026-11-22")),
            (Kind::Date, json!("2026-11-22"), json!("2026-02-30")),
            (Kind::Bytes, json!("AAE="), json!("*")),
            (Kind::Real, json!("0.1"), json!("zero")),
        ] {
            assert!(kind.bind(&good).is_some() && kind.bind(&Value::Null).is_some(), "{kind:?}");
            assert!(kind.bind(&bad).is_none(), "{kind:?}");
        }
        assert!(Kind::Json.bind(&json!({ "any": [1, null] })).is_some());
    }

    #[test]
    fn types_of_both_databases_are_known() {
        for (sql, kind) in [
            ("blob(1)", Kind::Bytes),
            ("TEXT", Kind::Text),
            ("character varying", Kind::Text),
            ("double precision", Kind::Real),
        ] {
            assert_eq!(Kind::declared(sql), Some(kind), "{sql}");
        }
        assert_eq!(Kind::declared("money"), None);
    }
}
