//! What is left of a share, and how it is told.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// What a share is.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it.
pub const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// What is left of a share, told as the draft `draft-ietf-httpapi-ratelimit-headers` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its name.
    pub policy: &'static str,
    /// How much it is, in a window.
    pub quota: u64,
    /// The window, in seconds.
    pub window: u64,
    /// How much is left.
    pub left: u64,
    /// Seconds until all of it is there again; where nothing is left, until something is.
    pub seconds: u64,
}

impl Share {
    /// Writes it into an answer, before a share that is told there already.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let Self { policy, quota, window, left, seconds } = self;
        prepend(headers, POLICY, &format!("\"{policy}\";q={quota};w={window}"));
        prepend(headers, LEFT, &format!("\"{policy}\";r={left};t={seconds}"));
    }
}

/// Both headers are lists.
fn prepend(headers: &mut HeaderMap, name: HeaderName, item: &str) {
    let others = headers.get(&name).and_then(|value| value.to_str().ok());
    let list = others.map_or_else(|| item.to_owned(), |others| format!("{item}, {others}"));
    if let Ok(value) = HeaderValue::from_str(&list) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_shares_are_told_in_one_list() {
        let mut headers = HeaderMap::new();
        Share { policy: "b", quota: 5, window: 60, left: 0, seconds: 7 }.tell(&mut headers);
        Share { policy: "a", quota: 9, window: 60, left: 8, seconds: 1 }.tell(&mut headers);
        assert_eq!(headers.get(POLICY).map(HeaderValue::as_bytes), Some(&b"\"a\";q=9;w=60, \"b\";q=5;w=60"[..]));
        assert_eq!(headers.get(LEFT).map(HeaderValue::as_bytes), Some(&b"\"a\";r=8;t=1, \"b\";r=0;t=7"[..]));
    }
}
