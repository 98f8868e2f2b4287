//! In which format an answer is read: by name, or by `Accept`.

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION};
use actix_web::{HttpRequest, HttpResponse};
use attelage_documents::AnswerDocument;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// A format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AnswerFormat)]
pub enum Format {
    /// Data, for programs.
    Json,
    /// For people: tagged PDF, in French.
    Pdf,
    /// For people who go on writing: Office Open XML, in French.
    Docx,
}

/// How an answer is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// The format; where absent, the first that `Accept` names, else JSON.
    #[param(inline)]
    pub format: Option<Format>,
}

impl Format {
    const ALL: [Self; 3] = [Self::Json, Self::Pdf, Self::Docx];

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
        }
    }

    /// What a request asks for.
    #[must_use]
    pub fn of(request: &HttpRequest, wanted: &Wanted) -> Self {
        let accepted = || {
            let header = request.headers().get(ACCEPT)?.to_str().ok()?;
            let named = |media_type: &str| Self::ALL.into_iter().find(|own| own.media_type() == media_type.trim());
            header.split(',').find_map(|one| named(one.split(';').next()?))
        };
        wanted.format.or_else(accepted).unwrap_or(Self::Json)
    }
}

/// 200, with the answer in a format, under a name to keep it by. Typesetting takes a processor for some tenths of a second: elsewhere
/// than on the threads that serve requests.
///
/// # Errors
/// Only internal ones.
pub async fn shown(format: Format, answer: AnswerDocument, name: &str) -> Result<HttpResponse, Problem> {
    let made = move || match format {
        Format::Json => serde_json::to_vec(&answer).map_err(Problem::internal),
        Format::Pdf => attelage_documents::pdf(&answer).map_err(Problem::internal),
        Format::Docx => attelage_documents::docx(&answer).map_err(Problem::internal),
    };
    let bytes = tokio::task::spawn_blocking(made).await.map_err(Problem::internal)??;
    let name = format!("inline; filename=\"{name}.{}\"", format.extension());
    Ok(HttpResponse::Ok().content_type(format.media_type()).insert_header((CONTENT_DISPOSITION, name)).body(bytes))
}
