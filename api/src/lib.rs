//! x
pub mod fold;
pub mod identifiers;
pub mod imports;
pub mod vocabulary;
