//! The settings of the service, from the command line and the environment.

use std::path::PathBuf;

use actix_web::http::header::HeaderName;
use clap::Args;

use crate::bids::seal::SealingKey;
use crate::identity::{entrance, oidc};
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

/// How people come in.
#[derive(Args, Clone, Debug)]
pub struct IdentityConfig {
    /// Header in which a reverse proxy tells the caller's address, `X-Forwarded-For` for instance; give it only if the proxy always sets
    /// it, or callers could
    #[arg(long, env = "ATTELAGE_CLIENT_ADDRESS_HEADER", value_name = "HEADER")]
    pub client_address_header: Option<HeaderName>,
    /// Identity provider to sign in with by `OpenID` Connect
    #[arg(
        long,
        env = "ATTELAGE_OIDC_ISSUER",
        value_name = "URL",
        requires_all = ["oidc_client_id", "oidc_client_secret_file", "oidc_redirect_url"]
    )]
    pub oidc_issuer: Option<String>,
    /// Name under which the provider knows this service
    #[arg(long, env = "ATTELAGE_OIDC_CLIENT_ID", value_name = "ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,
    /// File with the secret that the provider has given
    #[arg(long, env = "ATTELAGE_OIDC_CLIENT_SECRET_FILE", value_name = "FILE", requires = "oidc_issuer")]
    pub oidc_client_secret_file: Option<PathBuf>,
    /// Where the provider sends browsers back to: this service's own address and `/v1/oidc/callback`
    #[arg(long, env = "ATTELAGE_OIDC_REDIRECT_URL", value_name = "URL", requires = "oidc_issuer")]
    pub oidc_redirect_url: Option<String>,
    /// Scopes to ask for beside `openid`
    #[arg(long, env = "ATTELAGE_OIDC_SCOPES", value_name = "SCOPES", default_value = "email profile")]
    pub oidc_scopes: String,
    /// Take addresses of which the provider does not say whether it has verified them for verified
    #[arg(long, env = "ATTELAGE_OIDC_VERIFIED_ADDRESSES")]
    pub oidc_verified_addresses: bool,
}

impl IdentityConfig {
    /// The settings that follow from it.
    ///
    /// # Errors
    /// A secret that cannot be read, or addresses that cannot be used.
    pub fn settings(self) -> Result<entrance::Settings, String> {
        let address_header = self.client_address_header;
        let (Some(issuer), Some(client), Some(file), Some(redirect)) =
            (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret_file, self.oidc_redirect_url)
        else {
            return Ok(entrance::Settings { oidc: None, address_header });
        };
        let secret =
            std::fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let oidc = oidc::Settings::new(&issuer, &client, &secret, &redirect, &self.oidc_scopes);
        let oidc = oidc.map_err(|error| error.to_string())?;
        let oidc = if self.oidc_verified_addresses { oidc.with_verified_addresses() } else { oidc };
        Ok(entrance::Settings { oidc: Some(oidc), address_header })
    }
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
