//! What an import says about the file it read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest value that a fault repeats, in characters.
const VALUE_SHOWN: usize = 200;

/// Why a file is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThisFormat {
    /// Not a byte, or only blanks.
    #[error("the file is empty")]
    Empty,
    /// Bytes that are no text, such as a spreadsheet or an archive.
    #[error("the file is not a text file: {reason}")]
    NotText {
        /// What shows it, and the remedy.
        reason: &'static str,
    },
    /// The national standard, in its layout of 2022.
    #[error(
        "the file follows version 0.1.1 of the national standard (it has {}); convert it to version 1 first",
        found.join(", ")
    )]
    OlderStandard {
        /// The columns that only the older layout has.
        found: Vec<String>,
    },
    /// More records than the format can sensibly have.
    #[error("the file has more than {limit} records; split it")]
    TooManyRecords {
        /// How many are read at most.
        limit: usize,
    },
    /// A table of something else.
    #[error("the file is not {format}; columns that it lacks: {}", missing.join(", "))]
    MissingColumns {
        /// The format that was expected.
        format: &'static str,
        /// Required columns that the header lacks, in the order of the format.
        missing: Vec<String>,
    },
}

/// One thing that is wrong in one record, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowFault {
    /// Physical line on which the record starts; the first line of the file is 1.
    pub line: u64,
    /// Column of the fault; empty when the whole record is meant.
    pub field: String,
    /// The value as it stood in the file, at most 200 characters of it; empty when it must not be repeated.
    pub value: String,
    /// Machine-readable kind.
    pub problem: RowProblem,
    /// What is wrong and what was done, in English.
    pub message: String,
    /// What was done.
    pub action: RowAction,
}

/// What was done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowAction {
    /// Nothing of the record was taken.
    RowSkipped,
    /// The record was taken without this value.
    ValueIgnored,
    /// The value was changed; the message says into what.
    ValueCorrected,
    /// The record and the value were taken as they are.
    Kept,
}

