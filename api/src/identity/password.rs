//! Passwords: Argon2id, on threads where they disturb nobody.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::problem::{Kind, Problem};

/// 19 MiB, two passes, one lane: the second of the settings that OWASP recommends. Some 20 ms.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const SALT_BYTES: usize = 16;
/// How many passwords are looked at at once: each takes a processor and its memory.
static PLACES: Semaphore = Semaphore::const_new(2);
/// How many may wait for a place: the others are told to come back.
static PATIENCE: Semaphore = Semaphore::const_new(32);

/// A hash that no password gives: checked where there is no account, so that this takes as long as where there is one.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| hash_now("").ok());

fn argon2() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(Problem::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String, Problem> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(Problem::internal)?;
    let salt = SaltString::encode_b64(&salt).map_err(Problem::internal)?;
    Ok(argon2()?.hash_password(password.as_bytes(), &salt).map_err(Problem::internal)?.to_string())
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let _patience = PATIENCE.try_acquire().map_err(|_| Problem::new(Kind::Unavailable))?;
    let _place = PLACES.acquire().await.map_err(Problem::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

/// What is kept of a password, in PHC format.
///
/// # Errors
/// Too many at once.
pub async fn hash(password: String) -> Result<String, Problem> {
    on_a_thread(move || hash_now(&password)).await?
}

/// Whether a password is the one that was kept. Takes as long where none was.
///
/// # Errors
/// Too many at once.
pub async fn verify(password: String, kept: Option<String>) -> Result<bool, Problem> {
    on_a_thread(move || {
        let known = kept.is_some();
        let Some(kept) = kept.or_else(|| NOBODYS.clone()) else { return false };
        let Ok(hash) = PasswordHash::new(&kept) else { return false };
        let same = argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &hash).is_ok());
        same && known
    })
    .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[actix_web::test]
    async fn a_password_is_recognised_and_no_other() {
        let kept = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("correct horse battery".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!verify("correct horse batterz".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!verify(String::new(), None).await.unwrap(), "nobody has the empty password");
        assert_ne!(hash("correct horse battery".to_owned()).await.unwrap(), kept, "each has its own salt");
    }
}
