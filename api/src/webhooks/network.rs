//! Which addresses may be reached: public ones, and those of networks that the installation allows.
//!
//! A name is resolved once, every address that it has is checked, and the connection goes to one of them: a name that leads elsewhere a
//! moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

/// Why an address is not reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not something to post to.
    #[error("write https://HOST/…, without a user, a password or a fragment")]
    Url,
    /// Others could listen.
    #[error("events are sent over https only")]
    Http,
    /// Inside of somebody's network.
    #[error("the address is not public")]
    Private,
}

/// IPv4 that is not public, or no single machine (IANA's registry of special-purpose addresses).
const CLOSED_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// IPv6 that is not public although it lies in the global range: protocol assignments (Teredo among them), documentation, 6to4.
const CLOSED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// What is allotted to the public internet, and nothing else of IPv6: no loopback, link-local, unique local, multicast or translated
/// addresses.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

fn v4_is_public(address: Ipv4Addr) -> bool {
    !CLOSED_V4.iter().any(|(network, bits)| Ipv4Net::new_assert(*network, *bits).contains(&address))
}

fn v6_is_public(address: Ipv6Addr) -> bool {
    let within = |(network, bits): &(Ipv6Addr, u8)| Ipv6Net::new_assert(*network, *bits).contains(&address);
    within(&GLOBAL_V6) && !CLOSED_V6.iter().any(within)
}

/// The networks that may be reached. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    allowed: Arc<Vec<IpNet>>,
    over_http: bool,
}

impl Reach {
    /// Public addresses, and those of some networks; over `http` too, if that is wanted.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>, over_http: bool) -> Self {
        Self { allowed: Arc::new(allowed), over_http }
    }

    /// Whether an address may be reached. An IPv4 address that is written as IPv6 is judged as what it is.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_public = match address {
            IpAddr::V4(address) => v4_is_public(address),
            IpAddr::V6(address) => v6_is_public(address),
        };
        is_public || self.allowed.iter().any(|network| network.contains(&address))
    }

    /// A URL that events may be posted to. Its host, where it is a name, is resolved and checked later, each time.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, text: &str) -> Result<Url, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::Url)?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        match url.scheme() {
            _ if !is_plain => return Err(AddressError::Url),
            "https" => {}
            "http" if self.over_http => {}
            "http" => return Err(AddressError::Http),
            _ => return Err(AddressError::Url),
        }
        let is_admitted = match url.host().ok_or(AddressError::Url)? {
            Host::Ipv4(address) => self.admits(IpAddr::V4(address)),
            Host::Ipv6(address) => self.admits(IpAddr::V6(address)),
            Host::Domain(_) => true,
        };
        if is_admitted { Ok(url) } else { Err(AddressError::Private) }
    }

    /// The addresses of a name, if all of them may be reached.
    async fn resolve(&self, name: &str) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
        if addresses.iter().any(|address| !self.admits(address.ip())) {
            return Err(AddressError::Private.into());
        }
        Ok(addresses)
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let own = self.clone();
        Box::pin(async move {
            let addresses = Self::resolve(&own, name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_public_addresses_are_reached() {
        let reach = Reach::default();
        for closed in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!reach.admits(closed.parse().unwrap()), "{closed}");
        }
        for open in
            ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a01:e0a::1", "::ffff:8.8.8.8"]
        {
            assert!(reach.admits(open.parse().unwrap()), "{open}");
        }
    }

    #[test]
    fn networks_that_the_installation_allows_are_reached_and_no_others() {
        let reach = Reach::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00::/64".parse().unwrap()], false);
        for (address, admitted) in [
            ("10.1.9.9", true),
            ("::ffff:10.1.9.9", true),
            ("10.2.0.1", false),
            ("fd00::9", true),
            ("fd00:1::9", false),
        ] {
            assert_eq!(reach.admits(address.parse().unwrap()), admitted, "{address}");
        }
    }

    #[test]
    fn an_address_is_seen_through_however_it_is_written() {
        let reach = Reach::default();
        for private in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://①②⑦.⓪.⓪.①/",
            "https://169.254.169.254/latest",
        ] {
            assert_eq!(reach.check(private).err(), Some(AddressError::Private), "{private}");
        }
        for (wrong, why) in [
            ("http://hooks.example.org/", AddressError::Http),
            ("ftp://hooks.example.org/", AddressError::Url),
            ("https://user:secret@hooks.example.org/", AddressError::Url),
            ("https://hooks.example.org/#part", AddressError::Url),
            ("https://", AddressError::Url),
            ("hooks.example.org", AddressError::Url),
            ("data:text/plain,x", AddressError::Url),
        ] {
            assert_eq!(reach.check(wrong).err(), Some(why), "{wrong}");
        }
        assert!(reach.check("https://hooks.example.org:8443/a?b=c").is_ok());
        assert!(Reach::new(Vec::new(), true).check("http://hooks.example.org/").is_ok());
    }

    #[actix_web::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let refused = Reach::resolve(&Reach::default(), "localhost").await.err().unwrap();
        assert_eq!(refused.to_string(), AddressError::Private.to_string());
        let networks = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        assert!(!Reach::resolve(&Reach::new(networks, false), "localhost").await.unwrap().is_empty());
    }
}
