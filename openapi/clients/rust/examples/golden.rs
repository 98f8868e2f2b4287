//! The golden scenario, against the service at `ATTELAGE_URL`, with the key `ATTELAGE_KEY`. What it prints is compared with `../golden.txt`.

use std::error::Error;
use std::fmt::Debug;

use attelage_client::types::{
    CallKind, CheckRequest, ImportKind, JointRunOptions, Lot, Need, NewCall, NewCapability, NewOrganisation,
    Organisation, ProblemDetails, QueryCheck, Reply, RunOptions, Unit,
};
use attelage_client::{Client, ResponseValue};
use chrono::NaiveDate;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

const METROPOLE: &str = "200046977";
const FILE: &str = "code,name,kind,parent,population,lat,lon
200046977,Métropole,metropole,,,,
69266,Nord,commune,200046977,30000,,
69029,Sud,commune,200046977,10000,,
";
const PATIENT: &str = "wait=60";

/// The problem of an answer that is refused.
fn problem<T: Debug>(
    answer: Result<ResponseValue<T>, attelage_client::Error<ProblemDetails>>,
) -> Outcome<ProblemDetails> {
    match answer {
        Err(attelage_client::Error::ErrorResponse(problem)) => Ok(problem.into_inner()),
        other => Err(format!("not a problem: {other:?}").into()),
    }
}

async fn organisation(attelage: &Client, name: &str) -> Outcome<Organisation> {
    Ok(attelage.create_organisation().body(NewOrganisation::builder().name(name)).send().await?.into_inner())
}

async fn offer(
    attelage: &Client,
    owner: &Organisation,
    service: &str,
    unit: Unit,
    per_year: i64,
    cents: i64,
) -> Outcome<()> {
    let capability = NewCapability::builder()
        .organisation(owner.id)
        .services(vec![service.to_owned()])
        .territories(vec![METROPOLE.to_owned()])
        .unit(unit)
        .capacity_per_year(per_year)
        .unit_cost_cents(cents);
    attelage.create_capability().body(capability).send().await?;
    Ok(())
}

fn need(code: &str, service: &str, territory: &str, unit: Unit, quantity: u64) -> Outcome<Need> {
    let quantity = std::num::NonZeroU64::try_from(quantity)?;
    let need = Need::builder().code(code).title(code).service(service).territory(territory);
    Ok(need.unit(unit).quantity(quantity).try_into()?)
}

fn lot(code: &str, title: &str, need: Need) -> Outcome<Lot> {
    Ok(Lot::builder().code(code).title(title).needs(vec![need]).try_into()?)
}

