//! The catalogue of problems: their kinds, with titles, causes and remedies in English and French.

use actix_web::http::StatusCode;

/// What went wrong, by kind. The table of titles, causes and remedies is [`Kind::entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is not well formed: path, query or JSON.
    Malformed,
    /// Nobody, or nobody known, asks.
    Unauthenticated,
    /// Whoever asks may not do this.
    Forbidden,
    /// Nothing here, or nothing that the caller may see.
    NotFound,
    /// The resource exists, the method does not.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
    /// The state of the resource, or a unique value, forbids it.
    Conflict,
    /// The resource has changed since the caller read it.
    Stale,
    /// The body is too large.
    TooLarge,
    /// The body is not of an accepted type.
    UnsupportedMediaType,
    /// The request is well formed but breaks rules.
    Invalid,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The caller asks too much, too fast.
    TooManyRequests,
    /// Our fault.
    Internal,
    /// Too much to do now.
    Unavailable,
}

/// What one kind of problem says, on the wire and on its page.
pub struct Entry {
    /// Last part of the `type` URI.
    pub slug: &'static str,
    /// HTTP status.
    pub status: StatusCode,
    /// English title.
    pub title: &'static str,
    /// French title.
    pub title_fr: &'static str,
    /// English cause and remedy.
    pub help: &'static str,
    /// French cause and remedy.
    pub help_fr: &'static str,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::Conflict,
        Self::Stale,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::PreconditionRequired,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The catalogue.
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "a table is read as one")]
    pub const fn entry(self) -> Entry {
        let (slug, status, title, title_fr, help, help_fr) = match self {
            Self::Malformed => (
                "malformed",
                StatusCode::BAD_REQUEST,
                "The request is not well formed",
                "La requête est mal formée",
                "The path, the query or the JSON cannot be read. Correct what `errors` points at and send it again.",
                "Le chemin, les paramètres ou le JSON sont illisibles. Corrigez ce que désigne `errors`, puis renvoyez.",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                StatusCode::UNAUTHORIZED,
                "Say who you are",
                "Dites qui vous êtes",
                "Send a key that is valid as `Authorization: Bearer …`, or sign in at `/v1/sessions`.",
                "Envoyez une clé valide dans `Authorization: Bearer …`, ou ouvrez une session sur `/v1/sessions`.",
            ),
            Self::Forbidden => (
                "forbidden",
                StatusCode::FORBIDDEN,
                "You may not do this",
                "Vous n’en avez pas le droit",
                "Your role or your key does not allow it; `detail` says what would. Ask an owner of the organisation.",
                "Votre rôle ou votre clé ne le permet pas ; `detail` dit ce qu’il faudrait. Adressez-vous à un responsable de l’organisation.",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "Nothing is here",
                "Rien à cette adresse",
                "The resource does not exist, or you may not see it. Check the identifier.",
                "La ressource n’existe pas, ou vous ne pouvez pas la voir. Vérifiez l’identifiant.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This method does not apply here",
                "Cette méthode ne s’applique pas ici",
                "Use one of the methods that the `Allow` header lists.",
                "Utilisez l’une des méthodes de l’en-tête `Allow`.",
            ),
            Self::Timeout => (
                "timeout",
                StatusCode::REQUEST_TIMEOUT,
                "The body did not arrive in time",
                "Le corps n’est pas arrivé à temps",
                "A body has ten seconds to arrive, an import sixty. Send it again on a better connection.",
                "Un corps a dix secondes pour arriver, un import soixante. Renvoyez-le avec une meilleure connexion.",
            ),
            Self::Conflict => (
                "conflict",
                StatusCode::CONFLICT,
                "The present state forbids it",
                "L’état actuel l’interdit",
                "A value that must be unique is taken, something still refers to the resource, or its state does not allow the action. `detail` says which.",
                "Une valeur unique est déjà prise, la ressource est encore utilisée, ou son état n’autorise pas l’action. `detail` précise.",
            ),
            Self::Stale => (
                "stale",
                StatusCode::PRECONDITION_FAILED,
                "The resource has changed since you read it",
                "La ressource a changé depuis votre lecture",
                "Read it again, apply your change to what you get, and send it with its new `ETag` in `If-Match`.",
                "Relisez-la, refaites votre changement et renvoyez-le avec le nouvel `ETag` dans `If-Match`.",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "Le corps est trop volumineux",
                "JSON bodies hold at most 1 MiB, imports 32 MiB. Split it.",
                "Un corps JSON compte au plus 1 Mio, un import 32 Mio. Divisez-le.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This type of body is not accepted",
                "Ce type de corps n’est pas accepté",
                "Send `Content-Type: application/json` (imports: `text/csv`), without `Content-Encoding`.",
                "Envoyez `Content-Type: application/json` (imports : `text/csv`), sans `Content-Encoding`.",
            ),
            Self::Invalid => (
                "invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The request breaks rules",
                "La requête enfreint des règles",
                "Each item of `errors` points at a field and says what it must be. All faults are listed at once.",
                "Chaque élément de `errors` désigne un champ et dit ce qu’il doit être. Toutes les fautes sont données ensemble.",
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                StatusCode::PRECONDITION_REQUIRED,
                "Say which version you change",
                "Dites quelle version vous changez",
                "Read the resource, then send its `ETag` in `If-Match`.",
                "Lisez la ressource, puis envoyez son `ETag` dans `If-Match`.",
            ),
            Self::TooManyRequests => (
                "too-many-requests",
                StatusCode::TOO_MANY_REQUESTS,
                "You have used up your share for now",
                "Vous avez épuisé votre part pour l’instant",
                "Nothing was done. Try again after the delay in `Retry-After`; `RateLimit-Policy` tells your share.",
                "Rien n’a été fait. Réessayez après le délai de `Retry-After` ; `RateLimit-Policy` indique votre part.",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The service failed",
                "Le service a échoué",
                "Nothing was changed. Try again; if it lasts, report the `request_id`.",
                "Rien n’a été modifié. Réessayez ; si cela dure, signalez le `request_id`.",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The service is busy",
                "Le service est occupé",
                "Nothing was changed, unless `detail` says otherwise. Try again after the delay in `Retry-After`.",
                "Rien n’a été modifié, sauf si `detail` dit le contraire. Réessayez après le délai de `Retry-After`.",
            ),
        };
        Entry { slug, status, title, title_fr, help, help_fr }
    }
}
