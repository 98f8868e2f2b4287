//! Records of a delimited text, with their lines, that survive what people do to such files.

use std::collections::BTreeMap;
use std::io::Cursor;

use csv::{ByteRecord, Position, Reader, ReaderBuilder, StringRecord};

use super::NotThisFormat;
use super::report::{Faults, Report, RowProblem};
use super::text::{Delimiter, column_name};

/// How many times its own length a file may be read again after orphan quotes: their number is not ours to trust.
const REREADING: usize = 8;

/// The longest record that is read, in bytes. The longest real one seen has a tenth of it.
const LONGEST_RECORD: usize = 65_536;

/// A table whose header has been read.
pub(super) struct Table<'t> {
    text: &'t str,
    reader: Reader<Cursor<&'t [u8]>>,
    delimiter: Delimiter,
    header: Vec<String>,
    columns: BTreeMap<String, usize>,
    rereading_left: usize,
}

/// One record: as many fields as the header, not all of them blank.
pub(super) struct Row<'c> {
    /// Physical line on which the record starts.
    pub(super) line: u64,
    columns: &'c BTreeMap<String, usize>,
    record: StringRecord,
}

impl Row<'_> {
    /// The field of a column without blanks around it; empty when the table lacks the column.
    pub(super) fn get(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|&index| self.record.get(index)).unwrap_or("").trim()
    }
}

/// What stands at the next place of the table.
enum Next {
    Row(u64, StringRecord),
    Skipped,
    Blank,
    End,
}

impl<'t> Table<'t> {
    /// Reads the header of `text`; the `known` columns tell the delimiter.
    pub(super) fn open(text: &'t str, known: &[&str]) -> Self {
        let first_line = text.trim_start().lines().next().unwrap_or("");
        let delimiter = Delimiter::of_header(first_line, known);
        let mut reader = reader(text, delimiter, true);
        let mut record = StringRecord::new();
        let header: Vec<String> = match reader.read_record(&mut record) {
            Ok(true) => record.iter().map(column_name).collect(),
            _ => Vec::new(),
        };
        let mut columns = BTreeMap::new();
        for (index, name) in header.iter().enumerate() {
            columns.entry(name.clone()).or_insert(index);
        }
        Self { text, reader, delimiter, header, columns, rereading_left: REREADING * text.len() }
    }

    pub(super) fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// The columns of `required` that the header lacks, in that order.
    pub(super) fn missing(&self, required: &[&str]) -> Vec<String> {
        required.iter().filter(|column| !self.has(column)).map(|&column| column.to_owned()).collect()
    }

