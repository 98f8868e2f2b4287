//! Tagged PDF, typeset by Typst with fonts that are part of this program. Nothing is read from outside, and no clock is asked.

use std::sync::LazyLock;

use typst::comemo;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use crate::Error;
use crate::model::AnswerDocument;
use crate::page::page;

/// The template, and where it finds what it sets.
const TEMPLATE: &str = include_str!("answer.typ");
const MAIN: &str = "/answer.typ";
const DATA: &str = "/answer.json";
/// Results of the typesetter that have not been used for so many documents are forgotten.
const KEPT_DOCUMENTS: usize = 4;

/// The library, the fonts and the template: the same for all documents.
static PRESS: LazyLock<Option<Press>> = LazyLock::new(Press::new);

/// An answer as tagged PDF, by the rules of PDF/UA-1. A text with a letter that no font here has is set without the promise of that
/// standard, for it asks that every letter can be shown. Some tenths of a second.
///
/// # Errors
/// Only defects of this package.
pub fn pdf(answer: &AnswerDocument) -> Result<Vec<u8>, Error> {
    let refuse = |why: &str| Error::Typesetting(why.to_owned());
    let press = PRESS.as_ref().ok_or_else(|| refuse("the paths of the template"))?;
    let data = serde_json::to_vec(&page(answer)).map_err(|error| refuse(&error.to_string()))?;
    let sheet = Sheet { press, data: Bytes::new(data) };
    let document: PagedDocument = typst::compile(&sheet).output.map_err(|faults| told(&faults))?;
    let accessible = export(&document, &[PdfStandard::Ua_1]);
    let bytes = if accessible.is_ok() { accessible } else { export(&document, &[]) };
    comemo::evict(KEPT_DOCUMENTS);
    bytes
}

fn export(document: &PagedDocument, standards: &[PdfStandard]) -> Result<Vec<u8>, Error> {
    let standards = PdfStandards::new(standards).map_err(|error| Error::Typesetting(error.message().to_string()))?;
    let options =
        PdfOptions { creator: Smart::Custom(Some("Attelage".to_owned())), standards, ..PdfOptions::default() };
    typst_pdf::pdf(document, &options).map_err(|faults| told(&faults))
}

fn told(faults: &[SourceDiagnostic]) -> Error {
    Error::Typesetting(faults.iter().map(|fault| fault.message.to_string()).collect::<Vec<_>>().join("; "))
}

/// What all documents share.
struct Press {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
    data: FileId,
}

impl Press {
    fn new() -> Option<Self> {
        let file = |path: &str| Some(RootedPath::new(VirtualRoot::Project, VirtualPath::new(path).ok()?).intern());
        let fonts: Vec<Font> = typst_assets::fonts().flat_map(|bytes| Font::iter(Bytes::new(bytes))).collect();
        Some(Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            template: Source::new(file(MAIN)?, TEMPLATE.to_owned()),
            data: file(DATA)?,
        })
    }
}

/// One document in the making: the only files there are, are the template and its data.
struct Sheet {
    press: &'static Press,
    data: Bytes,
}

impl World for Sheet {
    fn library(&self) -> &LazyHash<Library> {
        &self.press.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.press.book
    }

    fn main(&self) -> FileId {
        self.press.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main() { Ok(self.press.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.press.data { Ok(self.data.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.press.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
