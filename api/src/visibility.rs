//! The five visibility classes. Every field of every entity has exactly one, published as `x-visibility`.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::Object;

/// Who may read a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// P0: anyone.
    Public,
    /// P1: any signed-in organisation.
    Registered,
    /// P2: members of the same consortium, after both have accepted.
    Partners,
    /// P3: its owner, and the call's evaluators after the opening.
    Sealed,
    /// P4: its owner only.
    Owner,
}

/// Name of the extension in the document.
pub const EXTENSION: &str = "x-visibility";

impl Class {
    /// Its code in the document.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Public => "P0",
            Self::Registered => "P1",
            Self::Partners => "P2",
            Self::Sealed => "P3",
            Self::Owner => "P4",
        }
    }
}

/// Marks a schema with its class.
#[must_use]
pub fn mark(mut object: Object, class: Class) -> Object {
    object.extensions.get_or_insert_with(Extensions::default).insert(EXTENSION.to_owned(), class.code().into());
    object
}
