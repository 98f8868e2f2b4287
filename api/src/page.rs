//! Keyset pages, shared by all lists: opaque, authenticated cursors, no totals.

use actix_web::HttpRequest;
use actix_web::http::header::LINK;
use actix_web::{HttpResponse, Responder, body::BoxBody};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::{IntoParams, ToSchema};

use crate::problem::{Fault, Problem};

/// How many items a page holds where the caller does not say.
pub const DEFAULT_LIMIT: u64 = 20;
/// The most a page holds.
pub const MAX_LIMIT: u64 = 100;
const TAG_BYTES: usize = 16;

/// The key that authenticates cursors: one per database, so that every replica accepts them.
#[derive(Clone)]
pub struct CursorKey(Vec<u8>);

impl CursorKey {
    /// Wraps the secret of the installation.
    #[must_use]
    pub const fn new(secret: Vec<u8>) -> Self {
        Self(secret)
    }

    fn tag(&self, scope: &str, position: &str) -> Result<[u8; TAG_BYTES], Problem> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(Problem::internal)?;
        mac.update(scope.as_bytes());
        mac.update(&[0]);
        mac.update(position.as_bytes());
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
        Ok(tag)
    }

    /// A cursor that only the same list, with the same filters, accepts.
    fn seal(&self, scope: &str, position: &str) -> Result<String, Problem> {
        let mut bytes = self.tag(scope, position)?.to_vec();
        bytes.extend_from_slice(position.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn open(&self, scope: &str, cursor: &str) -> Result<String, Problem> {
        let refuse = || {
            Problem::malformed(vec![Fault::parameter(
                "cursor",
                "use a cursor as `next` gave it, with the same filters; without one the list starts anew",
            )])
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refuse())?;
        let (tag, position) = bytes.split_at_checked(TAG_BYTES).ok_or_else(refuse)?;
        let position = std::str::from_utf8(position).map_err(|_| refuse())?;
        if tag == self.tag(scope, position)? { Ok(position.to_owned()) } else { Err(refuse()) }
    }
}

/// Where a page starts and how much it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Key of the last item of the page before; absent on the first page.
    pub after: Option<String>,
    /// Items wanted, 1 to [`MAX_LIMIT`].
    pub limit: u64,
}

/// The paging of a list without filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items per page.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u64>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, by key.
    pub items: Vec<T>,
    /// Cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Reads and writes the pages of one list with one set of filters.
pub struct Pager<'a> {
    key: &'a CursorKey,
    path: String,
    /// The rest of the query as it was written, in alphabetical order, each part followed by `&`.
    filters: String,
    slice: Slice,
}

impl<'a> Pager<'a> {
    /// Parses `limit` and `cursor`; everything else in the query is part of what the cursor is bound to.
    ///
    /// # Errors
    /// A limit out of range, or a cursor that is not ours.
    pub fn new(
        request: &HttpRequest,
        key: &'a CursorKey,
        limit: Option<u64>,
        cursor: Option<&str>,
    ) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::malformed(vec![Fault::parameter("limit", format!("between 1 and {MAX_LIMIT}"))]));
        }
        let paging = |part: &&str| part.starts_with("cursor=") || part.starts_with("limit=") || part.is_empty();
        let mut filters: Vec<&str> = request.query_string().split('&').filter(|part| !paging(part)).collect();
        filters.sort_unstable();
        let filters = filters.iter().fold(String::new(), |all, part| format!("{all}{part}&"));
        let mut pager = Self { key, path: request.path().to_owned(), filters, slice: Slice { after: None, limit } };
        if let Some(cursor) = cursor {
            pager.slice.after = Some(key.open(&pager.scope(), cursor)?);
        }
        Ok(pager)
    }

    /// What to ask the store for: one item more than the page holds, to know whether there is a next one.
    #[must_use]
    pub fn slice(&self) -> Slice {
        Slice { after: self.slice.after.clone(), limit: self.slice.limit + 1 }
    }

    /// The id after which the page starts, for lists sorted by id.
    ///
    /// # Errors
    /// Only for a cursor of another list, which authentication already refuses.
    pub fn after_id(&self) -> Result<Option<uuid::Uuid>, Problem> {
        let after = self.slice.after.as_deref();
        after
            .map(|id| id.parse().map_err(|_| Problem::malformed(vec![Fault::parameter("cursor", "not of this list")])))
            .transpose()
    }

    fn scope(&self) -> String {
        format!("{}?{}", self.path, self.filters)
    }

    /// Makes the page from up to `limit + 1` rows; `key` is what the list is sorted by.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn page<T>(self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Result<Listed<T>, Problem> {
        let limit = usize::try_from(self.slice.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(key);
        self.listed(items, next)
    }

    /// As [`Pager::page`], of a list that grows at its end: there is always a next page, if only later. `start` is where this one began.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn feed<T>(self, mut items: Vec<T>, start: &str, key: impl Fn(&T) -> String) -> Result<Listed<T>, Problem> {
        items.truncate(usize::try_from(self.slice.limit).unwrap_or(usize::MAX));
        let next = items.last().map_or_else(|| start.to_owned(), key);
        self.listed(items, Some(next))
    }

    fn listed<T>(self, items: Vec<T>, next: Option<String>) -> Result<Listed<T>, Problem> {
        let next = next.map(|position| self.key.seal(&self.scope(), &position)).transpose()?;
        let link = next
            .as_ref()
            .map(|cursor| format!("<{}limit={}&cursor={cursor}>; rel=\"next\"", self.scope(), self.slice.limit));
        Ok(Listed { page: Page { items, next }, link })
    }
}

