//! The lists of values of the national standard that are not ours to refine, and the older words for them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::fold::fold;
use crate::vocabularies::shipped::Shipped;

/// Our codes by folded value.
type Codes = LazyLock<BTreeMap<String, &'static str>>;

/// Codes by value as the standard spells it.
fn codes(values: &[(&str, &'static str)]) -> BTreeMap<String, &'static str> {
    values.iter().map(|&(value, code)| (fold(value), code)).collect()
}

/// A value found in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found<'v> {
    /// The present word of the standard.
    Official(&'v str),
    /// Another word that means this one and no other.
    Older(&'v str),
}

/// What the place costs its visitors.
static FEES: Codes = LazyLock::new(|| {
    codes(&[("Gratuit", "free"), ("Gratuit sous condition", "free-on-conditions"), ("Payant", "paid")])
});

static OLDER_FEES: Codes = LazyLock::new(|| codes(&[("Gratuit sous conditions", "free-on-conditions")]));

/// How one gets there or in touch.
static ACCESS: Codes = LazyLock::new(|| {
    codes(&[
        ("Se présenter", "walk-in"),
        ("Téléphoner", "telephone"),
        ("Contacter par mail", "email"),
        ("Prendre un RDV en ligne", "online-booking"),
        ("Ce lieu n'accueille pas de public", "closed-to-public"),
        ("Envoyer un mail avec une fiche de prescription", "prescription"),
    ])
});

/// Whether the place moves.
static MOBILITY: Codes = LazyLock::new(|| codes(&[("Itinérant", "mobile"), ("Fixe", "fixed")]));

/// National programmes, then training and labels: what the standard asks in two columns, and files mix.
const CREDENTIAL_VALUES: &[(&str, &str)] = &[
    ("Aidants Connect", "aidants-connect"),
    ("Bibliothèques numérique de référence", "bibliotheques-numeriques-de-reference"),
    ("Certification PIX", "certification-pix"),
    ("Conseillers numériques", "conseillers-numeriques"),
    ("Emmaüs Connect", "emmaus-connect"),
    ("France Services", "france-services"),
    ("Grande école du numérique", "grande-ecole-du-numerique"),
    ("La Croix Rouge", "croix-rouge"),
    ("Point d'accès numérique CAF", "point-acces-numerique-caf"),
    ("Promeneurs du net", "promeneurs-du-net"),
    ("Relais numérique (Emmaüs Connect)", "relais-numerique-emmaus-connect"),
    ("Formé à « Mon Espace Santé »", "mon-espace-sante"),
    ("Formé à « DUPLEX » (illettrisme)", "duplex-illettrisme"),
    ("Arnia/MedNum BFC (Bourgogne-Franche-Comté)", "arnia-mednum-bfc"),
    ("Collectif ressources et acteurs réemploi (Normandie)", "collectif-reemploi-normandie"),
    ("Étapes numériques (La Poste)", "etapes-numeriques-la-poste"),
    ("Fabriques de Territoire", "fabriques-de-territoire"),
    ("Les Éclaireurs du numérique (Drôme)", "eclaireurs-du-numerique-drome"),
    ("Mes Papiers (Métropole de Lyon)", "mes-papiers-metropole-de-lyon"),
    ("ORDI 3.0", "ordi-3-0"),
    ("SUD LABS (PACA)", "sud-labs-paca"),
];

static CREDENTIALS: Codes = LazyLock::new(|| codes(CREDENTIAL_VALUES));

static OLDER_CREDENTIALS: Codes = LazyLock::new(|| {
    codes(&[
        ("Bibliothèques numériques de référence", "bibliotheques-numeriques-de-reference"),
        ("Bibliothèque numérique de référence", "bibliotheques-numeriques-de-reference"),
        ("Conseiller numérique", "conseillers-numeriques"),
        ("Conseiller numérique France Services", "conseillers-numeriques"),
        ("CNFS", "conseillers-numeriques"),
        ("France Service", "france-services"),
        ("Croix Rouge", "croix-rouge"),
        ("Mon Espace Santé", "mon-espace-sante"),
        ("DUPLEX", "duplex-illettrisme"),
    ])
});

static OLDER_SERVICES: Codes = LazyLock::new(|| {
    codes(&[
        ("Accéder à du matériel", "access-place"),
        ("Accéder à une connexion internet", "access-place"),
        ("Accompagner les démarches de santé", "support-procedures"),
        ("Approfondir ma culture numérique", "training-digital-culture"),
        ("Créer avec le numérique", "training-creation"),
        ("Devenir autonome dans les démarches administratives", "support-procedures"),
        ("Etre accompagné dans les démarches administratives", "support-procedures"),
        ("Favoriser mon insertion professionnelle", "training-employment"),
        ("Gagner en autonomie dans les démarches administratives", "support-procedures"),
        ("Prendre en main un ordinateur", "training-daily-tools"),
        ("Prendre en main un smartphone ou une tablette", "training-daily-tools"),
        ("Promouvoir la citoyenneté numérique", "training-digital-culture"),
        ("Réaliser des démarches administratives avec un accompagnement", "support-procedures"),
        ("S'équiper en matériel informatique", "equipment-distribution"),
        ("Soutenir la parentalité et l'éducation avec le numérique", "training-parenting"),
        ("Utiliser le numérique au quotidien", "training-daily-tools"),
    ])
});

static OLDER_PUBLICS: Codes = LazyLock::new(|| {
    codes(&[
        ("Tout public", "everyone"),
        ("Tous publics", "everyone"),
        ("Familles/enfants", "families"),
        ("Familles", "families"),
        ("Enfants", "families"),
        ("Langues étrangères", "foreign-language"),
        ("Public langues étrangères", "foreign-language"),
        ("Personnes en situation d'illettrisme", "illiteracy"),
        ("Uniquement femmes", "women"),
        ("Personnes âgées", "seniors"),
    ])
});

static OLDER_MODALITIES: Codes = LazyLock::new(|| {
    codes(&[
        ("Seul", "autonomous"),
        ("Avec de l'aide", "individual"),
        ("Dans un atelier", "workshop"),
        ("Atelier collectif", "workshop"),
    ])
});

/// Lists whose words have not changed.
static NONE: Codes = LazyLock::new(BTreeMap::new);

/// Kinds of structures, as data·inclusion names them.
const TYPOLOGIES: &str = "\
    ACI ACIPHC AFPA AI ASE ASSO ASSO_CHOMEUR AUTRE AVIP BIB CAARUD CADA CAF CAP_EMPLOI CAVA CC CCAS CCONS CD CDAS \
    CFP CHRS CHU CIAS CIDFF CITMET CMP CMS CPAM CPH CS CSAPA CSC DEETS DEPT DIPLP E2C EA EATT EI EITI ENM EPCI EPI \
    EPIDE EPN ES ESAT ESS ETTI EVS FABLAB FABRIQUE FAIS FT GEIQ HUDA LA_POSTE MDE MDEF MDH MDPH MDS MJC ML MQ MSA \
    MSAP MUNI OACAS ODC OF OIL OPCS PAD PENSION PI PIJ_BIJ PIMMS PJJ PLIE PREF PREVENTION REG RELAIS_LECTURE \
    RESSOURCERIE RFS RS_FJT SCP SPIP TIERS_LIEUX UDAF";

static OLDER_TYPOLOGIES: Codes = LazyLock::new(|| codes(&[("PE", "FT"), ("POLE EMPLOI", "FT")]));

/// Kinds of structures that shelter people whose safety may depend on a secret address.
const SHELTERS: &[&str] = &["CADA", "CHRS", "CHU", "CPH", "HUDA"];

/// Words of a name that tell a shelter as surely as its kind does. `CHU` is not one: it also names hospitals.
const SHELTER_WORDS: &[&str] = &["cada", "chrs", "cph", "huda"];

/// The French label of a national programme or label that an import may find, by our code.
#[must_use]
pub fn credential_label(code: &str) -> Option<&'static str> {
    CREDENTIAL_VALUES.iter().find(|(_, known)| *known == code).map(|&(label, _)| label)
}

/// Whether the address of such a place must stay unpublished.
pub(super) fn is_shelter(typologies: &[String], name: &str) -> bool {
    typologies.iter().any(|t| SHELTERS.contains(&t.as_str()))
        || fold(name).split(' ').any(|word| SHELTER_WORDS.contains(&word))
}

pub(super) fn service<'v>(vocabulary: &'v Shipped, value: &str) -> Option<Found<'v>> {
    official_or_older(value, |v| vocabulary.service_of_standard(v), &OLDER_SERVICES)
}

pub(super) fn public<'v>(vocabulary: &'v Shipped, value: &str) -> Option<Found<'v>> {
    official_or_older(value, |v| vocabulary.public_of_standard(v), &OLDER_PUBLICS)
}

