//! The settings of the service, from the command line and the environment.

use clap::Args;

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
