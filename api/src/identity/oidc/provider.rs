//! The identity provider: what it publishes, where it sends people, and what it vouches for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims,
    CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError, CsrfToken,
    Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RequestTokenError, Scope,
    SignatureVerificationError, StandardClaims, SubjectIdentifier, TokenResponse as _, UserInfoClaims, UserInfoError,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::Settings;
use super::http::{Http, is_private};
use super::pending::{LASTS, Link, Pending, Seal};
use crate::database::now;
use crate::problem::{Kind, Problem};

/// How long published keys and addresses are trusted without asking again.
const FRESH: Duration = Duration::from_hours(1);
/// How long a provider that did not answer is left alone.
const RESPITE: Duration = Duration::from_secs(5);
/// How old a token may be, and how far a provider's clock may be ahead.
const OLDEST_TOKEN: TimeDelta = TimeDelta::minutes(10);
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);
const ALGORITHMS: [CoreJwsSigningAlgorithm; 2] =
    [CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256, CoreJwsSigningAlgorithm::EcdsaP256Sha256];

/// An identity provider.
pub struct Provider {
    settings: Settings,
    http: Http,
    seal: Seal,
    published: Mutex<Published>,
}

#[derive(Default)]
struct Published {
    metadata: Option<(Arc<CoreProviderMetadata>, Instant)>,
    failed_at: Option<Instant>,
}

/// What a provider says of somebody.
pub struct Vouched {
    /// Who says so.
    pub issuer: String,
    /// By what it knows them, for ever.
    pub subject: String,
    /// Where they are reached.
    pub email: Option<String>,
    /// Whether it has verified that.
    pub email_is_verified: bool,
    /// What they are called.
    pub name: Option<String>,
    /// Lets its bearer ask for more.
    access: AccessToken,
}

/// Claims beyond the standard: the state's providers call a family name so.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct FrenchClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    usual_name: Option<String>,
}

impl AdditionalClaims for FrenchClaims {}

/// A client that knows the endpoints: a macro, since its type names each of them.
macro_rules! client {
    ($provider:expr, $metadata:expr) => {{
        let Settings { client, secret, redirect, .. } = &$provider.settings;
        let methods = $metadata.token_endpoint_auth_methods_supported();
        let by_body = methods.is_some_and(|methods| !methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        CoreClient::from_provider_metadata((*$metadata).clone(), client.clone(), Some(secret.clone()))
            .set_redirect_uri(redirect.clone())
            .set_auth_type(if by_body { AuthType::RequestBody } else { AuthType::BasicAuth })
    }};
}

impl Provider {
    /// A provider that is not asked anything yet.
    ///
    /// # Errors
    /// A system that trusts no certificate.
    pub fn new(settings: Settings, secret: &[u8]) -> Result<Self, Problem> {
        Ok(Self { settings, http: Http::new()?, seal: Seal::new(secret), published: Mutex::default() })
    }

    /// What seals unfinished sign-ins.
    #[must_use]
    pub const fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Whether `issuer` is this provider.
    #[must_use]
    pub fn is(&self, issuer: &str) -> bool {
        self.settings.issuer.as_str() == issuer
    }

    /// Begins a sign-in, or the linking of an account: where to send the browser, and what to remember.
    ///
    /// # Errors
    /// 503 where the provider does not answer.
    pub async fn begin(&self, link: Option<Link>) -> Result<(String, Pending), Problem> {
        let metadata = self.published(None).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = client!(self, metadata);
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        if !is_private(&url) {
            return Err(unavailable("its page for signing in is not an https URL"));
        }
        let pending = Pending {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            until: now() + LASTS,
            link,
        };
        Ok((url.into(), pending))
    }

    /// What the provider vouches for, by the code that the browser brought. One request to the provider, mostly.
    ///
    /// # Errors
    /// 503 where the provider does not answer, 401 where it knows no such code or its token is not what it must be.
    pub async fn vouch(&self, code: String, pending: &Pending) -> Result<Vouched, Problem> {
        let metadata = self.published(None).await?;
        let client = client!(self, metadata);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(unavailable)?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(answer) => refused(answer.error()),
                RequestTokenError::Request(cause) => unavailable(cause),
                other => unavailable(other),
            })?;
        let token = tokens.id_token().ok_or_else(|| refused("no identity token"))?;
        let nonce = Nonce::new(pending.nonce.clone());
        let claims = match verify(&verifier(&client.id_token_verifier()), token, tokens.access_token(), &nonce) {
            // The provider may have taken another key since.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let newer = self.published(Some(&metadata)).await?;
                let client = client!(self, newer);
                verify(&verifier(&client.id_token_verifier()), token, tokens.access_token(), &nonce)
            }
            verified => verified,
        };
        let claims = claims.map_err(refused)?;
        Ok(Vouched {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_is_verified: self.is_verified(claims.email_verified()),
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
            access: tokens.access_token().clone(),
        })
    }

    /// Asks for an address and a name where the token has told neither. At most one request to the provider.
    ///
    /// # Errors
    /// 503 where the provider does not answer, 401 where it tells of somebody else.
    pub async fn complete(&self, vouched: &mut Vouched) -> Result<(), Problem> {
        if vouched.email.is_some() && vouched.name.is_some() {
            return Ok(());
        }
        let metadata = self.published(None).await?;
        let client = client!(self, metadata);
        let subject = SubjectIdentifier::new(vouched.subject.clone());
        let Ok(request) = client.user_info(vouched.access.clone(), Some(subject)) else { return Ok(()) };
        let told: UserInfoClaims<FrenchClaims, CoreGenderClaim> =
            request.request_async(&self.http).await.map_err(|error| match error {
                UserInfoError::ClaimsVerification(cause) => refused(cause),
                other => unavailable(other),
            })?;
        if vouched.email.is_none() {
            let standard = told.standard_claims();
            vouched.email = standard.email().map(|email| email.to_string());
            vouched.email_is_verified = self.is_verified(standard.email_verified());
        }
        vouched.name = vouched.name.take().or_else(|| full_name(&told));
        Ok(())
    }

    fn is_verified(&self, said: Option<bool>) -> bool {
        said.unwrap_or(self.settings.addresses_are_verified)
    }

    /// What the provider publishes: kept for an hour, asked for again where `stale` is what was found wanting. Those who meet wait for one
    /// answer; where there is none, the next are refused at once for a moment.
    async fn published(&self, stale: Option<&Arc<CoreProviderMetadata>>) -> Result<Arc<CoreProviderMetadata>, Problem> {
        let mut published = self.published.lock().await;
        let is_wanting = |kept: &Arc<CoreProviderMetadata>| stale.is_some_and(|stale| Arc::ptr_eq(stale, kept));
        if let Some((kept, since)) = &published.metadata
            && since.elapsed() < FRESH
            && !is_wanting(kept)
        {
            return Ok(Arc::clone(kept));
        }
        if published.failed_at.is_some_and(|failed| failed.elapsed() < RESPITE) {
            return Err(Problem::new(Kind::Unavailable).because(SILENT));
        }
        match CoreProviderMetadata::discover_async(self.settings.issuer.clone(), &self.http).await {
            Ok(found) => {
                let found = Arc::new(found);
                *published = Published { metadata: Some((Arc::clone(&found), Instant::now())), failed_at: None };
                Ok(found)
            }
            Err(error) => {
                published.failed_at = Some(Instant::now());
                Err(unavailable(error))
            }
        }
    }
}

