//! The veil, drawn while an answer is written, so that nothing is built of what nobody will see.

use std::cell::Cell;
use std::fmt::{self, Display, Write as _};

use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple};
use serde::ser::{SerializeTupleStruct, Serializer};

use super::Class;
use super::veil::{Member, Veil};

/// A reader, while something is written for them.
pub(super) struct Sight<'a> {
    pub veil: &'a Veil,
    pub clearance: Class,
    /// The highest class of what they have been shown.
    pub highest: Cell<Class>,
}

/// A value of a schema, or several of them in arrays, as a reader sees it.
pub(super) struct Drawn<'a, T: ?Sized> {
    pub value: &'a T,
    pub schema: &'a str,
    pub sight: &'a Sight<'a>,
}

impl<T: Serialize + ?Sized> Serialize for Drawn<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Sieve { inner, schema: self.schema, sight: self.sight })
    }
}

/// Passes on what its reader may see.
struct Sieve<'a, S> {
    inner: S,
    schema: &'a str,
    sight: &'a Sight<'a>,
}

impl<'a, S: Serializer> Sieve<'a, S> {
    fn members(self) -> Result<Members<'a, S::SerializeMap>, S::Error> {
        let known = self.sight.veil.members(self.schema);
        let map = self.inner.serialize_map(None)?;
        Ok(Members { map, known, next: 0, sight: self.sight, key: String::new(), shown: None })
    }

    fn items(self, length: Option<usize>) -> Result<Items<'a, S::SerializeSeq>, S::Error> {
        Ok(Items { list: self.inner.serialize_seq(length)?, schema: self.schema, sight: self.sight })
    }
}

/// Values that are no objects are shown as they are.
macro_rules! plain {
    ($($method:ident($kind:ty);)+) => {
        $(fn $method(self, value: $kind) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })+
    };
}

impl<'a, S: Serializer> Serializer for Sieve<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Items<'a, S::SerializeSeq>;
    type SerializeTuple = Items<'a, S::SerializeSeq>;
    type SerializeTupleStruct = Items<'a, S::SerializeSeq>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Members<'a, S::SerializeMap>;
    type SerializeStruct = Members<'a, S::SerializeMap>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    plain! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64); serialize_i128(i128);
        serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64); serialize_u128(u128);
        serialize_f32(f32); serialize_f64(f64); serialize_char(char); serialize_str(&str); serialize_bytes(&[u8]);
        serialize_unit_struct(&'static str);
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    /// In JSON, an object with one member.
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let mut members = self.members()?;
        members.entry(variant, value)?;
        members.map.end()
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.items(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.items(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.items(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        Err(S::Error::custom(format_args!("variants of {name} have fields, and no classes")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.members()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.members()
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        Err(S::Error::custom(format_args!("variants of {name} have fields, and no classes")))
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Items of an array, each of the same schema.
struct Items<'a, L> {
    list: L,
    schema: &'a str,
    sight: &'a Sight<'a>,
}

impl<L: SerializeSeq> Items<'_, L> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), L::Error> {
        self.list.serialize_element(&Drawn { value, schema: self.schema, sight: self.sight })
    }
}

impl<L: SerializeSeq> SerializeSeq for Items<'_, L> {
    type Ok = L::Ok;
    type Error = L::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), L::Error> {
        self.item(value)
    }

    fn end(self) -> Result<L::Ok, L::Error> {
        self.list.end()
    }
}

impl<L: SerializeSeq> SerializeTuple for Items<'_, L> {
    type Ok = L::Ok;
    type Error = L::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), L::Error> {
        self.item(value)
    }

    fn end(self) -> Result<L::Ok, L::Error> {
        self.list.end()
    }
}

impl<L: SerializeSeq> SerializeTupleStruct for Items<'_, L> {
    type Ok = L::Ok;
    type Error = L::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), L::Error> {
        self.item(value)
    }

    fn end(self) -> Result<L::Ok, L::Error> {
        self.list.end()
    }
}

/// The text of a key.
struct Name<'k, T: ?Sized>(&'k T);

impl<T: Serialize + ?Sized> Display for Name<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(formatter)
    }
}

/// Members of an object; of a schema that nobody knows, none are shown.
struct Members<'a, M> {
    map: M,
    known: &'a [Member],
    /// After the last one that was met: members are written in their order, and some are left out.
    next: usize,
    sight: &'a Sight<'a>,
    /// The last key of a map.
    key: String,
    /// The member whose key was written and whose value comes next.
    shown: Option<&'a Member>,
}

impl<'a, M: SerializeMap> Members<'a, M> {
    /// The member of this name, if the reader may see it. O(1) where members come in their order.
    fn visible(&mut self, name: &str) -> Option<&'a Member> {
        let (before, after) = self.known.split_at(self.next);
        let place = |part: &[Member]| part.iter().position(|member| member.name == name);
        let found = place(after).map(|place| place + self.next).or_else(|| place(before))?;
        self.next = found + 1;
        let member = self.known.get(found).filter(|member| member.class <= self.sight.clearance)?;
        self.sight.highest.set(self.sight.highest.get().max(member.class));
        Some(member)
    }

    fn entry<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), M::Error> {
        let Some(member) = self.visible(name) else { return Ok(()) };
        self.map.serialize_key(name)?;
        self.value(member, value)
    }

    fn value<T: Serialize + ?Sized>(&mut self, member: &'a Member, value: &T) -> Result<(), M::Error> {
        match &member.schema {
            Some(schema) => self.map.serialize_value(&Drawn { value, schema, sight: self.sight }),
            None => self.map.serialize_value(value),
        }
    }
}

impl<M: SerializeMap> SerializeMap for Members<'_, M> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), M::Error> {
        let mut name = std::mem::take(&mut self.key);
        name.clear();
        write!(name, "{}", Name(key)).map_err(|_| M::Error::custom("a member of an object has a name"))?;
        self.shown = self.visible(&name);
        let written = if self.shown.is_some() { self.map.serialize_key(&name) } else { Ok(()) };
        self.key = name;
        written
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), M::Error> {
        let Some(member) = self.shown.take() else { return Ok(()) };
        self.value(member, value)
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.map.end()
    }
}

impl<M: SerializeMap> SerializeStruct for Members<'_, M> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), M::Error> {
        self.entry(name, value)
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.map.end()
    }
}