    /// Notes, once, the columns that stand twice, those of older versions and those that are in neither list.
    pub(super) fn note_columns(&self, known: &[&str], obsolete: &[&str], all: &mut Report) {
        let mut faults = Faults::of_line(1, all);
        for (index, name) in self.header.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            if self.columns.get(name) != Some(&index) {
                faults.ignore(name, "", RowProblem::DuplicateColumn, "the column stands twice; the first one is read");
            } else if obsolete.contains(&name.as_str()) {
                faults.ignore(name, "", RowProblem::ObsoleteColumn, "a column of an older version; it is not read");
            } else if !known.contains(&name.as_str()) {
                faults.ignore(name, "", RowProblem::UnknownColumn, "the format has no such column; it is not read");
            }
        }
    }

    /// Gives every sound record to `read`, in order, and returns how many records there were, unsound ones included.
    ///
    /// A record with an orphan quote, of excessive length or of another width is skipped with a fault. O(length).
    pub(super) fn each(
        mut self,
        limit: usize,
        all: &mut Report,
        mut read: impl FnMut(&Row<'_>, &mut Faults<'_>),
    ) -> Result<usize, NotThisFormat> {
        let mut records = 0;
        while records <= limit {
            match self.next(all) {
                Next::End => return Ok(records),
                Next::Blank => {}
                Next::Skipped => records += 1,
                Next::Row(line, record) => {
                    records += 1;
                    read(&Row { line, columns: &self.columns, record }, &mut Faults::of_line(line, all));
                }
            }
        }
        Err(NotThisFormat::TooManyRecords { limit })
    }

    fn next(&mut self, all: &mut Report) -> Next {
        let (start, line) = self.start_of_record();
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Next::End,
            Err(_) => return Next::Skipped,
        }
        if record.iter().all(|field| field.trim().is_empty()) {
            return Next::Blank;
        }
        let end = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX).min(self.text.len());
        let span = self.text.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n']);
        let complete = record.len() == self.header.len();
        if span.contains('"') && !is_well_quoted(span, self.delimiter) && self.rereading_left >= span.len() {
            self.rereading_left -= span.len();
            return self.without_orphan_quote(start, line, span, all);
        }
        if span.len() > LONGEST_RECORD {
            let message = format!("the record has {} bytes, the most is {LONGEST_RECORD}; it was skipped", span.len());
            Faults::of_line(line, all).skip("", "", RowProblem::TooLong, message);
            return Next::Skipped;
        }
        if complete {
            return Next::Row(line, record);
        }
        let message =
            format!("the record has {} fields, the header has {}; it was skipped", record.len(), self.header.len());
        Faults::of_line(line, all).skip("", "", RowProblem::WrongFieldCount, message);
        Next::Skipped
    }

    /// The place where the next record starts, past the line ends that csv has not consumed yet.
    fn start_of_record(&self) -> (usize, u64) {
        let position = self.reader.position();
        let mut start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let mut line = position.line();
        while let Some(end_of_line @ (b'\r' | b'\n')) = self.text.as_bytes().get(start) {
            line += u64::from(*end_of_line == b'\n');
            start += 1;
        }
        (start, line)
    }

    /// Reads only the first line of a record whose quote is never closed, as if quotes meant nothing; goes on after it.
    fn without_orphan_quote(&mut self, start: usize, line: u64, span: &str, all: &mut Report) -> Next {
        let first = span.split('\n').next().unwrap_or("");
        let mut after = Position::new();
        after.set_byte((start + first.len()) as u64).set_line(line);
        let mut record = ByteRecord::new();
        let read = reader(first, self.delimiter, false).read_byte_record(&mut record);
        let mut faults = Faults::of_line(line, all);
        if self.reader.seek(after).is_ok() && read.is_ok() && record.len() == self.header.len() {
            let fields = record.iter().map(|field| without_quotes(&String::from_utf8_lossy(field)));
            faults.correct("", "", RowProblem::OrphanQuote, "a quotation mark is never closed; it was read as text");
            return Next::Row(line, fields.collect());
        }
        let message = "a quotation mark is never closed, so the fields cannot be told apart; the record was skipped";
        faults.skip("", "", RowProblem::OrphanQuote, message);
        Next::Skipped
    }
}

fn reader(text: &str, delimiter: Delimiter, quoting: bool) -> Reader<Cursor<&[u8]>> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .quoting(quoting)
        .delimiter(delimiter.byte())
        .from_reader(Cursor::new(text.as_bytes()))
}

/// Whether every quoted field is closed, right before a delimiter or the end of a line.
fn is_well_quoted(span: &str, delimiter: Delimiter) -> bool {
    let mut bytes = span.bytes().peekable();
    let mut at_field_start = true;
    let mut quoted = false;
    while let Some(byte) = bytes.next() {
        match (quoted, byte) {
            (true, b'"') => match bytes.peek() {
                Some(b'"') => _ = bytes.next(),
                Some(&b) if b != delimiter.byte() && b != b'\n' && b != b'\r' => return false,
                _ => quoted = false,
            },
            (true, _) => {}
            (false, b'"') if at_field_start => quoted = true,
            (false, _) => at_field_start = byte == delimiter.byte() || byte == b'\n',
        }
        if quoted {
            at_field_start = false;
        }
    }
    !quoted
}