macro_rules! row_problems {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// What can be wrong in a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum RowProblem {
            $($(#[doc = $doc])+ $name,)+
        }

        impl RowProblem {
            /// The code that stands for this problem in JSON.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

row_problems! {
    /// More or fewer fields than the header.
    WrongFieldCount = "wrong_field_count",
    /// A quotation mark that is never closed.
    OrphanQuote = "orphan_quote",
    /// A column that the format does not have.
    UnknownColumn = "unknown_column",
    /// A column of an older version of the format.
    ObsoleteColumn = "obsolete_column",
    /// A column that stands twice.
    DuplicateColumn = "duplicate_column",
    /// Text that is not UTF-8.
    ForeignEncoding = "foreign_encoding",
    /// A value that the format requires and the record lacks.
    MissingValue = "missing_value",
    /// An identifier that an earlier record has.
    Duplicate = "duplicate",
    /// A filler such as zeros: the number is unknown.
    PlaceholderIdentifier = "placeholder_identifier",
    /// A SIRET, SIREN or RNA number that is wrong.
    InvalidIdentifier = "invalid_identifier",
    /// The SIREN of an entity where the SIRET of a site is expected.
    SirenForSiret = "siren_for_siret",
    /// A number that lost its leading zero, as spreadsheets do.
    LostLeadingZero = "lost_leading_zero",
    /// A separator of lists other than the standard's.
    ListSeparator = "list_separator",
    /// A word of an older list of values that means one word of the present one.
    ObsoleteValue = "obsolete_value",
    /// A value outside the list of values.
    UnknownValue = "unknown_value",
    /// Markup in a text.
    Markup = "markup",
    /// A text above its greatest length.
    TooLong = "too_long",
    /// A post code that is not one.
    InvalidPostCode = "invalid_post_code",
    /// A code of a commune or a territory that is not one.
    InvalidCode = "invalid_code",
    /// A code found from the names and post code of the record.
    CodeDerived = "code_derived",
    /// A code that disagrees with the name or the post code.
    ContradictoryCode = "contradictory_code",
    /// No code and no way to find it: the place is known, its territory is not.
    UnknownTerritory = "unknown_territory",
    /// A number that is not one, or is out of its range.
    InvalidNumber = "invalid_number",
    /// A number with a decimal comma or spaces.
    NumberFormat = "number_format",
    /// One coordinate without the other.
    IncompleteCoordinates = "incomplete_coordinates",
    /// Latitude and longitude in each other's place.
    SwappedCoordinates = "swapped_coordinates",
    /// A point outside the area that the format covers.
    OutsideArea = "outside_area",
    /// The address of a shelter, which must not be published.
    ProtectedAddress = "protected_address",
    /// A telephone number without its country, or with spaces.
    PhoneFormat = "phone_format",
    /// A telephone number that is not one.
    InvalidPhone = "invalid_phone",
    /// An e-mail address that is not one.
    InvalidEmail = "invalid_email",
    /// A web address without its scheme.
    UrlFormat = "url_format",
    /// A web address that is not one.
    InvalidUrl = "invalid_url",
    /// A date in another notation.
    DateFormat = "date_format",
    /// A date that is not one.
    InvalidDate = "invalid_date",
    /// A record without a number of its own that joins the entity of the same name.
    JoinedByName = "joined_by_name",
    /// A name that several entities bear: the record joins none of them.
    AmbiguousName = "ambiguous_name",
    /// A kind of territory that does not exist.
    UnknownKind = "unknown_kind",
    /// A territory that is its own parent.
    SelfParent = "self_parent",
    /// A territory among its own ancestors.
    Cycle = "cycle",
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How many faults are kept one by one: a hostile file must not fill the memory with its report.
pub(super) const FAULTS_LISTED: usize = 50_000;

/// What is wrong with a file and what was done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The faults, by line; the first 50,000 found.
    pub faults: Vec<RowFault>,
    /// How many faults there are of each kind, all of them.
    pub counts: BTreeMap<RowProblem, usize>,
    /// Lines of the records that were skipped, all of them.
    pub skipped_lines: BTreeSet<u64>,
}

impl Report {
    /// Counts a fault, and lists it while there is room.
    pub(super) fn add(&mut self, fault: RowFault) {
        *self.counts.entry(fault.problem).or_default() += 1;
        if fault.action == RowAction::RowSkipped {
            self.skipped_lines.insert(fault.line);
        }
        if self.faults.len() < FAULTS_LISTED {
            self.faults.push(fault);
        }
    }

    /// Brings the faults into the order of the lines.
    pub(super) fn sort(&mut self) {
        self.faults.sort_by_key(|fault| fault.line);
    }
}

/// The faults of one record while it is read.
pub(super) struct Faults<'a> {
    line: u64,
    all: &'a mut Report,
}

impl<'a> Faults<'a> {
    /// Collects into `all` the faults of the record that starts on `line`.
    pub(super) fn of_line(line: u64, all: &'a mut Report) -> Self {
        Self { line, all }
    }

    pub(super) fn skip(&mut self, field: &str, value: &str, problem: RowProblem, message: impl Into<String>) {
        self.add(field, value, problem, message.into(), RowAction::RowSkipped);
    }

    pub(super) fn ignore(&mut self, field: &str, value: &str, problem: RowProblem, message: impl Into<String>) {
        self.add(field, value, problem, message.into(), RowAction::ValueIgnored);
    }

    pub(super) fn correct(&mut self, field: &str, value: &str, problem: RowProblem, message: impl Into<String>) {
        self.add(field, value, problem, message.into(), RowAction::ValueCorrected);
    }

    pub(super) fn keep(&mut self, field: &str, value: &str, problem: RowProblem, message: impl Into<String>) {
        self.add(field, value, problem, message.into(), RowAction::Kept);
    }

    fn add(&mut self, field: &str, value: &str, problem: RowProblem, message: String, action: RowAction) {
        let value = value.chars().take(VALUE_SHOWN).collect();
        self.all.add(RowFault { line: self.line, field: field.to_owned(), value, problem, message, action });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{FAULTS_LISTED, Faults, NotThisFormat, Report, RowProblem};

    #[test]
    fn the_code_of_a_problem_is_its_name_in_json() {
        for problem in [RowProblem::WrongFieldCount, RowProblem::OrphanQuote, RowProblem::Cycle] {
            assert_eq!(serde_json::to_value(problem).unwrap(), problem.code());
        }
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let mut all = Report::default();
        Faults::of_line(7, &mut all).keep("nom", &"é".repeat(500), RowProblem::TooLong, "too long");
        let cut = &all.faults[0];
        assert_eq!((cut.line, cut.value.chars().count()), (7, 200));
    }

    #[test]
    fn a_report_has_an_end_but_counts_go_on() {
        let mut all = Report::default();
        for line in 0..60_000 {
            Faults::of_line(line, &mut all).skip("nom", "", RowProblem::TooLong, "too long");
        }
        assert_eq!((all.faults.len(), all.counts[&RowProblem::TooLong]), (FAULTS_LISTED, 60_000));
        assert_eq!(all.skipped_lines.len(), 60_000);
    }

    #[test]
    fn a_refusal_names_what_is_missing() {
        let one = NotThisFormat::MissingColumns { format: "a list of territories", missing: vec!["kind".into()] };
        assert_eq!(one.to_string(), "the file is not a list of territories; columns that it lacks: kind");
    }
}
