//! The settings of the service, from the command line and the environment.

use std::path::PathBuf;

use clap::Args;

use crate::keyfile;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// Database to use: `sqlite:FILE` or `postgres://…`
    #[arg(long = "database", env = "ATTELAGE_DATABASE", value_name = "URL", default_value = "sqlite:attelage.sqlite")]
    pub url: String,
}

/// Where the keys are that are not in the database.
#[derive(Args, Clone, Debug)]
pub struct KeysConfig {
    /// File with the key of the audit log, made where there is none yet; beside a `SQLite` database by default
    #[arg(long, env = "ATTELAGE_AUDIT_KEY_FILE", value_name = "FILE")]
    pub audit_key_file: Option<PathBuf>,
}

impl KeysConfig {
    /// Where the key of the audit log is.
    ///
    /// # Errors
    /// A `PostgreSQL` database without a setting: each replica would make a key of its own.
    pub fn audit(&self, url: &str) -> Result<PathBuf, String> {
        let file = self.audit_key_file.clone().or_else(|| keyfile::beside(url, ".audit-key"));
        file.ok_or_else(|| {
            "the audit log needs a key that is not in the database: name its file with --audit-key-file or ATTELAGE_AUDIT_KEY_FILE, the same for every replica; it is made if there is none".to_owned()
        })
    }
}

/// Where the service listens and how much it does at once.
#[derive(Args, Clone, Debug)]
pub struct ServerConfig {
    /// Address to listen on
    #[arg(long, env = "ATTELAGE_HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "ATTELAGE_PORT", default_value_t = 8080)]
    pub port: u16,
    /// Computations at once; further ones wait their turn
    #[arg(long, env = "ATTELAGE_SOLVERS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub solvers: u16,
}
