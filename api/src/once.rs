//! `Idempotency-Key`: a request that is sent again with the same key has no second effect, and gets the same answer.
//!
//! The key is claimed in the transaction of the effect, before anything else is written: of requests that meet, one has the effect,
//! and the others wait for its end and answer as it did. A request that is refused leaves nothing, so that its key can be used
//! again once it is mended. Keys are kept for seven days.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderMap, HeaderName, LOCATION};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, body::MessageBody as _};
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use crate::access::Caller;
use crate::app::App;
use crate::audit::{Recorded, Write};
use crate::codes::sha256_hex;
use crate::database::now;
use crate::problem::{Fault, Problem};

/// Name of the header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST_KEY: usize = 255;
const KEPT: TimeDelta = TimeDelta::days(7);

/// A row of `idempotency_key`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    /// Whose key: [`Caller::name`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: String,
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// SHA-256 of the request.
    pub request: String,
    /// What was answered; absent within the transaction that claims the key, and where the answer named somebody who was erased.
    pub status: Option<i16>,
    /// Its `Location`.
    pub location: Option<String>,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its body, in JSON.
    pub body: Option<String>,
    /// When the key was claimed.
    pub created_at: DateTimeUtc,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// SHA-256 of the body of a request, left by whoever read it.
pub struct BodyDigest(pub String);

/// Has something else kept of a request than the digest of its body, from which who has the database could guess a short one.
///
/// # Errors
/// Those of `blinded`.
pub fn blind(request: &HttpRequest, blinded: impl FnOnce(&str) -> Result<String, Problem>) -> Result<(), Problem> {
    let mut extensions = request.extensions_mut();
    let digest = blinded(extensions.get::<BodyDigest>().map_or("", |digest| digest.0.as_str()))?;
    extensions.insert(BodyDigest(digest));
    Ok(())
}

/// Who sends a request, and the key of the request, if it has one.
pub struct Once {
    caller: Caller,
    claim: Option<Claim>,
}

struct Claim {
    caller: String,
    key: String,
    request: HttpRequest,
}

impl FromRequest for Once {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        let once = caller.ok_or_else(|| Problem::internal("a route that is not guarded")).and_then(|caller| {
            let claim = |key| Claim { caller: caller.name(), key, request: request.clone() };
            let claim = key(request.headers())?.map(claim);
            Ok(Self { caller, claim })
        });
        ready(once)
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(&HEADER);
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| (1..=LONGEST_KEY).contains(&text.len()) && values.next().is_none());
    let Some(text) = text else {
        let expected = format!("once, 1 to {LONGEST_KEY} visible ASCII characters: a fresh UUID is a good key");
        return Err(Problem::malformed(vec![Fault::parameter("Idempotency-Key", expected)]));
    };
    Ok(Some(text.to_owned()))
}

impl Once {
    /// Of a caller without a request, and so without a key.
    #[must_use]
    pub fn without_key(caller: Caller) -> Self {
        Self { caller, claim: None }
    }

    /// Writes in a transaction of its own, which says what it did, unless that has been done under this key: then the answer is the one of that time.
    ///
    /// # Errors
    /// Those of `effect`; nothing is written then. A key that was used with another request.
    pub async fn write(
        self,
        app: &App,
        effect: impl AsyncFnOnce(&Write) -> Result<(HttpResponse, Recorded), Problem>,
    ) -> Result<HttpResponse, Problem> {
        let tx = app.log.begin(&self.caller).await?;
        if let Some(before) = self.claim(&tx).await? {
            return answer(&before);
        }
        let (response, recorded) = effect(&tx).await?;
        let response = self.keep(&tx, response).await?;
        tx.commit(recorded).await?;
        Ok(response)
    }

    /// As [`Once::write`], of an answer that holds a secret: it is not kept, and so cannot be given twice.
    ///
    /// # Errors
    /// Those of `effect`; 409 where it was had under this key before.
    pub async fn issue(
        self,
        app: &App,
        effect: impl AsyncFnOnce(&Write) -> Result<(HttpResponse, Recorded), Problem>,
    ) -> Result<HttpResponse, Problem> {
        let tx = app.log.begin(&self.caller).await?;
        if self.claim(&tx).await?.is_some() {
            let detail = "this was done under the same key, and its secret is shown once: if it is lost, revoke it and make another";
            return Err(Problem::conflict(detail));
        }
        let (response, recorded) = effect(&tx).await?;
        self.keep(&tx, HttpResponse::build(response.status()).finish()).await?;
        tx.commit(recorded).await?;
        Ok(response)
    }

