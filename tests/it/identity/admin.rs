//! `attelage admin`: what is done on the machine of the service.

use std::io::Write as _;
use std::process::Stdio;

use attelage::access::credential::{Kind, Secret};
use attelage::database;
use tempfile::TempDir;

use crate::cli::{attelage, complains, prints};

/// Runs a command with a first line of standard input; gives whether it went well, and what it printed.
fn with_password(folder: &TempDir, arguments: &[&str], password: &str) -> (bool, String) {
    let mut command = attelage(folder.path(), arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

/// Whether an account of an administrator has this password, by the database alone.
async fn signs_in(folder: &TempDir, email: &str, password: &str) -> bool {
    let url = format!("sqlite:{}", folder.path().join("attelage.sqlite").display());
    let db = database::connect(&url).await.unwrap();
    let person = attelage::identity::store::person_by_email(&db, email).await.unwrap();
    let kept = person.filter(|person| person.administrator).and_then(|person| person.password_hash);
    attelage::identity::password::verify(password.to_owned(), kept).await.unwrap()
}

#[actix_web::test]
async fn an_administrator_is_made_and_gets_another_password() {
    let folder = TempDir::new().unwrap();
    let made = prints(folder.path(), &["admin", "create", "--email", "Admin@Example.org"]);
    let made = made.trim();
    assert_eq!(made.len(), 32, "{made}");
    assert!(signs_in(&folder, "admin@example.org", made).await);
    let taken = complains(folder.path(), &["admin", "create", "--email", "admin@example.org"]);
    assert!(taken.contains("has an account already"), "{taken}");

    let reset = ["admin", "reset-password", "--email", "admin@example.org", "--password-stdin"];
    let (refused, said) = with_password(&folder, &reset, "too short");
    assert!(!refused && said.contains("12 characters") && !said.contains("too short"), "{said}");
    let (done, said) = with_password(&folder, &reset, "a password of my own");
    assert!(done && said.is_empty(), "a password that was given is not repeated: {said}");
    assert!(signs_in(&folder, "admin@example.org", "a password of my own").await);
    assert!(!signs_in(&folder, "admin@example.org", made).await);

    let unknown = complains(folder.path(), &["admin", "reset-password", "--email", "nobody@example.org"]);
    assert!(unknown.contains("no account"), "{unknown}");
    for wrong in ["admin", "admin@", "@example.org", "ad min@example.org"] {
        let said = complains(folder.path(), &["admin", "create", "--email", wrong]);
        assert!(said.contains("email: an address looks like"), "{wrong}: {said}");
    }
}

#[actix_web::test]
async fn a_key_of_the_platform_is_printed_once() {
    let folder = TempDir::new().unwrap();
    let printed = prints(folder.path(), &["admin", "key", "--name", "deployment", "--valid-days", "2"]);
    let secret = Secret::parse(printed.trim()).expect("a key and nothing else");
    assert_eq!(secret.kind(), Kind::ApiKey);
    let url = format!("sqlite:{}", folder.path().join("attelage.sqlite").display());
    let db = database::connect(&url).await.unwrap();
    let caller = attelage::identity::store::holder(&db, &secret.digest()).await.unwrap().expect("a caller").0;
    assert!(caller.is_administrator());
    let said = complains(folder.path(), &["admin", "key", "--name", "x", "--valid-days", "731"]);
    assert!(said.contains("--valid-days"), "{said}");
}