fn call(funder: &Organisation, title: &str, starts_on: NaiveDate, lots: Vec<Lot>) -> Outcome<NewCall> {
    let call = NewCall::builder().funder(funder.id).title(title).kind(CallKind::Grant).starts_on(starts_on);
    let months = std::num::NonZeroU32::try_from(24)?;
    let budget = std::num::NonZeroU64::try_from(10_000_000)?;
    Ok(call.duration_months(months).budget_cents(budget).lots(lots).try_into()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let attelage = Client::with_key(&std::env::var("ATTELAGE_URL")?, &std::env::var("ATTELAGE_KEY")?)?;

    let imported = attelage.import(ImportKind::Territories, FILE).await?.into_inner();
    let communes = attelage.list_territories().parent(METROPOLE).send().await?.into_inner();
    let mut names: Vec<String> = communes.items.iter().map(|commune| commune.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["Nord", "Sud"]);
    println!("territories: {} imported", imported.summary.territories.created);

    let funder = organisation(&attelage, "Métropole en commun").await?;
    let workshop = organisation(&attelage, "Atelier du Réemploi").await?;
    let school = organisation(&attelage, "École Pas à Pas").await?;
    let generalist = organisation(&attelage, "Le Grand Tout").await?;
    println!("organisations: 4 created");

    let (refurbishing, lessons) = ("equipment-refurbishing", "training-daily-tools");
    offer(&attelage, &workshop, refurbishing, Unit::Device, 150, 10_000).await?;
    offer(&attelage, &school, lessons, Unit::Hour, 800, 3_000).await?;
    offer(&attelage, &generalist, refurbishing, Unit::Device, 50, 20_000).await?;
    offer(&attelage, &generalist, lessons, Unit::Hour, 300, 6_000).await?;
    println!("capabilities: 4 created");

    let start: NaiveDate = "2027-01-01".parse()?;
    let equipment = lot("equipment", "Matériel", need("kits", refurbishing, METROPOLE, Unit::Device, 100)?)?;
    let training = lot("training", "Formation", need("lessons", lessons, METROPOLE, Unit::Hour, 600)?)?;
    let body = call(&funder, "Équiper et former", start, vec![equipment.clone(), training])?;
    let first = attelage.create_call().body(body).send().await?.into_inner();
    println!("call: drafted with {} lots", first.lots.len());

    let two = std::num::NonZeroU32::try_from(2)?;
    let options = RunOptions::builder().proposals(two);
    let run = attelage.start_run().id(first.id).prefer(PATIENT).body(options).send().await?.into_inner();
    let proposals = attelage.list_proposals().id(run.id).send().await?.into_inner();
    let best = proposals.items.first().ok_or("there is no proposal")?;
    let mut winners: Vec<String> = best.members.iter().map(|member| member.actor.clone()).collect();
    winners.sort();
    let mut expected = [workshop.id.to_string(), school.id.to_string()];
    expected.sort();
    assert_eq!(winners, expected);
    let mut names: Vec<&str> = best.members.iter().map(|member| member.name.as_str()).collect();
    names.sort_unstable();
    let result = run.result.ok_or("the run is not over")?;
    println!("run: {result}; {} cover {} %", names.join(" + "), best.coverage_percent);

    let question = QueryCheck { check: CheckRequest { team: winners } };
    let options = RunOptions::builder().question(Some(question.into()));
    let asked = attelage.start_run().id(first.id).prefer(PATIENT).body(options).send().await?.into_inner();
    let Reply::Check(reply) = attelage.get_reply().id(asked.id).send().await?.into_inner() else {
        return Err("the reply is not of the kind of the question".into());
    };
    assert_eq!(reply.check.best_cents, run.objective_cents);
    println!("check: {}, {} rules broken", reply.check.status, reply.check.broken.len());

    let body = call(&funder, "Équiper encore", "2027-07-01".parse()?, vec![equipment])?;
    let second = attelage.create_call().body(body).send().await?.into_inner();
    let options = JointRunOptions::builder().calls(vec![first.id, second.id]);
    let joint = attelage.start_joint_run().prefer(PATIENT).body(options).send().await?.into_inner();
    let portfolio = attelage.get_portfolio().id(joint.id).send().await?.into_inner();
    let served = portfolio.calls.iter().filter(|each| each.proposal.is_some()).count();
    assert!(portfolio.verified);
    let result = joint.result.ok_or("the run is not over")?;
    println!("joint run: {result}; {served} of {} calls answered", portfolio.calls.len());

    let nowhere = need("kits", "no-such-service", "no-such-place", Unit::Device, 100)?;
    let impossible = call(&funder, "Équiper nulle part", start, vec![lot("equipment", "Matériel", nowhere)?])?;
    let invalid = problem(attelage.create_call().body(impossible).send().await)?;
    let mut pointers: Vec<&str> = invalid.errors.iter().filter_map(|fault| fault.pointer.as_deref()).collect();
    pointers.sort_unstable();
    println!("{}: {}", invalid.status, pointers.join(" "));

    let rename = |name| {
        let body = NewOrganisation::builder().name(name);
        attelage.replace_organisation().id(school.id).if_match("\"1\"").body(body).send()
    };
    let renamed = rename("École Pas à Pas, Lyon").await?;
    assert_eq!(renamed.headers()["etag"], "\"2\"");
    let stale = problem(rename("Trop tard").await)?;
    println!("{}: {}", stale.status, stale.title);

    let unknown: Uuid = "019e0000-0000-7000-8000-000000000000".parse()?;
    let missing = problem(attelage.get_call().id(unknown).send().await)?;
    println!("{}: {}", missing.status, missing.title);

    let (mut names, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let page = attelage.list_organisations().limit(std::num::NonZeroU64::try_from(3)?);
        let page = match cursor {
            Some(cursor) => page.cursor::<String>(cursor),
            None => page,
        };
        let page = page.send().await?.into_inner();
        sizes.push(page.items.len().to_string());
        names.extend(page.items.into_iter().map(|each| each.name.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["Métropole en commun", "Atelier du Réemploi", "École Pas à Pas, Lyon", "Le Grand Tout"]);
    println!("pages: {} organisations", sizes.join(" + "));
    Ok(())
}
