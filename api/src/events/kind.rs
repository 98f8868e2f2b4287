//! The closed list of what can happen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! types {
    ($($variant:ident $name:tt $english:tt $french:tt;)+) => {
        /// What happened, by a dotted name. The list grows: take those that you do not know for news that does not concern you.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum EventType {
            $(
                #[doc = $english]
                #[serde(rename = $name)]
                $variant,
            )+
        }

        impl EventType {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What happened, in English and in French: a sentence of a mail.
            #[must_use]
            pub const fn sentences(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$variant => ($english, $french),)+
                }
            }
        }
    };
}

types! {
    CallPublished "call.published" "A call was published." "Un appel a été publié.";
    CallClosed "call.closed" "A call was closed." "Un appel a été clos.";
    RunFinished "run.finished" "A computation is over." "Un calcul est terminé.";
    BidReceived "bid.received" "Your bid was received." "Votre réponse a été reçue.";
    BidWithdrawn "bid.withdrawn" "Your bid was withdrawn." "Votre réponse a été retirée.";
    BidsOpened "bids.opened" "The bids on a call were opened." "Les réponses à un appel ont été ouvertes.";
    OrganisationInvited "organisation.invited" "Somebody was invited into your organisation." "Une personne a été invitée dans votre structure.";
    OrganisationAsked "organisation.asked" "Somebody asks to join your organisation." "Une personne demande à rejoindre votre structure.";
    OrganisationJoined "organisation.joined" "Somebody has joined your organisation." "Une personne a rejoint votre structure.";
    ConsortiumInvited "consortium.invited" "Your organisation is invited into a consortium." "Votre structure est invitée dans un groupement.";
    ConsortiumAccepted "consortium.accepted" "An invitation into a consortium was accepted." "Une invitation dans un groupement a été acceptée.";
    ConsortiumDeclined "consortium.declined" "An invitation into a consortium was declined." "Une invitation dans un groupement a été refusée.";
    ConsortiumExpired "consortium.expired" "An invitation into a consortium has expired." "Une invitation dans un groupement a expiré.";
    ConsortiumRescinded "consortium.rescinded" "An invitation into a consortium was taken back." "Une invitation dans un groupement a été annulée.";
    ConsortiumLeft "consortium.left" "A member has left a consortium." "Un membre a quitté un groupement.";
    ConsortiumPromoted "consortium.promoted" "An alternate of a consortium was asked to step in." "Un suppléant d'un groupement a été sollicité.";
    ConsortiumChanged "consortium.changed" "A consortium has changed: read its new version." "Un groupement a changé : lisez sa nouvelle version.";
    ConsortiumSigned "consortium.signed" "A member has signed a version of a consortium." "Un membre a signé une version d'un groupement.";
    ConsortiumAgreed "consortium.agreed" "All members of a consortium have signed the same version." "Tous les membres d'un groupement ont signé la même version.";
    ConsortiumFiled "consortium.filed" "A consortium has filed its answer." "Un groupement a déposé sa réponse.";
    ConsortiumDissolved "consortium.dissolved" "A consortium was dissolved." "Un groupement a été dissous.";
    ConsortiumAskedAgain "consortium.asked_again" "An organisation asks to be invited into a consortium again." "Une structure demande à être invitée de nouveau dans un groupement.";
    ConsortiumWithdrawn "consortium.withdrawn" "A consortium has withdrawn its answer." "Un groupement a retiré sa réponse.";
    ConsortiumClosed "consortium.closed" "Candidacy is over for a consortium." "La phase de candidature est close pour un groupement.";
    ConsortiumAwarded "consortium.awarded" "The answer of a consortium was chosen." "La réponse d'un groupement a été retenue.";
    ConsortiumEnded "consortium.ended" "A consortium is over." "Un groupement a pris fin.";
    InterestDeclared "interest.declared" "An organisation has declared its interest in a call." "Une structure a déclaré son intérêt pour un appel.";
    InterestChanged "interest.changed" "An interest in a call has changed." "Un intérêt pour un appel a changé.";
    InterestWithdrawn "interest.withdrawn" "An interest in a call was withdrawn." "Un intérêt pour un appel a été retiré.";
    AnswerChangesRequested "answer.changes_requested" "The funder asks for changes to an answer." "Le financeur demande des modifications d'une réponse.";
    DecisionRecorded "decision.recorded" "A decision on a call was recorded." "Une décision sur un appel a été enregistrée.";
    FrameworkAsked "framework.asked" "Your organisation is asked whether it stays with a consortium for the next call." "Votre structure est invitée à rester dans un groupement stable.";
    FrameworkAccepted "framework.accepted" "An organisation stays with a consortium for the next call." "Une structure reste dans un groupement stable.";
    FrameworkLeft "framework.left" "An organisation has left a consortium that was kept for the next call." "Une structure a quitté un groupement stable.";
    FrameworkEnded "framework.ended" "A consortium is no longer kept for the next call." "Un groupement stable a pris fin.";
    WebhookDisabled "webhook.disabled" "A webhook was switched off, since its receiver has failed for too long." "Un webhook a été désactivé, car son destinataire échoue depuis trop longtemps.";
    TestPing "test.ping" "A test." "Un essai.";
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not in the list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no type of event {0:?}")]
pub struct UnknownEventType(pub String);

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(name: &str) -> Result<Self, UnknownEventType> {
        let found = Self::ALL.iter().find(|kind| kind.name() == name);
        found.copied().ok_or_else(|| UnknownEventType(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_type_has_one_name_in_json_and_in_the_database() {
        for kind in EventType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(kind.name().parse::<EventType>().as_ref(), Ok(kind));
            let shape = kind.name().split_once('.').is_some_and(|(subject, verb)| {
                [subject, verb].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
            });
            assert!(shape, "{kind}");
        }
        assert!("call".parse::<EventType>().is_err());
    }
}
