//! The answer in French: headings, paragraphs and tables, for every format.

use serde::Serialize;

use crate::french::{amount, clean, day, form, instant, number, percent, role};
use crate::model::{AnswerDocument, AnswerLot, AnswerNeed};

/// A document, in the order in which it is read.
#[derive(Debug, Serialize)]
pub struct Page {
    /// What it is called.
    pub title: String,
    /// In whose name it speaks.
    pub author: String,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A piece of a document.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A heading, 1 or 2.
    Heading {
        /// How deep.
        level: usize,
        /// What it says.
        text: String,
    },
    /// A paragraph.
    Paragraph {
        /// What it says.
        text: String,
    },
    /// A table.
    Table(Table),
}

/// A table with a row of heads.
#[derive(Debug, Serialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// As many cells as there are columns in each.
    pub rows: Vec<Vec<String>>,
}

/// A column.
#[derive(Debug, Serialize)]
pub struct Column {
    /// What it is called.
    pub head: String,
    /// Whether it holds numbers, which stand to the right.
    pub number: bool,
}

/// Most columns of years side by side; more are told in further tables.
const YEARS_ABREAST: usize = 4;

/// Says an answer in French.
pub fn page(answer: &AnswerDocument) -> Page {
    let mut writer = Writer(Vec::new());
    writer.call(answer);
    writer.members(answer);
    writer.services(answer);
    writer.lots(answer);
    writer.calendar(answer);
    writer.budget(answer);
    writer.signatures(answer);
    let title = match &answer.group.name {
        Some(name) => format!("Réponse du groupement {}", clean(name)),
        None => format!("Réponse de {}", lead(answer)),
    };
    Page { title, author: lead(answer), blocks: writer.0 }
}

/// Who speaks for all.
fn lead(answer: &AnswerDocument) -> String {
    let heads = |code: &str| matches!(code, "group-lead" | "sole-tenderer");
    let lead = answer.members.iter().find(|member| heads(&member.role));
    lead.map(|member| clean(&member.name)).unwrap_or_default()
}

fn text(head: &str) -> Column {
    Column { head: head.to_owned(), number: false }
}

fn figure(head: impl Into<String>) -> Column {
    Column { head: head.into(), number: true }
}

struct Writer(Vec<Block>);

impl Writer {
    fn heading(&mut self, level: usize, text: impl Into<String>) {
        self.0.push(Block::Heading { level, text: text.into() });
    }

    fn paragraph(&mut self, text: impl Into<String>) {
        self.0.push(Block::Paragraph { text: text.into() });
    }

    fn table(&mut self, caption: &str, columns: Vec<Column>, rows: Vec<Vec<String>>) {
        self.0.push(Block::Table(Table { caption: caption.to_owned(), columns, rows }));
    }

    fn call(&mut self, answer: &AnswerDocument) {
        let call = &answer.call;
        self.heading(1, "La consultation");
        let mut rows = vec![("Objet", clean(&call.title)), ("Financeur", clean(&call.funder))];
        rows.extend(call.reference.as_ref().map(|reference| ("Référence", clean(reference))));
        rows.push(("Nature", if call.kind == "contract" { "marché public" } else { "subvention" }.to_owned()));
        rows.push(("Premier jour", day(call.starts_on)));
        rows.push(("Durée", format!("{} mois", call.duration_months)));
        rows.extend(call.answers_due_at.map(|due| ("Date limite des réponses", instant(due))));
        rows.push(("Version de la consultation", format!("{} ({})", call.version, call.id)));
        rows.push(("Prix de la réponse", amount(answer.amount_cents)));
        if answer.coordination_cents > 0 {
            rows.push(("Dont coordination par le mandataire", amount(answer.coordination_cents)));
        }
        rows.push(("Couverture des besoins", percent(answer.coverage_percent)));
        let rows = rows.into_iter().map(|(head, value)| vec![head.to_owned(), value]).collect();
        self.table("La consultation et la réponse en bref", vec![text("Élément"), text("Valeur")], rows);
    }

    fn members(&mut self, answer: &AnswerDocument) {
        self.heading(1, "Les membres");
        if let Some(code) = &answer.group.form {
            self.paragraph(format!("Forme : {}. Mandataire : {}.", form(code), lead(answer)));
        }
        let rows = answer.members.iter().map(|member| {
            let numbers: Vec<String> =
                member.identifiers.iter().map(|own| format!("{} {}", own.label, clean(&own.code))).collect();
            vec![
                clean(&member.name),
                numbers.join(", "),
                role(&member.role).to_owned(),
                member.lots.join(", "),
                amount(member.amount_cents),
                percent(member.share_percent),
            ]
        });
        let columns = vec![
            text("Structure"),
            text("Identifiants"),
            text("Rôle"),
            text("Lots"),
            figure("Montant"),
            figure("Part"),
        ];
        self.table("Membres, rôles et parts", columns, rows.collect());
    }

