//! The settings of the service, from the command line and the environment.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::header::HeaderName;
use chrono::TimeDelta;
use clap::Args;
use ipnet::IpNet;

use crate::bids::seal::SealingKey;
use crate::identity::{entrance, oidc};
use crate::keyfile::Key;
use crate::server::Setup;
use crate::{edge, keyfile, limits, mail, runs, webhooks};

pub mod file;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// Database to use: `sqlite:FILE` or `postgres://…`
    #[arg(
        long = "database",
        global = true,
        env = "ATTELAGE_DATABASE",
        value_name = "URL",
        default_value = "sqlite:attelage.sqlite"
    )]
    pub url: String,
}

/// Where the key of the audit log is: never in the database.
#[derive(Args, Clone, Debug)]
pub struct AuditConfig {
    /// File with the key of the audit log, made where there is none [default: beside the file of an SQLite database]
    #[arg(long, global = true, env = "ATTELAGE_AUDIT_KEY_FILE", value_name = "FILE")]
    pub audit_key_file: Option<PathBuf>,
}

impl AuditConfig {
    /// Where the key of the audit log is.
    ///
    /// # Errors
    /// A `PostgreSQL` database without a setting: each replica would make a key of its own.
    pub fn file(&self, database: &DatabaseConfig) -> Result<PathBuf, String> {
        let file = self.audit_key_file.clone().or_else(|| keyfile::beside(&database.url, "audit-key"));
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
    /// Seconds to go on answering after SIGTERM, while `/health/ready` says no: longer than a load balancer takes to turn away
    #[arg(long, env = "ATTELAGE_DRAIN", value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=300))]
    pub drain: u16,
    /// How runs are computed
    #[command(flatten)]
    pub runs: RunsConfig,
    /// How much may be asked
    #[command(flatten)]
    pub limits: LimitsConfig,
    /// What is said about the service to the outside
    #[command(flatten)]
    pub edge: EdgeConfig,
    /// Where and how events are sent
    #[command(flatten)]
    pub webhooks: WebhooksConfig,
}

/// What is told to those who operate the service.
#[derive(Args, Clone, Debug, Default)]
pub struct TelemetryConfig {
    /// Address to serve metrics on, `127.0.0.1:9464`: one that nobody outside reaches. None are served by default
    #[arg(long, env = "ATTELAGE_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,
}

impl TelemetryConfig {
    /// Opens the listener for metrics, where there is to be one.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub fn listener(&self) -> Result<Option<TcpListener>, String> {
        let listen = |address: SocketAddr| {
            let listener = TcpListener::bind(address);
            listener.map_err(|error| format!("cannot serve metrics on {address}: {error}"))
        };
        self.metrics_listen.map(listen).transpose()
    }
}

/// How runs are computed.
#[derive(Args, Clone, Debug)]
pub struct RunsConfig {
    /// Computations at once in this process; 0 leaves them to `attelage worker`. Further ones wait their turn
    #[arg(long, env = "ATTELAGE_SOLVERS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=64))]
    pub solvers: u16,
    /// Memory that one computation may have
    #[arg(long, env = "ATTELAGE_SOLVER_MEMORY", value_name = "MIB", default_value_t = 2_048, value_parser = clap::value_parser!(u64).range(256..))]
    pub solver_memory: u64,
    /// Seconds after which the computations of a process that has gone silent are given to another
    #[arg(long = "lease", env = "ATTELAGE_LEASE", value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=3_600))]
    pub lease: u16,
    /// Days to keep runs that are over, 8 at least, unless their call is still published; 0 to keep them for ever. Only services delete
    /// them, not workers: give it to each service
    #[arg(long = "runs-kept", env = "ATTELAGE_RUNS_KEPT", value_name = "DAYS", default_value_t = 365, value_parser = days)]
    pub kept: u16,
}

