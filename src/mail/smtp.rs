//! Delivery to a mail server (RFC 5321, 3207, 8314).

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use crate::cli::TlsMode;
use crate::report::words::printable;

/// A mail server and how to talk to it.
pub struct Server {
    host: String,
    port: u16,
    tls: TlsMode,
    transport: SmtpTransport,
}

/// What a server needs besides its address.
pub struct Options {
    /// How to encrypt; by the port if nothing is said.
    pub tls: Option<TlsMode>,
    /// Certificate authorities in PEM, the only ones trusted.
    pub ca: Option<Vec<u8>>,
    /// User and password.
    pub login: Option<(String, String)>,
    /// How long a silent server is waited for.
    pub timeout: Duration,
}

impl Server {
    /// A server by its address, `HOST` or `HOST:PORT` (`[::1]:25` for IPv6).
    /// Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The address or the certificates are wrong, or a password would travel
    /// in the clear.
    pub fn new(address: &str, options: Options) -> Result<Self, String> {
        let (host, port) = split(address)?;
        let tls = options.tls.unwrap_or(match port {
            Some(465) => TlsMode::Tls,
            _ => TlsMode::Starttls,
        });
        let port = port.unwrap_or(match tls {
            TlsMode::Starttls => 587,
            TlsMode::Tls => 465,
            TlsMode::None => 25,
        });
        if tls == TlsMode::None && options.login.is_some() && !is_loopback(&host) {
            return Err(format!(
                "the password would travel to {host} in the clear; leave out --tls none, or the user"
            ));
        }
        let encryption = match tls {
            TlsMode::None => Tls::None,
            TlsMode::Starttls => Tls::Required(parameters(&host, options.ca)?),
            TlsMode::Tls => Tls::Wrapper(parameters(&host, options.ca)?),
        };
        let mut builder = SmtpTransport::builder_dangerous(&host)
            .port(port)
            .tls(encryption)
            .timeout(Some(options.timeout));
        if let Some((user, password)) = options.login {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            host,
            port,
            tls,
            transport: builder.build(),
        })
    }

    /// Delivers a message: to all its recipients or to none.
    ///
    /// # Errors
    ///
    /// Who refused what, and what to do about it.
    pub fn deliver(&self, message: &Message) -> Result<(), String> {
        self.transport
            .send(message)
            .map(|_| ())
            .map_err(|error| self.said(&error))
    }

    fn said(&self, error: &Error) -> String {
        let code = error.status().map(u16::from);
        let advice = if is_timeout(error) {
            "it did not answer in time; is this the port for this kind of encryption?"
        } else if error.is_tls() || certificate(error) {
            "no trusted connection; is its certificate valid for this name, and its authority known (--ca-file)?"
        } else {
            match code {
                Some(530 | 534 | 535 | 538) => "it did not accept the user and password",
                Some(code) if code >= 500 => "it refused the mail for good",
                Some(_) => "it can't take the mail now; try again later",
                None if error.is_client() && self.tls == TlsMode::Starttls => {
                    "it offers no STARTTLS, or no way to log in that is known here"
                }
                None => "it could not be reached, or broke off",
            }
        };
        format!(
            "{}:{}: {advice} ({})",
            self.host,
            self.port,
            printable(&error.to_string())
        )
    }
}

/// Whether the server was silent for too long, as the system says it: a read
/// that ends by its timeout "would block" on Unix.
fn is_timeout(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(one) = cause {
        let kind = one.downcast_ref::<io::Error>().map(io::Error::kind);
        if let Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) = kind {
            return true;
        }
        cause = one.source();
    }
    error.is_timeout()
}

/// Whether the certificate was at fault: the TLS library reports that while
/// reading, as an input error.
fn certificate(error: &Error) -> bool {
    error.to_string().contains("certificate")
}

fn parameters(host: &str, ca: Option<Vec<u8>>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca {
        let authority = Certificate::from_pem(&pem)
            .map_err(|error| format!("--ca-file holds no certificate in PEM: {error}"))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authority);
    }
    builder
        .build_rustls()
        .map_err(|error| format!("no encryption for {host}: {error}"))
}

fn split(address: &str) -> Result<(String, Option<u16>), String> {
    let wrong =
        || format!("{address:?} is no server: expected mail.example.com, or mail.example.com:587");
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
        (host, rest.strip_prefix(':'))
    } else if address.parse::<IpAddr>().is_ok() {
        (address, None)
    } else {
        match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        }
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(is_name) {
        return Err(wrong());
    }
    let port = match port.map(str::parse) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return Err(wrong()),
    };
    Ok((host.to_owned(), port))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
