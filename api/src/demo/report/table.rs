//! Text in columns, for a terminal.

use super::amount::width;

/// Where a cell stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells; columns are as wide as their widest cell.
#[derive(Clone, Debug)]
pub struct Table<const N: usize> {
    aligns: [Align; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with one heading per column.
    #[must_use]
    pub fn new(columns: [(&str, Align); N]) -> Self {
        Self { aligns: columns.map(|(_, align)| align), rows: vec![columns.map(|(heading, _)| heading.to_owned())] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// The lines, headings first, without spaces at their ends. O(cells).
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let widths: [usize; N] =
            std::array::from_fn(|column| self.rows.iter().map(|row| width(&row[column])).max().unwrap_or(0));
        let line = |row: &[String; N]| {
            let mut line = String::new();
            for ((cell, align), column) in row.iter().zip(self.aligns).zip(widths) {
                let space = " ".repeat(column - width(cell));
                match align {
                    Align::Left => line.extend([cell.as_str(), &space]),
                    Align::Right => line.extend([space.as_str(), cell]),
                }
                line.push_str("  ");
            }
            line.trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// The words of `text` in lines of at most `columns` characters; a longer word has a line of its own.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_accents_or_not() {
        let mut table = Table::new([("who", Align::Left), ("amount", Align::Right), ("", Align::Left)]);
        table.row(["Emmaüs".to_owned(), "1.00 €".to_owned(), "lead".to_owned()]);
        table.row(["Écoles".to_owned(), "1 234.00 €".to_owned(), String::new()]);
        assert_eq!(table.lines(), ["who         amount", "Emmaüs      1.00 €  lead", "Écoles  1 234.00 €"]);
    }

    #[test]
    fn lines_break_between_words_only() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a incomprehensible b", 4), ["a", "incomprehensible", "b"]);
        assert_eq!(wrap("  ", 4), Vec::<String>::new());
    }
}
