//! The golden example: a call of the Métropole de Lyon, computed on a fresh database.

use std::net::TcpListener;

use crate::config::ServerConfig;
use crate::server::StartError;

/// stub
pub async fn run(
    _: &ServerConfig,
    _: bool,
    _: fn(&ServerConfig) -> Result<TcpListener, StartError>,
) -> Result<(), StartError> {
    Ok(())
}
