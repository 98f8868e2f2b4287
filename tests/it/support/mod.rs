//! The harness: a database per test on both engines, a client that checks every answer against the OpenAPI document.

pub mod app;
pub mod contract;
pub mod database;
pub mod logs;
pub mod postgres;
pub mod sample;
mod seal;
pub mod secrets;
pub mod service;
pub mod world;

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
