//! How bids are sealed: XChaCha20-Poly1305 with a key of the call, which a key of the installation seals in its turn.
//!
//! What a bid's receipt says is authenticated with it: a bid that is moved to another row, or whose receipt is changed, does not open.
//! Contents are padded, so that their length says little.

use std::sync::Arc;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use hmac::{Hmac, Mac as _};
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use super::{BidContent, BidReceipt, SealedBid};
use crate::codes::{hex, sha256_hex};
use crate::problem::Problem;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Sealed contents are as long as a multiple of this.
const BLOCK: usize = 4096;

/// What is sealed, as it is kept.
pub struct Ciphertext {
    /// Fresh for each.
    pub nonce: Vec<u8>,
    /// With its authentication.
    pub bytes: Vec<u8>,
}

/// The key of the installation, which seals those of calls. Has no `Debug`: it is never shown. Cheap to clone.
#[derive(Clone)]
pub struct SealingKey(Arc<(Key, String)>);

impl SealingKey {
    /// Wraps what a key file holds.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let name = sha256_hex(&[b"attelage sealing key".as_slice(), &bytes].concat());
        Self(Arc::new((Key(bytes), name[..16].to_owned())))
    }

    /// Tells it from others. Says nothing of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.1
    }

    /// Seals the key of a call.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn wrap(&self, call: Uuid, key: &DataKey) -> Result<Ciphertext, Problem> {
        self.0.0.encrypt(&key.0.0, &self.bound_to(call))
    }

    /// The key of a call; `None` where it is sealed by another key, or for another call.
    #[must_use]
    pub fn unwrap(&self, call: Uuid, sealed: &Ciphertext) -> Option<DataKey> {
        let bytes = self.0.0.decrypt(sealed, &self.bound_to(call))?;
        bytes.try_into().ok().map(|bytes| DataKey(Key(bytes)))
    }

    /// Seals another secret of the installation, for one purpose: bytes that name what it is and whose.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn seal(&self, purpose: &[u8], secret: &[u8]) -> Result<Ciphertext, Problem> {
        self.0.0.encrypt(secret, &self.bound_to_purpose(purpose))
    }

    /// What was sealed; `None` where it is sealed by another key, or for another purpose.
    #[must_use]
    pub fn open(&self, purpose: &[u8], sealed: &Ciphertext) -> Option<Vec<u8>> {
        self.0.0.decrypt(sealed, &self.bound_to_purpose(purpose))
    }

    fn bound_to_purpose(&self, purpose: &[u8]) -> Vec<u8> {
        [b"attelage secret 1".as_slice(), self.name().as_bytes(), purpose].concat()
    }

    fn bound_to(&self, call: Uuid) -> Vec<u8> {
        [b"attelage call key 1".as_slice(), call.as_bytes(), self.name().as_bytes()].concat()
    }
}

/// The key of a call, which seals its bids.
pub struct DataKey(Key);

impl DataKey {
    /// A fresh key.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn generate() -> Result<Self, Problem> {
        random().map(|bytes| Self(Key(bytes)))
    }

    /// Seals a bid for its receipt.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn seal(&self, receipt: &BidReceipt, bid: &SealedBid) -> Result<Ciphertext, Problem> {
        let mut plain = canonical(bid)?;
        // Spaces after the end mean nothing in JSON.
        plain.resize(plain.len().next_multiple_of(BLOCK), b' ');
        self.0.encrypt(&plain, &bound_to(receipt))
    }

    /// The bid of a receipt; `None` where either is not what it was, or they do not belong together.
    #[must_use]
    pub fn open(&self, receipt: &BidReceipt, sealed: &Ciphertext) -> Option<SealedBid> {
        let plain = self.0.decrypt(sealed, &bound_to(receipt))?;
        let bid: SealedBid = serde_json::from_slice(&plain).ok()?;
        (digest(&bid).ok()? == receipt.digest).then_some(bid)
    }

    /// What can be kept of the digest of a request: who has the database and not the keys cannot try contents until one fits.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn blind(&self, digest: &str) -> Result<String, Problem> {
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0.0).map_err(Problem::internal)?;
        let mac = mac.chain_update(b"attelage request 1").chain_update(digest);
        Ok(sha256_hex(&mac.finalize().into_bytes()))
    }
}

/// What a bid says, with a fresh salt.
///
/// # Errors
/// A system without random numbers.
pub fn salted(content: BidContent) -> Result<SealedBid, Problem> {
    Ok(SealedBid { content, salt: salt()? })
}

/// 256 random bits in hexadecimal.
///
/// # Errors
/// A system without random numbers.
pub(crate) fn salt() -> Result<String, Problem> {
    Ok(hex(&random::<KEY_BYTES>()?))
}

/// SHA-256 of what is sealed, in canonical JSON.
///
/// # Errors
/// Only internal ones.
pub fn digest(bid: &SealedBid) -> Result<String, Problem> {
    Ok(sha256_hex(&canonical(bid)?))
}

/// JSON with its members in the order of their names and no spaces. With whole numbers below 2⁵³ and names in ASCII, which is all that
/// there is here, this is the canonical form of RFC 8785.
pub(crate) fn canonical(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut value = serde_json::to_value(value).map_err(Problem::internal)?;
    value.sort_all_objects();
    serde_json::to_vec(&value).map_err(Problem::internal)
}

