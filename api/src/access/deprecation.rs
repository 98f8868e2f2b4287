//! Operations that will go: the table, and how callers are told.

use std::time::{Duration, SystemTime};

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue, HttpDate};
use utoipa::openapi::path::Operation;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// That an operation will go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Its id.
    pub operation: &'static str,
    /// Since when better not to use it, in Unix seconds.
    pub since: u32,
    /// When it goes, in Unix seconds.
    pub sunset: u32,
    /// A page that tells what to use instead.
    pub link: &'static str,
}

/// The operations that will go. None yet.
pub const DEPRECATIONS: &[Deprecation] = &[];

impl Deprecation {
    /// Whether an operation will go, by a table.
    #[must_use]
    pub fn of(table: &'static [Self], operation: &str) -> Option<&'static Self> {
        table.iter().find(|entry| entry.operation == operation)
    }

    /// Tells a caller: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let sunset = HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(self.sunset.into()));
        let link = format!("<{}>; rel=\"deprecation\"; type=\"text/html\"", self.link);
        for (name, text) in
            [(DEPRECATION, format!("@{}", self.since)), (SUNSET, sunset.to_string()), (header::LINK, link)]
        {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.append(name, value);
            }
        }
    }

    /// Says it in the document.
    pub fn publish(&self, operation: &mut Operation) {
        operation.deprecated = Some(utoipa::openapi::Deprecated::True);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TABLE: &[Deprecation] = &[Deprecation {
        operation: "get_health",
        since: 1_688_169_599,
        sunset: 1_783_296_000,
        link: "https://attelage.example/changes#health",
    }];

    #[test]
    fn an_operation_that_will_go_says_since_when_until_when_and_what_instead() {
        let mut headers = HeaderMap::new();
        headers.append(header::LINK, HeaderValue::from_static("</v1/calls?cursor=x>; rel=\"next\""));
        Deprecation::of(TABLE, "get_health").unwrap().tell(&mut headers);
        assert_eq!(headers.get(DEPRECATION).unwrap(), "@1688169599");
        assert_eq!(headers.get(SUNSET).unwrap(), "Mon, 06 Jul 2026 00:00:00 GMT");
        let links: Vec<_> = headers.get_all(header::LINK).collect();
        assert_eq!(links[1], "<https://attelage.example/changes#health>; rel=\"deprecation\"; type=\"text/html\"");
        assert_eq!(links.len(), 2);
        assert!(Deprecation::of(TABLE, "list_calls").is_none());
    }

    #[test]
    fn every_entry_of_the_table_names_an_operation_and_goes_after_it_was_announced() {
        for Deprecation { operation, since, sunset, .. } in DEPRECATIONS.iter().chain(TABLE) {
            assert!(crate::access::Policy::of(operation).is_some() && since < sunset, "{operation}");
        }
    }
}
