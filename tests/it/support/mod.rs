//! The harness: a database per test on both engines, a client that checks every answer against the OpenAPI document.

pub mod app;
pub mod bidding;
pub mod collector;
pub mod contract;
pub mod database;
pub mod issuer;
pub mod logs;
pub mod people;
pub mod postgres;
pub mod program;
pub mod receiver;
pub mod sample;
mod seal;
pub mod secrets;
pub mod service;
pub mod smtp;
pub mod wire;
pub mod world;

/// A size of a test: `short` as a rule, `full` with `ATTELAGE_TEST_FULL=1` in the environment.
pub fn size(short: usize, full: usize) -> usize {
    if std::env::var_os("ATTELAGE_TEST_FULL").is_some_and(|value| value == "1") { full } else { short }
}

/// Writes each scenario once and runs it on both engines, as `scenario::on_sqlite` and `scenario::on_postgres`.
///
/// ```ignore
/// on_both_engines! {
///     async fn an_organisation_keeps_its_name(engine) {
///         let app = spawn(engine).await;
///         …
///     }
/// }
/// ```
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($engine:ident) $body:block)+) => {
        $(
            $(#[$meta])*
            mod $name {
                use super::*;

                async fn scenario($engine: $crate::support::database::Engine) $body

                #[actix_web::test]
                async fn on_sqlite() {
                    scenario($crate::support::database::Engine::Sqlite).await;
                }

                #[actix_web::test]
                async fn on_postgres() {
                    scenario($crate::support::database::Engine::Postgres).await;
                }
            }
        )+
    };
}

pub(crate) use on_both_engines;
