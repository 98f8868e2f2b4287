//! The settings of the service, from the command line and the environment.

use clap::Args;

use crate::server::Setup;
use crate::{edge, limits};

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
    /// How much may be asked
    #[command(flatten)]
    pub limits: LimitsConfig,
    /// What is said about the service to the outside
    #[command(flatten)]
    pub edge: EdgeConfig,
}

/// How much may be asked.
#[derive(Args, Clone, Debug, Default)]
pub struct LimitsConfig {
    /// Requests a minute of one key or person; 0 for no limit
    #[arg(long, env = "ATTELAGE_REQUESTS_PER_MINUTE", default_value_t = 1_200)]
    pub requests_per_minute: u32,
    /// Requests a minute of one network address without a valid credential; 0 for no limit
    #[arg(long, env = "ATTELAGE_REQUESTS_PER_MINUTE_OF_ADDRESS", default_value_t = 300)]
    pub requests_per_minute_of_address: u32,
    /// Seconds of the solver in 24 hours, for one organisation; 0 for no limit
    #[arg(long, env = "ATTELAGE_SOLVER_SECONDS_PER_DAY", default_value_t = 14_400)]
    pub solver_seconds_per_day: u32,
}

/// What is said about the service to the outside.
#[derive(Args, Clone, Debug, Default)]
pub struct EdgeConfig {
    /// Address under which people and programs find the service, `https://…`
    #[arg(long, env = "ATTELAGE_PUBLIC_URL", value_name = "URL", value_parser = web_address)]
    pub public_url: Option<String>,
    /// Site whose pages may call the service, `https://…`, or `*` for all; give it several times for several. None by default
    #[arg(long = "cors-origin", env = "ATTELAGE_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
    /// Where to report a vulnerability, `mailto:…` or `https://…`: told in `/.well-known/security.txt`
    #[arg(long, env = "ATTELAGE_SECURITY_CONTACT", value_name = "URI", value_parser = contact)]
    pub security_contact: Option<String>,
}

impl ServerConfig {
    /// The same as a setup.
    #[must_use]
    pub fn setup(&self) -> Setup {
        let Self { host: _, port: _, solvers, limits, edge } = self;
        let limits = limits::Settings {
            per_minute: limits.requests_per_minute,
            per_minute_of_address: limits.requests_per_minute_of_address,
            solver_seconds_per_day: limits.solver_seconds_per_day,
        };
        let EdgeConfig { public_url, cors_origins, security_contact } = edge.clone();
        Setup { solvers: *solvers, limits, edge: edge::Settings { public_url, cors_origins, security_contact } }
    }
}

/// An address of the web, without what follows the path.
fn web_address(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let is_plain = host.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\@".contains(&byte));
    if host.is_empty() || host.starts_with('/') || !is_plain {
        return Err("write https://HOST".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// As browsers send it: a scheme, a host, perhaps a port.
fn origin(text: &str) -> Result<String, String> {
    let is_origin = |text: &str| web_address(text).is_ok_and(|url| url == text && url.matches('/').count() == 2);
    if text == "*" || is_origin(text) { Ok(text.to_owned()) } else { Err("write https://HOST or *".to_owned()) }
}

/// A URI of one line.
fn contact(text: &str) -> Result<String, String> {
    let is_known = ["mailto:", "https://", "tel:"].iter().any(|scheme| text.starts_with(scheme));
    let is_uri = is_known && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_uri { Ok(text.to_owned()) } else { Err("write mailto:ADDRESS or https://…".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_what_browsers_and_programs_can_use() {
        assert_eq!(web_address("https://a.example/").as_deref(), Ok("https://a.example"));
        for wrong in
            ["", "a.example", "https://", "ftp://a.example", "https://a b", "https://u@a", "https:///x", "http://a?b"]
        {
            assert!(web_address(wrong).is_err(), "{wrong}");
        }
        for right in ["*", "https://a.example", "http://localhost:3000"] {
            assert!(origin(right).is_ok(), "{right}");
        }
        for wrong in ["", "null", "a.example", "https://a.example/", "https://a.example/x"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
        assert!(contact("mailto:s@a.example").is_ok() && contact("https://a.example/report").is_ok());
        for wrong in ["", "s@a.example", "mailto:a\nExpires: never", "http://a.example"] {
            assert!(contact(wrong).is_err(), "{wrong}");
        }
    }
}
