//! What is told about partners and teams in sentences, English and French.

use std::collections::BTreeMap;

use attelage_solver::{Gain, Partner, Redundant, RuleId, Verdict};

use super::{CoveredPlace, TeamWarning, TeamWarningCode, survey};
use crate::calls::Call;
use crate::sentence::{Sentence, amount, euros};

/// Why a partner is suggested, the weightiest first.
pub fn reasons(call: &Call, partner: &Partner, covers: &[CoveredPlace], conditions: &[String]) -> Vec<Sentence> {
    let mut reasons: Vec<Sentence> = gain(partner).into_iter().collect();
    let needs = survey::needs(call);
    let mut by_need: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
    for place in covers {
        let (quantity, places) = by_need.entry(&place.need).or_default();
        *quantity += place.quantity;
        *places += 1;
    }
    for (code, (quantity, places)) in by_need {
        let Some((_, need)) = needs.get(code) else { continue };
        let Sentence { en, fr } = amount(quantity, need.unit.code());
        let (en_places, fr_places) = if places == 1 {
            ("1 place".into(), "1 lieu".into())
        } else {
            (format!("{places} places"), format!("{places} lieux"))
        };
        let title = &need.title;
        reasons.push(Sentence::new(
            format!("{title}: with it the team can deliver {en} more, in {en_places}."),
            format!("{title} : avec elle, l’équipe peut fournir {fr} de plus, dans {fr_places}."),
        ));
    }
    reasons.extend(conditions.iter().map(|code| {
        Sentence::new(
            format!("It meets the condition `{code}`, which nobody in the team meets."),
            format!("Elle remplit la condition « {code} », que personne dans l’équipe ne remplit."),
        )
    }));
    reasons
}

fn gain(partner: &Partner) -> Option<Sentence> {
    let cents = match &partner.gain {
        Some(Gain::Indispensable) => {
            return Some(Sentence::new(
                "Without it, no consortium with the team can answer.",
                "Sans elle, aucun groupement avec cette équipe ne peut répondre.",
            ));
        }
        Some(Gain::Saves { cents, .. }) => *cents,
        None => return None,
    };
    let Sentence { en, fr } = euros(cents);
    Some(match cents {
        0 => Sentence::new(
            "The best answer is worth as much with it as without it.",
            "La meilleure réponse vaut autant avec elle que sans elle.",
        ),
        1.. => Sentence::new(
            format!(
                "With it, the best answer is worth {en} more: it costs less or covers more, at the costs that the call names."
            ),
            format!(
                "Avec elle, la meilleure réponse vaut {fr} de plus : elle coûte moins ou couvre davantage, aux coûts de référence de l’appel."
            ),
        ),
        _ => Sentence::new(
            format!("With it, the best answer is worth {en} less, at the costs that the call names."),
            format!("Avec elle, la meilleure réponse vaut {fr} de moins, aux coûts de référence de l’appel."),
        ),
    })
}

/// What to beware of in a team of this size that can answer without some members.
pub fn warnings(members: usize, unnecessary: &[Redundant]) -> Vec<TeamWarning> {
    let mut warnings = Vec::new();
    if unnecessary.is_empty() {
        return warnings;
    }
    let names: Vec<&str> = unnecessary.iter().map(|one| one.name.as_str()).collect();
    let names = names.join(", ");
    warnings.push(TeamWarning {
        code: TeamWarningCode::OversizedGroup,
        text: Sentence::new(
            format!("The others can answer without any one of these: {names}. A group of competitors that is larger than the work needs can be an offence under competition law: say why each member is necessary, or leave one out. This is help, not legal advice."),
            format!("Les autres peuvent répondre sans l’un ou l’autre de ces membres : {names}. Un groupement de concurrents plus large que nécessaire peut être contraire au droit de la concurrence : justifiez l’utilité de chaque membre, ou retirez-en un. Ceci est une aide, non un avis juridique."),
        ),
    });
    // Of two members, the one that the other does not need leaves it alone.
    if members == 2 {
        warnings.push(TeamWarning {
            code: TeamWarningCode::AbleAlone,
            text: Sentence::new(
                "One of the two members could answer alone: a group of competitors is safe where they could not. This is help, not legal advice.",
                "L’un des deux membres pourrait répondre seul : un groupement entre concurrents est sûr quand ils ne le pourraient pas. Ceci est une aide, non un avis juridique.",
            ),
        });
    }
    warnings
}

/// The name of a rule, of a condition of participation with its code.
pub fn rule(rule: RuleId, condition: Option<&str>) -> Sentence {
    let (en, fr) = title(rule);
    match condition {
        Some(code) => Sentence::new(format!("{en}: {code}"), format!("{fr} : {code}")),
        None => Sentence::new(en, fr),
    }
}