pub(super) fn modality<'v>(vocabulary: &'v Shipped, value: &str) -> Option<Found<'v>> {
    official_or_older(value, |v| vocabulary.modality_of_standard(v), &OLDER_MODALITIES)
}

pub(super) fn fee(value: &str) -> Option<Found<'static>> {
    official_or_older(value, |v| of(&FEES, v), &OLDER_FEES)
}

pub(super) fn access(value: &str) -> Option<Found<'static>> {
    official_or_older(value, |v| of(&ACCESS, v), &NONE)
}

pub(super) fn mobility(value: &str) -> Option<Found<'static>> {
    official_or_older(value, |v| of(&MOBILITY, v), &NONE)
}

pub(super) fn credential(value: &str) -> Option<Found<'static>> {
    official_or_older(value, |v| of(&CREDENTIALS, v), &OLDER_CREDENTIALS)
}

pub(super) fn typology(value: &str) -> Option<Found<'static>> {
    let code = value.to_uppercase();
    let official = TYPOLOGIES.split(' ').find(|known| *known == code);
    official.map(Found::Official).or_else(|| of(&OLDER_TYPOLOGIES, value).map(Found::Older))
}

/// The present word, else an older one, else the present or older word that an explanation follows
/// (`Seul : j'ai accès à…`, `À distance (par téléphone…)`).
fn official_or_older<'v>(value: &str, official: impl Fn(&str) -> Option<&'v str>, older: &Codes) -> Option<Found<'v>> {
    let by_older = |value: &str| older.get(&fold(value)).copied();
    if let Some(code) = official(value) {
        return Some(Found::Official(code));
    }
    let start = value.split([':', '(']).next().filter(|start| start.len() < value.len());
    by_older(value).or_else(|| start.and_then(|start| official(start).or_else(|| by_older(start)))).map(Found::Older)
}

