//! The settings of the service, from the command line and the environment.

use std::path::PathBuf;

use clap::Args;

use crate::bids::seal::SealingKey;
use crate::keyfile;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// Database to use: `sqlite:FILE` or `postgres://…`
    #[arg(long = "database", env = "ATTELAGE_DATABASE", value_name = "URL", default_value = "sqlite:attelage.sqlite")]
    pub url: String,
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

/// Where the key is that seals bids: never in the database.
#[derive(Args, Clone, Debug)]
pub struct SealingConfig {
    /// File of the key that seals bids, made where there is none [default: beside the file of an SQLite database]
    #[arg(long = "sealing-key-file", env = "ATTELAGE_SEALING_KEY_FILE", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

impl SealingConfig {
    /// Reads the key; makes one for a database that has none.
    ///
    /// # Errors
    /// A file that is not named and has no default, or that cannot be used.
    pub fn key(&self, database: &DatabaseConfig) -> Result<SealingKey, String> {
        let file = self.file.clone().or_else(|| keyfile::beside(&database.url, "sealing-key"));
        let missing = "say where the key is that seals bids, outside of the database: --sealing-key-file or ATTELAGE_SEALING_KEY_FILE";
        let key = keyfile::read_or_create(&file.ok_or(missing)?).map_err(|error| error.to_string())?;
        Ok(SealingKey::new(key))
    }
}