impl RunsConfig {
    /// The settings that follow from it.
    #[must_use]
    pub fn settings(&self) -> runs::Settings {
        let Self { solvers, solver_memory, lease, kept } = self;
        let lease = Duration::from_secs(u64::from(*lease));
        let kept = (*kept > 0).then(|| TimeDelta::days(i64::from(*kept)));
        runs::Settings { solvers: *solvers, memory_mib: *solver_memory, lease, kept, ..runs::Settings::default() }
    }
}

/// Where and how events are sent.
#[derive(Args, Clone, Debug, Default)]
pub struct WebhooksConfig {
    /// Network that webhooks may reach although it is not public, `10.1.0.0/16`; give it several times for several. None by default
    #[arg(long = "webhook-network", env = "ATTELAGE_WEBHOOK_NETWORKS", value_name = "NETWORK", value_delimiter = ',')]
    pub networks: Vec<IpNet>,
    /// Let webhooks lead to `http://…`: for development
    #[arg(long = "webhooks-over-http", env = "ATTELAGE_WEBHOOKS_OVER_HTTP")]
    pub over_http: bool,
    /// Seconds to wait after each attempt that fails; after as many, a delivery has failed
    #[arg(
        long = "webhook-retries",
        env = "ATTELAGE_WEBHOOK_RETRIES",
        value_name = "SECONDS",
        value_delimiter = ',',
        default_values_t = webhooks::RETRIES
    )]
    pub retries: Vec<u64>,
    /// Hours without a success after which a webhook is switched off
    #[arg(long = "webhook-patience", env = "ATTELAGE_WEBHOOK_PATIENCE", value_name = "HOURS", default_value_t = 72, value_parser = clap::value_parser!(u16).range(1..))]
    pub patience: u16,
}

impl WebhooksConfig {
    fn settings(&self) -> webhooks::Settings {
        let Self { networks, over_http, retries, patience } = self;
        webhooks::Settings {
            networks: networks.clone(),
            over_http: *over_http,
            retries: retries.iter().copied().map(Duration::from_secs).collect(),
            patience: Duration::from_hours(u64::from(*patience)),
            ..webhooks::Settings::default()
        }
    }
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
    /// Requests that are looked after at once; further ones are told to come back. 0 for no limit
    #[arg(long, env = "ATTELAGE_REQUESTS_AT_ONCE", default_value_t = 256)]
    pub requests_at_once: u32,
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
    /// The setup that follows from it, with how people come in and the keys that are not in the database.
    #[must_use]
    pub fn setup(&self, entrance: entrance::Settings, sealing: SealingKey, audit: Key) -> Setup {
        let Self { host: _, port: _, drain, runs, limits, edge, webhooks } = self;
        let drain = Duration::from_secs(u64::from(*drain));
        let limits = limits::Settings {
            per_minute: limits.requests_per_minute,
            per_minute_of_address: limits.requests_per_minute_of_address,
            solver_seconds_per_day: limits.solver_seconds_per_day,
            at_once: limits.requests_at_once,
        };
        let EdgeConfig { public_url, cors_origins, security_contact } = edge.clone();
        let edge = edge::Settings { public_url, cors_origins, security_contact };
        let webhooks = webhooks.settings();
        Setup { runs: runs.settings(), entrance, sealing, audit, limits, edge, webhooks, mail: None, drain }
    }
}

