//! Strict JSON: what `serde_json` accepts and we do not.
//!
//! Refused, each with a pointer to the place: NUL in a string (PostgreSQL cannot store it), a member that occurs twice
//! (one of them would silently win), a number beyond 64 signed bits (no field is so large), nesting below depth 32.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::Fault;

/// The deepest nesting accepted.
pub const MAX_DEPTH: usize = 32;
/// The most values in one document: far more than any body needs, and a bound on the faults that it can hold.
pub const MAX_VALUES: usize = 100_000;
const MOST_FAULTS: usize = 100;

/// The first number that 64 signed bits cannot hold.
const LARGEST: f64 = 9_223_372_036_854_775_808.0;

/// Reads one JSON document; integral floats (`518.0`) become integers. O(bytes).
///
/// # Errors
/// The faults found, with pointers; a syntax error ends the reading and is the only one.
pub fn read(bytes: &[u8]) -> Result<Value, Vec<Fault>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| vec![Fault::at("", format!("JSON is UTF-8; byte {} is not", error.valid_up_to()))])?;
    let mut reading = Reading { faults: Vec::new(), values: 0 };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Seed { way: Way::Root, depth: 0, reading: &mut reading }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| vec![Fault::at("", format!("not JSON: {error}"))])?;
    if reading.faults.is_empty() { Ok(value) } else { Err(reading.faults) }
}

/// The way to a value: rendered only where there is a fault, so that reading stays linear in the bytes.
#[derive(Clone, Copy)]
enum Way<'a> {
    Root,
    Member(&'a Way<'a>, &'a str),
    Item(&'a Way<'a>, usize),
}

impl Way<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(parent, name) => {
                format!("{}/{}", parent.pointer(), name.replace('~', "~0").replace('/', "~1"))
            }
            Self::Item(parent, position) => format!("{}/{position}", parent.pointer()),
        }
    }
}

/// What has been read so far.
struct Reading {
    faults: Vec<Fault>,
    values: usize,
}

struct Seed<'a> {
    way: Way<'a>,
    depth: usize,
    reading: &'a mut Reading,
}

impl Seed<'_> {
    fn fault(&mut self, detail: &str) {
        if self.reading.faults.len() < MOST_FAULTS {
            self.reading.faults.push(Fault::at(self.way.pointer(), detail));
        }
    }

    fn too_large(&mut self) -> Value {
        self.fault("a number lies between -9223372036854775808 and 9223372036854775807");
        Value::Null
    }

    fn text(&mut self, text: &str) -> Value {
        if text.contains('\0') {
            self.fault("text holds no NUL character");
        }
        Value::String(text.to_owned())
    }

    fn enter<E: de::Error>(&self) -> Result<(), E> {
        if self.depth < MAX_DEPTH { Ok(()) } else { Err(E::custom(format!("nested deeper than {MAX_DEPTH}"))) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.reading.values += 1;
        if self.reading.values > MAX_VALUES {
            return Err(de::Error::custom(format!("more than {MAX_VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| self.too_large(), Value::from))
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<Value, E> {
        if value.abs() >= LARGEST {
            return Ok(self.too_large());
        }
        // Integral and within 64 bits: the cast loses nothing.
        #[allow(clippy::cast_possible_truncation)]
        if value.fract() == 0.0 {
            return Ok((value as i64).into());
        }
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(mut self, value: &str) -> Result<Value, E> {
        Ok(self.text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut array = Vec::new();
        loop {
            let way = Way::Item(&self.way, array.len());
            let child = Seed { way, depth: self.depth + 1, reading: self.reading };
            match items.next_element_seed(child)? {
                Some(item) => array.push(item),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let way = Way::Member(&self.way, &name);
            let mut child = Seed { way, depth: self.depth + 1, reading: self.reading };
            child.text(&name);
            if object.contains_key(&name) {
                child.fault("this member occurs twice");
            }
            let value = members.next_value_seed(child)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn an_ordinary_document_is_read_as_it_is() {
        let value = read(br#"{"a":[1,-2,1.5,518.0,"x",null,true]}"#).unwrap();
        assert_eq!(value, json!({"a": [1, -2, 1.5, 518, "x", null, true]}));
    }

    #[test]
    fn nul_and_repeated_members_are_told_together() {
        let faults = read(br#"{"a":{"b/c":"x\u0000"},"d":1,"d":2}"#).unwrap_err();
        let pointers: Vec<_> = faults.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
        assert_eq!(pointers, ["/a/b~1c", "/d"]);
    }

    #[test]
    fn deep_broken_and_foreign_bytes_are_refused() {
        let deep = "[".repeat(40) + &"]".repeat(40);
        for bytes in [deep.as_bytes(), b"{", b"", b"{} x", b"\xff{}", b"nan"] {
            assert_eq!(read(bytes).unwrap_err().len(), 1);
        }
    }
}
