//! Office Open XML (ECMA-376), written part by part: headings by style, tables with a head that each page repeats, French as the
//! language, and no time but that of the archive's format, so that equal answers give equal bytes.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::Error;
use crate::model::AnswerDocument;
use crate::page::{Block, Page, Table, page};

/// The namespace of word processing.
const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
/// Width of the text in twentieths of a point: A4 less two margins of 18 mm.
const TEXT_WIDTH: usize = 9_865;

/// An answer as DOCX.
///
/// # Errors
/// Only defects of this package.
pub fn docx(answer: &AnswerDocument) -> Result<Vec<u8>, Error> {
    let page = page(answer);
    let parts = [
        ("[Content_Types].xml", content_types()),
        ("_rels/.rels", package_relations()),
        ("docProps/core.xml", properties(&page)),
        ("word/document.xml", document(&page)),
        ("word/styles.xml", styles()),
        ("word/footer1.xml", footer(&page)),
        ("word/_rels/document.xml.rels", document_relations()),
    ];
    pack(&parts).map_err(|error| Error::Archive(error.to_string()))
}

fn pack(parts: &[(&str, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, text) in parts {
        archive.start_file(*name, options)?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

/// A text as XML has it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn run(text: &str) -> String {
    format!(r#"<w:r><w:t xml:space="preserve">{}</w:t></w:r>"#, escape(text))
}

fn paragraph(style: &str, text: &str) -> String {
    format!(r#"<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{}</w:p>"#, run(text))
}

fn document(page: &Page) -> String {
    let mut body = paragraph("Title", &page.title);
    for block in &page.blocks {
        match block {
            Block::Heading { level, text } => body.push_str(&paragraph(&format!("Heading{level}"), text)),
            Block::Paragraph { text } => body.push_str(&paragraph("Normal", text)),
            Block::Table(own) => table(own, &mut body),
        }
    }
    format!(
        r#"{HEAD}<w:document xmlns:w="{WORD}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body>{body}<w:sectPr><w:footerReference w:type="default" r:id="rId2"/><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1020" w:bottom="1134" w:left="1020" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr></w:body></w:document>"#
    )
}

fn table(own: &Table, body: &mut String) {
    let width = TEXT_WIDTH / own.columns.len().max(1);
    body.push_str(&paragraph("Caption", &own.caption));
    // What a table shows is also said to those who cannot see it.
    let _ = write!(
        body,
        r#"<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="{TEXT_WIDTH}" w:type="dxa"/><w:tblLook w:firstRow="1"/><w:tblCaption w:val="{}"/></w:tblPr><w:tblGrid>"#,
        escape(&own.caption)
    );
    for _ in &own.columns {
        let _ = write!(body, r#"<w:gridCol w:w="{width}"/>"#);
    }
    body.push_str("</w:tblGrid><w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>");
    for column in &own.columns {
        cell(width, "TableHead", &column.head, body);
    }
    body.push_str("</w:tr>");
    for row in &own.rows {
        body.push_str("<w:tr><w:trPr><w:cantSplit/></w:trPr>");
        for (column, text) in own.columns.iter().zip(row) {
            cell(width, if column.number { "TableNumber" } else { "TableText" }, text, body);
        }
        body.push_str("</w:tr>");
    }
    body.push_str("</w:tbl>");
}

fn cell(width: usize, style: &str, text: &str, body: &mut String) {
    let text = paragraph(style, text);
    let _ = write!(body, r#"<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{text}</w:tc>"#);
}

fn footer(page: &Page) -> String {
    let field = |name: &str| format!(r#"<w:fldSimple w:instr=" {name} "><w:r><w:t>1</w:t></w:r></w:fldSimple>"#);
    format!(
        r#"{HEAD}<w:ftr xmlns:w="{WORD}"><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>{}{}{}{}</w:p></w:ftr>"#,
        run(&format!("{} · page ", page.title)),
        field("PAGE"),
        run(" sur "),
        field("NUMPAGES"),
    )
}

/// A paragraph style: its id, its name, its properties and those of its letters.
fn style(id: &str, name: &str, properties: &str, letters: &str) -> String {
    format!(
        r#"<w:style w:type="paragraph" w:styleId="{id}"><w:name w:val="{name}"/><w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>{properties}</w:pPr><w:rPr>{letters}</w:rPr></w:style>"#
    )
}

fn styles() -> String {
    let heading = |level: usize, size: usize| {
        let properties =
            format!(r#"<w:keepNext/><w:spacing w:before="280" w:after="120"/><w:outlineLvl w:val="{}"/>"#, level - 1);
        style(
            &format!("Heading{level}"),
            &format!("heading {level}"),
            &properties,
            &format!(r#"<w:b/><w:sz w:val="{size}"/>"#),
        )
    };
    let small = r#"<w:sz w:val="18"/>"#;
    let own = [
        style("Title", "Title", r#"<w:spacing w:after="200"/>"#, r#"<w:b/><w:sz w:val="36"/>"#),
        heading(1, 28),
        heading(2, 24),
        style("Caption", "caption", "<w:keepNext/>", r#"<w:i/><w:sz w:val="18"/>"#),
        style("Footer", "footer", r#"<w:jc w:val="center"/>"#, r#"<w:sz w:val="16"/>"#),
        style("TableHead", "Table Head", r#"<w:keepNext/><w:spacing w:after="0"/>"#, r#"<w:b/><w:sz w:val="18"/>"#),
        style("TableText", "Table Text", r#"<w:spacing w:after="0"/>"#, small),
        style("TableNumber", "Table Number", r#"<w:spacing w:after="0"/><w:jc w:val="right"/>"#, small),
    ];
    let line = |side: &str| format!(r#"<w:{side} w:val="single" w:sz="4" w:space="0" w:color="808080"/>"#);
    let lines: String = ["top", "left", "bottom", "right", "insideH", "insideV"].into_iter().map(line).collect();
    format!(
        r#"{HEAD}<w:styles xmlns:w="{WORD}"><w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val="20"/><w:lang w:val="fr-FR"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="120"/></w:pPr></w:pPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>{}<w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:tblPr><w:tblBorders>{lines}</w:tblBorders></w:tblPr></w:style></w:styles>"#,
        own.concat()
    )
}

fn properties(page: &Page) -> String {
    format!(
        r#"{HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title><dc:creator>{}</dc:creator><dc:language>fr-FR</dc:language></cp:coreProperties>"#,
        escape(&page.title),
        escape(&page.author)
    )
}

fn content_types() -> String {
    let office = "application/vnd.openxmlformats-officedocument.wordprocessingml";
    format!(
        r#"{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="{office}.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="{office}.styles+xml"/><Override PartName="/word/footer1.xml" ContentType="{office}.footer+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>"#
    )
}

fn relations(own: &[(&str, &str, &str)]) -> String {
    let one = |(id, kind, target): &(&str, &str, &str)| {
        format!(r#"<Relationship Id="{id}" Type="http://schemas.openxmlformats.org/{kind}" Target="{target}"/>"#)
    };
    let all: String = own.iter().map(one).collect();
    format!(
        r#"{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{all}</Relationships>"#
    )
}

fn package_relations() -> String {
    relations(&[
        ("rId1", "officeDocument/2006/relationships/officeDocument", "word/document.xml"),
        ("rId2", "package/2006/relationships/metadata/core-properties", "docProps/core.xml"),
    ])
}

fn document_relations() -> String {
    relations(&[
        ("rId1", "officeDocument/2006/relationships/styles", "styles.xml"),
        ("rId2", "officeDocument/2006/relationships/footer", "footer1.xml"),
    ])
}