    /// The facts of form DC1: which member carries out which services.
    fn services(&mut self, answer: &AnswerDocument) {
        self.heading(1, "Répartition des prestations");
        let needs: Vec<(&AnswerLot, &AnswerNeed)> =
            answer.lots.iter().flat_map(|lot| lot.needs.iter().map(move |need| (lot, need))).collect();
        let rows = answer.members.iter().flat_map(|member| {
            let own = needs.iter().flat_map(|(lot, need)| {
                let parts = need.parts.iter().filter(|part| part.organisation == member.organisation);
                parts.map(|part| (*lot, *need, part))
            });
            own.map(|(lot, need, part)| {
                vec![
                    clean(&member.name),
                    lot.code.clone(),
                    format!("{} ({})", clean(&need.title), clean(&need.service.label)),
                    format!("{} {}", number(part.quantity), need.unit.label),
                    amount(part.amount_cents),
                ]
            })
        });
        let columns =
            vec![text("Membre"), text("Lot"), text("Prestation exécutée"), figure("Quantité"), figure("Montant")];
        self.table("Prestations exécutées par chaque membre", columns, rows.collect());
    }

    fn lots(&mut self, answer: &AnswerDocument) {
        self.heading(1, "Couverture des besoins, par lot");
        for lot in &answer.lots {
            self.heading(2, format!("Lot {} : {}", lot.code, clean(&lot.title)));
            self.paragraph(format!(
                "Prix du lot : {}. Couverture : {}.",
                amount(lot.amount_cents),
                percent(lot.coverage_percent)
            ));
            let rows = lot.needs.iter().map(|need| {
                let whom = need.public.as_ref().map_or("tous publics".to_owned(), |public| clean(&public.label));
                let title = clean(&need.title);
                vec![
                    if need.mandatory { title } else { format!("{title} (facultatif)") },
                    clean(&need.territory.label),
                    whom,
                    format!("{} {}", number(need.asked), need.unit.label),
                    number(need.covered),
                    percent(need.coverage_percent),
                ]
            });
            let columns = vec![
                text("Besoin"),
                text("Territoire"),
                text("Public"),
                figure("Demandé"),
                figure("Assuré"),
                figure("Couverture"),
            ];
            self.table(&format!("Besoins du lot {}", lot.code), columns, rows.collect());
        }
    }

    fn calendar(&mut self, answer: &AnswerDocument) {
        self.heading(1, "Calendrier");
        self.paragraph("Les quantités sont réparties sur la durée du contrat au prorata des mois.");
        for years in answer.years.chunks(YEARS_ABREAST) {
            let mut columns = vec![text("Besoin")];
            columns.extend(years.iter().map(|year| figure(format!("Année {}", year.number))));
            let mut rows = vec![
                std::iter::once("Du".to_owned()).chain(years.iter().map(|year| day(year.from))).collect(),
                std::iter::once("Au".to_owned()).chain(years.iter().map(|year| day(year.to))).collect(),
            ];
            for need in answer.lots.iter().flat_map(|lot| &lot.needs) {
                let in_year = |year: &crate::AnswerYear| {
                    let found = year.needs.iter().find(|own| own.need == need.code);
                    format!("{} {}", number(found.map_or(0, |own| own.quantity)), need.unit.label)
                };
                rows.push(std::iter::once(clean(&need.title)).chain(years.iter().map(in_year)).collect());
            }
            self.table("Quantités par année du contrat", columns, rows);
        }
    }

    fn budget(&mut self, answer: &AnswerDocument) {
        self.heading(1, "Budget");
        for years in answer.years.chunks(YEARS_ABREAST) {
            let mut columns = vec![text("Membre")];
            columns.extend(years.iter().map(|year| figure(format!("Année {}", year.number))));
            columns.push(figure("Contrat entier"));
            let mut rows: Vec<Vec<String>> = Vec::new();
            for member in &answer.members {
                let in_year = |year: &crate::AnswerYear| {
                    let found = year.parts.iter().find(|part| part.organisation == member.organisation);
                    amount(found.map_or(0, |part| part.amount_cents))
                };
                let cells = std::iter::once(clean(&member.name)).chain(years.iter().map(in_year));
                rows.push(cells.chain([amount(member.amount_cents)]).collect());
            }
            let totals = std::iter::once("Total".to_owned()).chain(years.iter().map(|year| amount(year.amount_cents)));
            rows.push(totals.chain([amount(answer.amount_cents)]).collect());
            self.table("Budget par année du contrat et par membre", columns, rows);
        }
    }

    fn signatures(&mut self, answer: &AnswerDocument) {
        if let Some(note) = &answer.note {
            self.heading(1, "Précisions");
            for line in note.lines().filter(|line| !line.trim().is_empty()) {
                self.paragraph(clean(line));
            }
        }
        self.heading(1, "Accord des membres");
        match &answer.digest {
            Some(digest) => self.paragraph(format!("Empreinte SHA-256 de la réponse : {digest}")),
            None => self.paragraph("Cette réponse n’est pas encore scellée."),
        }
        if answer.signatures.is_empty() {
            self.paragraph("Aucune signature n’est jointe.");
            return;
        }
        let rows = answer.signatures.iter().map(|signature| {
            vec![clean(answer.name(&signature.organisation)), instant(signature.signed_at), clean(&signature.digest)]
        });
        let columns = vec![text("Membre"), text("Signé le"), text("Empreinte signée")];
        self.table("Signatures", columns, rows.collect());
    }
}