/// What a bid is bound to: each part but the last has its fixed length, so that no two receipts give the same bytes. Where a bid stands
/// is not part of it: that changes.
fn bound_to(receipt: &BidReceipt) -> Vec<u8> {
    let BidReceipt { id, call, call_version, organisation, state: _, received_at, ended_at: _, digest } = receipt;
    [
        b"attelage bid 1".as_slice(),
        call.as_bytes(),
        id.as_bytes(),
        organisation.as_bytes(),
        &call_version.to_be_bytes(),
        &received_at.timestamp_micros().to_be_bytes(),
        digest.as_bytes(),
    ]
    .concat()
}

struct Key([u8; KEY_BYTES]);

impl Key {
    fn encrypt(&self, plain: &[u8], bound_to: &[u8]) -> Result<Ciphertext, Problem> {
        let nonce = random::<NONCE_BYTES>()?;
        let payload = Payload { msg: plain, aad: bound_to };
        let bytes = self.cipher().encrypt((&nonce).into(), payload).map_err(Problem::internal)?;
        Ok(Ciphertext { nonce: nonce.to_vec(), bytes })
    }

    fn decrypt(&self, sealed: &Ciphertext, bound_to: &[u8]) -> Option<Vec<u8>> {
        let nonce: &[u8; NONCE_BYTES] = sealed.nonce.as_slice().try_into().ok()?;
        let payload = Payload { msg: &sealed.bytes, aad: bound_to };
        self.cipher().decrypt(nonce.into(), payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.0).into())
    }
}

fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::{DateTime, TimeDelta};
    use serde_json::json;

    use super::*;
    use crate::bids::BidState;

    fn bid() -> SealedBid {
        let content = json!({
            "organisation": Uuid::from_u128(3), "lots": ["a"], "members": [], "allocations": [],
            "amount_cents": 12, "note": "« Été »\n\u{1}",
        });
        SealedBid { content: serde_json::from_value(content).unwrap(), salt: "00".repeat(32) }
    }

    fn receipt(bid: &SealedBid) -> BidReceipt {
        BidReceipt {
            id: Uuid::from_u128(1),
            call: Uuid::from_u128(2),
            call_version: 2,
            organisation: Uuid::from_u128(3),
            state: BidState::Received,
            received_at: DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap(),
            ended_at: None,
            digest: digest(bid).unwrap_or_else(|_| unreachable!()),
        }
    }

    #[test]
    fn a_bid_opens_for_its_receipt_and_for_no_other() {
        let (key, bid) = (DataKey::generate().unwrap(), bid());
        let whole = receipt(&bid);
        let sealed = key.seal(&whole, &bid).unwrap();
        assert_eq!(sealed.bytes.len(), BLOCK + 16, "the length says little");
        assert_eq!(key.open(&whole, &sealed), Some(bid.clone()));
        let ended = BidReceipt { state: BidState::Superseded, ended_at: Some(whole.received_at), ..whole.clone() };
        assert_eq!(key.open(&ended, &sealed), Some(bid.clone()), "where it stands may change");
        let changed: [fn(&mut BidReceipt); 6] = [
            |receipt| receipt.id = Uuid::nil(),
            |receipt| receipt.call = Uuid::nil(),
            |receipt| receipt.call_version += 1,
            |receipt| receipt.organisation = Uuid::nil(),
            |receipt| receipt.received_at += TimeDelta::microseconds(1),
            |receipt| receipt.digest = "0".repeat(64),
        ];
        for change in changed {
            let mut other = whole.clone();
            change(&mut other);
            assert_eq!(key.open(&other, &sealed), None, "{other:?}");
        }
        assert_eq!(DataKey::generate().unwrap().open(&whole, &sealed), None);
    }

    #[test]
    fn every_changed_byte_is_noticed_and_no_nonce_comes_twice() {
        let (key, bid) = (DataKey::generate().unwrap(), bid());
        let receipt = receipt(&bid);
        let sealed = key.seal(&receipt, &bid).unwrap();
        for position in 0..sealed.bytes.len() {
            let mut bytes = sealed.bytes.clone();
            bytes[position] ^= 1;
            assert_eq!(key.open(&receipt, &Ciphertext { nonce: sealed.nonce.clone(), bytes }), None);
        }
        for nonce in [vec![], vec![0; NONCE_BYTES], sealed.nonce[1..].to_vec()] {
            assert_eq!(key.open(&receipt, &Ciphertext { nonce, bytes: sealed.bytes.clone() }), None);
        }
        assert_ne!(key.seal(&receipt, &bid).unwrap().nonce, sealed.nonce);
        assert_ne!(salted(bid.content.clone()).unwrap().salt, salted(bid.content).unwrap().salt);
    }

    #[test]
    fn what_is_hashed_is_canonical_json() {
        let expected = r#"{"content":{"allocations":[],"amount_cents":12,"lots":["a"],"members":[],"note":"« Été »\n\u0001","organisation":"00000000-0000-0000-0000-000000000003"},"salt":"0000000000000000000000000000000000000000000000000000000000000000"}"#;
        assert_eq!(String::from_utf8(canonical(&bid()).unwrap()).unwrap(), expected);
    }

    #[test]
    fn the_key_of_a_call_opens_with_the_key_of_the_installation_and_for_that_call_only() {
        let (one, other) = (SealingKey::new([1; 32]), SealingKey::new([2; 32]));
        let (call, key) = (Uuid::from_u128(1), DataKey::generate().unwrap());
        let sealed = one.wrap(call, &key).unwrap();
        assert_eq!(one.unwrap(call, &sealed).unwrap().0.0, key.0.0);
        assert!(one.unwrap(Uuid::nil(), &sealed).is_none() && other.unwrap(call, &sealed).is_none());
        assert_ne!(one.name(), other.name());
        assert_ne!(key.blind("a").unwrap(), DataKey::generate().unwrap().blind("a").unwrap());
    }
}