/// Takes asymmetric signatures only: a provider's keys are public.
fn verifier<'a>(of_client: &CoreIdTokenVerifier<'a>) -> CoreIdTokenVerifier<'a> {
    of_client.clone().set_allowed_algs(ALGORITHMS).set_issue_time_verifier_fn(|issued| {
        let age = Utc::now() - issued;
        if age < -CLOCK_SKEW || age > OLDEST_TOKEN { Err(format!("issued at {issued}")) } else { Ok(()) }
    })
}

/// Checks signature, issuer, audience, nonce, times, and that the access token is the one that it speaks of.
fn verify(
    verifier: &CoreIdTokenVerifier<'_>,
    token: &CoreIdToken,
    access: &AccessToken,
    nonce: &Nonce,
) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
    let claims = token.claims(verifier, nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let signature = ClaimsVerificationError::SignatureVerification;
        let algorithm = token.signing_alg().map_err(signature)?;
        let key = token.signing_key(verifier).map_err(signature)?;
        let other = |error: openidconnect::SigningError| ClaimsVerificationError::Other(error.to_string());
        if AccessTokenHash::from_token(access, algorithm, key).map_err(other)? != *expected {
            return Err(ClaimsVerificationError::Other("the access token is another one".to_owned()));
        }
    }
    Ok(claims.clone())
}

/// A name, or its parts in a row.
fn full_name(claims: &UserInfoClaims<FrenchClaims, CoreGenderClaim>) -> Option<String> {
    let standard: &StandardClaims<CoreGenderClaim> = claims.standard_claims();
    if let Some(name) = standard.name().and_then(|name| name.get(None)) {
        return Some(name.as_str().to_owned());
    }
    let given = standard.given_name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
    let family = standard.family_name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
    let family = family.or_else(|| claims.additional_claims().usual_name.clone());
    let parts: Vec<String> = given.into_iter().chain(family).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

const SILENT: &str = "the identity provider does not answer";

/// The cause goes to the log: it may tell of our network.
fn unavailable(cause: impl std::fmt::Display) -> Problem {
    tracing::warn!(%cause, "the identity provider does not answer as it should");
    Problem::new(Kind::Unavailable).because(SILENT)
}

fn refused(cause: impl std::fmt::Display) -> Problem {
    tracing::warn!(%cause, "a sign-in by the identity provider was refused");
    Problem::new(Kind::Unauthenticated).because("the identity provider did not confirm who you are: begin again")
}
