//! What the installation sets.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as Encryption, TlsParameters};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use thiserror::Error;

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the connection to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Tls {
    /// From its beginning (port 465).
    Tls,
    /// From the first command on; a server that cannot is refused (port 587).
    Starttls,
    /// Not at all: for a server on the same machine (port 25).
    None,
}

/// What is wrong with the settings of mail.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// Not an address.
    #[error("--mail-from must be an address: `Attelage <no-reply@example.org>`")]
    Sender,
    /// Mails hold links.
    #[error("mails hold links to the service: give its address with --public-url")]
    PublicUrl,
    /// A password that would travel in clear.
    #[error("a password goes over a protected connection only: --smtp-tls tls or starttls")]
    Password,
    /// The name of the server is none, or the system trusts no certificates.
    #[error("the server cannot be reached over TLS: {0}")]
    Tls(lettre::transport::smtp::Error),
}

/// An SMTP server, and what is sent through it.
#[derive(Clone)]
pub struct Settings {
    pub(super) transport: AsyncSmtpTransport<Tokio1Executor>,
    pub(super) sender: Mailbox,
    /// Address of this service, without a slash at its end.
    pub(super) public_url: String,
    pub(super) quiet: Duration,
}

impl Settings {
    /// Settings that can be used. `quiet` is how long events are gathered before they are told.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(
        (host, port): (&str, Option<u16>),
        tls: Tls,
        credentials: Option<(String, String)>,
        sender: &str,
        public_url: Option<&str>,
        quiet: Duration,
    ) -> Result<Self, SettingsError> {
        let sender = sender.parse().map_err(|_| SettingsError::Sender)?;
        let public_url = public_url.ok_or(SettingsError::PublicUrl)?.trim_end_matches('/').to_owned();
        if tls == Tls::None && credentials.is_some() {
            return Err(SettingsError::Password);
        }
        let parameters = || TlsParameters::new(host.to_owned()).map_err(SettingsError::Tls);
        let (encryption, usual) = match tls {
            Tls::Tls => (Encryption::Wrapper(parameters()?), 465),
            Tls::Starttls => (Encryption::Required(parameters()?), 587),
            Tls::None => (Encryption::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.unwrap_or(usual))
            .tls(encryption)
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = credentials {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build(), sender, public_url, quiet })
    }
}