const fn title(rule: RuleId) -> (&'static str, &'static str) {
    match rule {
        RuleId::Demand => ("Mandatory needs are covered in full", "Les besoins obligatoires sont couverts en entier"),
        RuleId::Capacity => ("Nobody delivers more than its capacity", "Nul ne fournit plus que sa capacité"),
        RuleId::Pool => {
            ("Linked organisations count a capacity once", "Les structures liées comptent une capacité une seule fois")
        }
        RuleId::MinimumQuantity => {
            ("Nobody works for less than it is worth", "Nul n’intervient en dessous de sa quantité minimale")
        }
        RuleId::Treasury => ("Nobody advances more money than it has", "Nul n’avance plus de trésorerie qu’il n’en a"),
        RuleId::MaximumShare => {
            ("Nobody carries more than the largest share", "Nul ne porte plus que la part maximale")
        }
        RuleId::MinimumShare => {
            ("Every member carries the smallest share", "Chaque membre porte au moins la part minimale")
        }
        RuleId::ActiveMember => ("Every member does something", "Chaque membre réalise une part du travail"),
        RuleId::Budget => ("The total fits the budget", "Le total tient dans le budget"),
        RuleId::Size => ("The number of members", "Le nombre de membres"),
        RuleId::Lead => ("What is asked of the lead", "Ce qui est demandé au mandataire"),
        RuleId::LegalFamilies => ("The number of legal families", "Le nombre de familles juridiques"),
        RuleId::Eligibility => ("Condition of participation", "Condition de participation"),
        RuleId::Incompatibility => ("Your own reservations", "Vos propres réserves"),
        RuleId::Preference => ("Some join only with others", "Certains ne viennent qu’avec d’autres"),
        RuleId::Connected => ("The members know each other", "Les membres se connaissent"),
        RuleId::LotSize => ("The number of members by lot", "Le nombre de membres par lot"),
        RuleId::FewHands => ("The number of suppliers by need", "Le nombre de prestataires par besoin"),
    }
}

/// Where an organisation stands towards the best consortium.
pub fn verdict(verdict: Verdict, name: &str) -> Sentence {
    let (en, fr) = match verdict {
        Verdict::Member => ("is in the best consortium", "est dans le meilleur groupement"),
        Verdict::Equal => {
            ("is in a consortium as good as the best", "est dans un groupement aussi bon que le meilleur")
        }
        Verdict::NoFit => (
            "can serve none of the needs, by what it has declared",
            "ne peut servir aucun des besoins, d’après ce qu’elle a déclaré",
        ),
        Verdict::LockedOut => {
            ("could serve needs, but you have excluded it", "pourrait servir des besoins, mais vous l’avez écartée")
        }
        Verdict::Excluded => (
            "is in no consortium that keeps the rules of the call",
            "n’est dans aucun groupement qui respecte les règles de l’appel",
        ),
        Verdict::Dearer => (
            "would make the answer dearer, at the costs that the call names",
            "rendrait la réponse plus chère, aux coûts de référence de l’appel",
        ),
        Verdict::NoAnswer => (
            "is not to blame: nobody can answer this call",
            "n’y est pour rien : personne ne peut répondre à cet appel",
        ),
        Verdict::Unknown => ("could not be judged in the time given", "n’a pas pu être jugée dans le temps imparti"),
    };
    Sentence::new(format!("{name} {en}."), format!("{name} {fr}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redundant(name: &str) -> Redundant {
        Redundant { actor: name.to_lowercase(), name: name.to_owned(), saves_cents: 0 }
    }

    #[test]
    fn a_group_that_is_too_large_is_warned_of_in_both_languages() {
        assert_eq!(warnings(3, &[]), []);
        let told = warnings(3, &[redundant("Une"), redundant("Deux")]);
        assert_eq!(told.len(), 1);
        assert!(told[0].text.en.contains("Une, Deux") && told[0].text.en.contains("competition law"));
        assert!(told[0].text.fr.contains("Une, Deux") && told[0].text.fr.contains("droit de la concurrence"));
        let of_two: Vec<TeamWarningCode> = warnings(2, &[redundant("Une")]).into_iter().map(|one| one.code).collect();
        assert_eq!(of_two, [TeamWarningCode::OversizedGroup, TeamWarningCode::AbleAlone]);
    }

    #[test]
    fn every_rule_has_a_name_of_its_own_in_each_language() {
        let names: std::collections::BTreeSet<_> = RuleId::ALL.map(title).into_iter().collect();
        assert_eq!(names.len(), RuleId::ALL.len());
        assert!(names.iter().all(|(en, fr)| en != fr));
    }
}
