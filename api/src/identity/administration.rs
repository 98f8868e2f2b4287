//! What an administrator of the platform does on the machine of the service.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::entity::{person, session};
use super::{IssuedApiKey, NewApiKey, attempts, keys, password, store};
use crate::access::credential::{Kind, Secret};
use crate::access::{Role, Scopes};
use crate::audit::{Log, Recorded};
use crate::database::now;
use crate::problem::{Fault, Problem};

const SHORTEST_PASSWORD: usize = 12;
const LONGEST_ADDRESS: usize = 254;

/// Makes an account that runs the platform; gives its password where none was given.
///
/// # Errors
/// An address that is taken, a password that is too short.
pub async fn create(
    log: &Log,
    email: String,
    name: String,
    password: Option<String>,
) -> Result<Option<String>, Problem> {
    if !looks_like_an_address(&email) {
        return Err(Problem::invalid(vec![Fault::parameter("email", "an address looks like name@example.org")]));
    }
    let (password, made) = chosen(password)?;
    let hash = password::hash(password).await?;
    let tx = log.begin_own("admin_create").await?;
    if store::person_by_email(&tx, &email).await?.is_some() {
        return Err(Problem::conflict("this address has an account already"));
    }
    let new = store::NewPerson { email, name, password_hash: Some(hash), provider: None, administrator: true };
    let id = store::insert_person(&tx, new).await?;
    tx.commit(Recorded::of("person", id)).await?;
    Ok(made)
}

/// Whether mail could go there, as far as one sees.
fn looks_like_an_address(email: &str) -> bool {
    let parts = email.trim().rsplit_once('@');
    let is_whole = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    is_whole && email.len() <= LONGEST_ADDRESS && !email.trim().contains(char::is_whitespace)
}

/// Gives an account another password, ends its sessions, and forgets failures to sign in to it; gives the password where none was given.
///
/// # Errors
/// An address without an account, a password that is too short.
pub async fn reset_password(log: &Log, email: &str, password: Option<String>) -> Result<Option<String>, Problem> {
    let (password, made) = chosen(password)?;
    let hash = password::hash(password).await?;
    let tx = log.begin_own("admin_reset_password").await?;
    let found = store::person_by_email(&tx, email).await?;
    let person = found.ok_or_else(|| Problem::not_found().because("this address has no account"))?;
    let row = person::ActiveModel {
        id: Set(person.id),
        version: Set(person.version + 1),
        updated_at: Set(now()),
        password_hash: Set(Some(hash)),
        ..Default::default()
    };
    person::Entity::update(row).exec(&tx).await?;
    session::Entity::delete_many().filter(session::Column::PersonId.eq(person.id)).exec(&tx).await?;
    tx.commit(Recorded::of("person", person.id)).await?;
    attempts::forget(log.db(), email).await?;
    Ok(made)
}

/// The password to use, and the one to show where it was made here.
fn chosen(given: Option<String>) -> Result<(String, Option<String>), Problem> {
    match given {
        Some(given) if given.chars().count() < SHORTEST_PASSWORD => {
            let detail = format!("a password has at least {SHORTEST_PASSWORD} characters");
            Err(Problem::invalid(vec![Fault::parameter("password", detail)]))
        }
        Some(given) => Ok((given, None)),
        None => {
            let made = Secret::generate(Kind::Session)?.reveal()[Kind::Session.prefix().len()..][..32].to_owned();
            Ok((made.clone(), Some(made)))
        }
    }
}

/// Makes a key of the platform, with every scope.
///
/// # Errors
/// The database's.
pub async fn issue_key(log: &Log, name: String, valid_days: u16) -> Result<IssuedApiKey, Problem> {
    let new = NewApiKey { name, role: Role::Owner, scopes: Scopes::all().0, valid_days };
    let tx = log.begin_own("admin_key").await?;
    let key = keys::issue(&tx, None, new).await?;
    tx.commit(keys::recorded(key.api_key.id, None)).await?;
    Ok(key)
}
