//! The answer of a consortium as a document: data in, PDF and DOCX out.
//!
//! 1. [`AnswerDocument`] is the answer as data, which is also its JSON export.
//! 2. `page` says it in French, as headings, paragraphs and tables: once, for both formats, so that both say the same.
//! 3. [`pdf`] typesets it as tagged PDF (PDF/UA-1), [`docx`] writes it as Office Open XML.
//!
//! Texts that people wrote are data all the way: nothing in them is read as markup. Equal answers give equal bytes.

mod docx;
mod french;
mod model;
mod page;
mod pdf;

pub use docx::docx;
pub use model::{
    AnswerCall, AnswerDocument, AnswerGroup, AnswerLot, AnswerMember, AnswerNeed, AnswerPart, AnswerSignature,
    AnswerTerm, AnswerYear, AnswerYearNeed, AnswerYearPart,
};
pub use pdf::pdf;

/// A document that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The typesetter refuses its own template, which is a defect of this package.
    #[error("the document cannot be typeset: {0}")]
    Typesetting(String),
    /// The archive cannot be written.
    #[error("the document cannot be written: {0}")]
    Archive(String),
}