fn of(codes: &Codes, value: &str) -> Option<&'static str> {
    codes.get(&fold(value)).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Found, credential, credential_label, fee, is_shelter, modality, public, service, typology};
    use super::{OLDER_CREDENTIALS, OLDER_MODALITIES, OLDER_PUBLICS, OLDER_SERVICES};
    use crate::vocabularies::shipped::shipped;

    #[test]
    fn older_words_lead_to_codes_that_exist() {
        let lists = shipped().unwrap();
        assert!(OLDER_SERVICES.values().all(|code| lists.services.get(code).is_some()));
        assert!(OLDER_PUBLICS.values().all(|code| lists.publics.get(code).is_some()));
        assert!(OLDER_CREDENTIALS.values().all(|code| credential_label(code).is_some()));
        assert!(OLDER_MODALITIES.values().all(|code| lists.modalities.get(code).is_some()));
    }

    #[test]
    fn an_explanation_after_the_word_is_no_obstacle() {
        let lists = shipped().unwrap();
        assert_eq!(
            modality(lists, "Seul : j'ai accès à du matériel et une connexion"),
            Some(Found::Older("autonomous"))
        );
        assert_eq!(modality(lists, "À distance (par téléphone)"), Some(Found::Older("remote")));
        assert_eq!(public(lists, "Seniors (+ 65 ans)"), Some(Found::Older("seniors")));
        assert_eq!(fee("Gratuit : je peux accéder gratuitement au lieu"), Some(Found::Older("free")));
    }

    #[test]
    fn a_word_that_means_several_things_is_unknown() {
        let lists = shipped().unwrap();
        assert_eq!(service(lists, "Créer et développer mon entreprise"), None);
        assert_eq!(modality(lists, "À ma place : une personne fait les démarches à ma place"), None);
        assert_eq!(public(lists, "Adultes"), None);
    }

    #[test]
    fn labels_are_found_whatever_their_typography() {
        assert_eq!(credential("Point d’accès numérique CAF"), Some(Found::Official("point-acces-numerique-caf")));
        assert_eq!(credential("Étapes numériques(La Poste)"), Some(Found::Official("etapes-numeriques-la-poste")));
        assert_eq!(credential("Conseiller Numérique"), Some(Found::Older("conseillers-numeriques")));
        assert_eq!(credential_label("conseillers-numeriques"), Some("Conseillers numériques"));
        assert_eq!(credential_label("cooking"), None);
        assert_eq!(typology("tiers_lieux"), Some(Found::Official("TIERS_LIEUX")));
        assert_eq!(typology("PE"), Some(Found::Older("FT")));
        assert_eq!(typology("SHOP"), None);
    }

    #[test]
    fn a_shelter_is_known_by_kind_or_by_name_but_a_hospital_is_not_one() {
        assert!(is_shelter(&["CHU".to_owned()], "Le Phare"));
        assert!(is_shelter(&[], "CHRS La Traverse"));
        assert!(!is_shelter(&["ASSO".to_owned()], "CHU de Lyon"));
        assert!(!is_shelter(&[], "Cascadaire"));
    }
}
