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

/// The first number that 64 signed bits cannot hold.
const LARGEST: f64 = 9_223_372_036_854_775_808.0;

/// Reads one JSON document; integral floats (`518.0`) become integers. O(bytes).
///
/// # Errors
/// The faults found, with pointers; a syntax error ends the reading and is the only one.
pub fn read(bytes: &[u8]) -> Result<Value, Vec<Fault>> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| vec![Fault::at("", format!("JSON is UTF-8; byte {} is not", error.valid_up_to()))])?;
    let mut faults = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Seed { pointer: String::new(), depth: 0, faults: &mut faults }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| vec![Fault::at("", format!("not JSON: {error}"))])?;
    if faults.is_empty() { Ok(value) } else { Err(faults) }
}

struct Seed<'a> {
    pointer: String,
    depth: usize,
    faults: &'a mut Vec<Fault>,
}

impl Seed<'_> {
    fn child(&mut self, token: &str) -> Seed<'_> {
        let token = token.replace('~', "~0").replace('/', "~1");
        Seed { pointer: format!("{}/{token}", self.pointer), depth: self.depth + 1, faults: self.faults }
    }

    fn text(&mut self, text: &str) -> Value {
        if text.contains('\0') {
            self.faults.push(Fault::at(&self.pointer, "text holds no NUL character"));
        }
        Value::String(text.to_owned())
    }

    fn too_large(&mut self) -> Value {
        self.faults
            .push(Fault::at(&self.pointer, "a number lies between -9223372036854775808 and 9223372036854775807"));
        Value::Null
    }

    fn enter<E: de::Error>(&self) -> Result<(), E> {
        if self.depth < MAX_DEPTH { Ok(()) } else { Err(E::custom(format!("nested deeper than {MAX_DEPTH}"))) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
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

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.child(&array.len().to_string()))? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        self.enter()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let mut child = self.child(&name);
            child.text(&name);
            if object.contains_key(&name) {
                let pointer = child.pointer.clone();
                child.faults.push(Fault::at(pointer, "this member occurs twice"));
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