/// A field read without quoting: the quotes around it or before it go, doubled ones become one.
fn without_quotes(field: &str) -> String {
    let field = field.trim();
    let inner = match field.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').unwrap_or(rest),
        None => field,
    };
    inner.replace("\"\"", "\"")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{LONGEST_RECORD, Table};
    use crate::imports::NotThisFormat;
    use crate::imports::report::Report;

    /// The records as `line:a|b|c`, and the faults as `line:code`.
    fn read(text: &str) -> (Vec<String>, Vec<String>, usize) {
        let mut log = Report::default();
        let mut rows = Vec::new();
        let records = Table::open(text, &["a", "b", "c"]).each(1_000_000, &mut log, |row, _| {
            rows.push(format!("{}:{}|{}|{}", row.line, row.get("a"), row.get("b"), row.get("c")));
        });
        let faults = log.faults.iter().map(|f| format!("{}:{}", f.line, f.problem)).collect();
        let records = records.unwrap();
        (rows, faults, records)
    }

    #[test]
    fn lines_count_from_one_across_blank_lines_and_multi_line_fields() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b,c", "", "1,\"x", "", "y\",3", "  ", ",,", "4,5,6", ""].join(end);
            let (rows, faults, records) = read(&text);
            assert_eq!(rows[1], "8:4|5|6", "{end:?}");
            assert!(rows[0].starts_with("3:1|x") && rows.len() == 2, "{rows:?}");
            assert!(faults.is_empty() && records == 2, "{faults:?}");
        }
    }

    #[test]
    fn a_row_of_another_width_is_skipped_and_the_next_one_is_read() {
        let (rows, faults, records) = read("a,b,c\n1,2\n1,2,3,4\n\"x\ny\",2\n4,5,6\n");
        assert_eq!((rows, records), (vec!["6:4|5|6".to_owned()], 4));
        assert_eq!(faults, ["2:wrong_field_count", "3:wrong_field_count", "4:wrong_field_count"]);
    }

    #[test]
    fn an_orphan_quote_does_not_swallow_the_rows_below() {
        let (rows, faults, records) = read("a,b,c\n1,\"Chez \"\"Léa\"\",3\n4,\"Autre\",6\n7,\"8\",9\n");
        assert_eq!(rows, ["2:1|Chez \"Léa\"|3", "3:4|Autre|6", "4:7|8|9"]);
        assert_eq!((faults, records), (vec!["2:orphan_quote".to_owned()], 3));
    }

    #[test]
    fn an_orphan_quote_beside_a_quoted_delimiter_costs_only_its_row() {
        let (rows, faults, records) = read("a,b,c\n1,\"x,\"y,z\"\n4,\"5\",6\n7,\"8,9\n");
        assert_eq!(rows, ["3:4|5|6", "4:7|8|9"]);
        assert_eq!((faults, records), (vec!["2:orphan_quote".to_owned(), "4:orphan_quote".to_owned()], 3));
    }

    #[test]
    fn a_record_of_excessive_length_is_skipped() {
        let (rows, faults, records) = read(&format!("a,b,c\n1,{},3\n4,5,6\n", "x".repeat(LONGEST_RECORD)));
        assert_eq!((rows, faults, records), (vec!["3:4|5|6".to_owned()], vec!["2:too_long".to_owned()], 2));
    }

    #[test]
    fn a_table_has_as_many_records_as_its_reader_allows() {
        let count = |limit| Table::open("a\n1\n\n2\n3\n", &["a"]).each(limit, &mut Report::default(), |_, _| {});
        assert_eq!(count(3), Ok(3));
        assert_eq!(count(2), Err(NotThisFormat::TooManyRecords { limit: 2 }));
    }

    #[test]
    fn a_file_of_orphan_quotes_is_read_in_bounded_time() {
        let text = format!("a,b,c\n{}", "x\",\"y\n".repeat(50_000));
        let before = std::time::Instant::now();
        let (rows, _, records) = read(&text);
        assert!(rows.is_empty() && records > 0);
        assert!(before.elapsed().as_secs() < 20, "{:?}", before.elapsed());
    }
}