    /// What was answered to this request before. One query, none without a key.
    ///
    /// # Errors
    /// A key that was used with another request.
    pub async fn before(&self, db: &impl ConnectionTrait) -> Result<Option<Model>, Problem> {
        let Some(Claim { caller, key, request }) = &self.claim else { return Ok(None) };
        let found = Entity::find_by_id((caller.clone(), key.clone())).one(db).await?;
        match found.filter(|row| row.created_at > now() - KEPT) {
            Some(row) if row.request != fingerprint(request) => Err(Problem::invalid(vec![Fault::parameter(
                "Idempotency-Key",
                "was used with another request: take a fresh key for each",
            )])),
            found => Ok(found),
        }
    }

    /// Takes the key for this transaction, or tells what was answered under it before. Waits for a transaction that holds it.
    ///
    /// # Errors
    /// A key that was used with another request.
    pub async fn claim(&self, tx: &DatabaseTransaction) -> Result<Option<Model>, Problem> {
        let Some(Claim { caller, key, request }) = &self.claim else { return Ok(None) };
        let old = Column::CreatedAt.lte(now() - KEPT);
        Entity::delete_many()
            .filter(Column::Caller.eq(caller))
            .filter(Column::Key.eq(key))
            .filter(old)
            .exec(tx)
            .await?;
        let row = ActiveModel {
            caller: Set(caller.clone()),
            key: Set(key.clone()),
            request: Set(fingerprint(request)),
            created_at: Set(now()),
            ..Default::default()
        };
        let first = OnConflict::columns([Column::Caller, Column::Key]).do_nothing().to_owned();
        let claimed = Entity::insert(row).on_conflict(first).exec_without_returning(tx).await?;
        if claimed == 1 { Ok(None) } else { self.before(tx).await }
    }

    /// Keeps the answer under the key that this transaction holds; gives the answer back. One query, none without a key.
    ///
    /// # Errors
    /// An answer that is not in memory as a whole, or not text.
    pub async fn keep(&self, tx: &DatabaseTransaction, response: HttpResponse) -> Result<HttpResponse, Problem> {
        let Some(Claim { caller, key, .. }) = &self.claim else { return Ok(response) };
        let (head, body) = response.into_parts();
        let body = body.try_into_bytes().map_err(|_| Problem::internal("an answer that is streamed cannot be kept"))?;
        let body = String::from_utf8(body.to_vec()).map_err(Problem::internal)?;
        let header = |name| head.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let row = ActiveModel {
            caller: Set(caller.clone()),
            key: Set(key.clone()),
            status: Set(i16::try_from(head.status().as_u16()).ok()),
            location: Set(header(LOCATION)),
            etag: Set(header(ETAG)),
            body: Set(Some(body).filter(|body| !body.is_empty())),
            ..Default::default()
        };
        answer(&Entity::update(row).exec(tx).await?)
    }
}

/// SHA-256 of method, path, query and body.
fn fingerprint(request: &HttpRequest) -> String {
    let extensions = request.extensions();
    let body = extensions.get::<BodyDigest>().map_or("", |digest| digest.0.as_str());
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    sha256_hex(format!("{} {path}\n{body}", request.method()).as_bytes())
}

/// The answer that was kept.
///
/// # Errors
/// 409 where it named somebody who has been erased since.
pub(crate) fn answer(kept: &Model) -> Result<HttpResponse, Problem> {
    let forgotten = || {
        let detail = "this was done under the same key, and its answer named somebody who has been erased since";
        Problem::conflict(detail)
    };
    let status = kept.status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
    let mut response = HttpResponse::build(status.ok_or_else(forgotten)?);
    for (name, value) in [(LOCATION, &kept.location), (ETAG, &kept.etag)] {
        if let Some(value) = value {
            response.insert_header((name, value.as_str()));
        }
    }
    Ok(match &kept.body {
        Some(body) => response.content_type("application/json").body(body.clone()),
        None => response.finish(),
    })
}

/// Forgets the keys of a person who is erased, and what was answered to others that names them. Two queries; O(keys).
///
/// # Errors
/// The database's.
pub async fn erase(db: &impl ConnectionTrait, person: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Caller.eq(format!("person:{person}"))).exec(db).await?;
    let forgotten = ActiveModel { status: Set(None), body: Set(None), ..Default::default() };
    Entity::update_many().set(forgotten).filter(Column::Body.contains(person.to_string())).exec(db).await?;
    Ok(())
}

/// Forgets keys whose time is over. One query.
///
/// # Errors
/// The database's.
pub async fn forget(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::CreatedAt.lte(now() - KEPT)).exec(db).await?.rows_affected)
}