/// A page as an answer, with its `Link` header (RFC 8288).
pub struct Listed<T> {
    page: Page<T>,
    link: Option<String>,
}

impl<T> Listed<T> {
    /// The items of the page.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.page.items.iter()
    }

    /// The same page of something else, which may fail to be made.
    ///
    /// # Errors
    /// The first of them.
    pub fn try_map<U, E>(self, view: impl FnMut(T) -> Result<U, E>) -> Result<Listed<U>, E> {
        let Self { page: Page { items, next }, link } = self;
        let items = items.into_iter().map(view).collect::<Result<_, _>>()?;
        Ok(Listed { page: Page { items, next }, link })
    }

    /// The same page of something else.
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Listed<U> {
        let Self { page: Page { items, next }, link } = self;
        Listed { page: Page { items: items.into_iter().map(view).collect(), next }, link }
    }
}

impl<T: Serialize> Responder for Listed<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::Ok();
        if let Some(link) = self.link {
            response.insert_header((LINK, link));
        }
        response.json(self.page)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix_web::test::TestRequest;

    use super::*;

    fn key() -> CursorKey {
        CursorKey::new(b"a secret of the tests".to_vec())
    }

    #[test]
    fn a_cursor_leads_to_the_item_after_the_last() {
        let request = TestRequest::with_uri("/v1/things?kind=a").to_http_request();
        let key = key();
        let listed =
            Pager::new(&request, &key, Some(2), None).unwrap().page(vec![1, 2, 3], ToString::to_string).unwrap();
        let cursor = listed.page.next.unwrap();
        assert_eq!(listed.page.items, [1, 2]);
        assert!(listed.link.unwrap().starts_with("</v1/things?kind=a&limit=2&cursor="));
        let second = Pager::new(&request, &key, Some(2), Some(&cursor)).unwrap();
        assert_eq!(second.slice(), Slice { after: Some("2".to_owned()), limit: 3 });
    }

    #[test]
    fn a_cursor_of_other_filters_or_of_another_hand_is_refused() {
        let key = key();
        let cursor = key.seal("/v1/things?kind=a&", "2").unwrap();
        let other = TestRequest::with_uri("/v1/things?kind=b").to_http_request();
        assert!(Pager::new(&other, &key, None, Some(&cursor)).is_err());
        let same = TestRequest::with_uri("/v1/things?kind=a").to_http_request();
        for forged in ["", "AAAA", "é", &cursor[1..]] {
            assert!(Pager::new(&same, &key, None, Some(forged)).is_err(), "{forged}");
        }
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        let request = TestRequest::with_uri("/v1/things").to_http_request();
        for limit in [0, MAX_LIMIT + 1] {
            assert!(Pager::new(&request, &key(), Some(limit), None).is_err());
        }
    }
}