/// How many days runs are kept: as long as requests can be sent again, with a run of the day before as their answer.
fn days(text: &str) -> Result<u16, String> {
    let days = text.parse().ok().filter(|days| *days == 0 || *days >= 8);
    days.ok_or_else(|| "write 0, or 8 and more".to_owned())
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
        let is_begun = self.oidc_issuer.is_some() || self.oidc_client_id.is_some() || self.oidc_redirect_url.is_some();
        let (Some(issuer), Some(client), Some(file), Some(redirect)) =
            (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret_file, self.oidc_redirect_url)
        else {
            // On the command line the one asks for the others; in a file nothing does.
            if is_begun {
                let words = "an identity provider needs oidc-issuer, oidc-client-id, oidc-client-secret-file and oidc-redirect-url: set all or none";
                return Err(words.to_owned());
            }
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

/// The server that mails go through.
#[derive(Args, Clone, Debug)]
pub struct MailConfig {
    /// SMTP server to send mails through; none are sent without
    #[arg(long, env = "ATTELAGE_SMTP_HOST", value_name = "HOST", requires = "mail_from")]
    pub smtp_host: Option<String>,
    /// Its port [default: 465, 587 or 25, by --smtp-tls]
    #[arg(long, env = "ATTELAGE_SMTP_PORT", value_name = "PORT", requires = "smtp_host")]
    pub smtp_port: Option<u16>,
    /// How the connection to it is protected
    #[arg(long, env = "ATTELAGE_SMTP_TLS", value_enum, default_value = "starttls")]
    pub smtp_tls: mail::Tls,
    /// User to sign in to it as
    #[arg(long, env = "ATTELAGE_SMTP_USER", value_name = "USER", requires_all = ["smtp_host", "smtp_password_file"])]
    pub smtp_user: Option<String>,
    /// File with the password of that user
    #[arg(long, env = "ATTELAGE_SMTP_PASSWORD_FILE", value_name = "FILE", requires = "smtp_user")]
    pub smtp_password_file: Option<PathBuf>,
    /// Whom mails come from: `Attelage <no-reply@example.org>`
    #[arg(long, env = "ATTELAGE_MAIL_FROM", value_name = "ADDRESS", requires = "smtp_host")]
    pub mail_from: Option<String>,
    /// Minutes in which events are gathered: nobody gets more than one mail in so many
    #[arg(long, env = "ATTELAGE_MAIL_QUIET_MINUTES", value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub mail_quiet_minutes: u16,
}

impl MailConfig {
    /// The settings that follow from it, for a service that is found at `public_url`; none without a server.
    ///
    /// # Errors
    /// A password that cannot be read, or settings that cannot be used.
    pub fn settings(self, public_url: Option<&str>) -> Result<Option<mail::Settings>, String> {
        let (host, from) = match (self.smtp_host, self.mail_from) {
            (Some(host), Some(from)) => (host, from),
            (None, None) => return Ok(None),
            _ => return Err("mails need a server and a sender: set smtp-host and mail-from, or neither".to_owned()),
        };
        let read = |file: PathBuf| {
            let text = std::fs::read_to_string(&file);
            text.map_err(|error| format!("cannot read {}: {error}", file.display()))
        };
        let password = self.smtp_password_file.map(read).transpose()?;
        let password = password.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
        let quiet = Duration::from_mins(u64::from(self.mail_quiet_minutes));
        let server = (host.as_str(), self.smtp_port);
        let credentials = self.smtp_user.zip(password);
        let settings = mail::Settings::new(server, self.smtp_tls, credentials, &from, public_url, quiet);
        settings.map(Some).map_err(|error| error.to_string())
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
    /// Where the key is.
    ///
    /// # Errors
    /// A `PostgreSQL` database without a setting: each replica would make a key of its own.
    pub fn file(&self, database: &DatabaseConfig) -> Result<PathBuf, String> {
        let file = self.file.clone().or_else(|| keyfile::beside(&database.url, "sealing-key"));
        let missing = "say where the key is that seals bids, outside of the database: --sealing-key-file or ATTELAGE_SEALING_KEY_FILE";
        Ok(file.ok_or(missing)?)
    }

    /// Reads the key; makes one for a database that has none.
    ///
    /// # Errors
    /// A file that is not named and has no default, or that cannot be used.
    pub fn key(&self, database: &DatabaseConfig) -> Result<SealingKey, String> {
        let key = Key::read_or_create(&self.file(database)?).map_err(|error| error.to_string())?;
        Ok(SealingKey::new(*key.bytes()))
    }
}
