"""The golden scenario, against the service at ATTELAGE_URL, with the key ATTELAGE_KEY. What it prints is compared with ../golden.txt."""

import datetime
import io
import os
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import TypeVar

from attelage_client import AuthenticatedClient
from attelage_client.api.calls import create_call, get_call
from attelage_client.api.capabilities import create_capability
from attelage_client.api.imports import create_import
from attelage_client.api.organisations import create_organisation, list_organisations, replace_organisation
from attelage_client.api.runs import get_portfolio, get_reply, list_proposals, start_joint_run, start_run
from attelage_client.api.territories import list_territories
from attelage_client.models import (
    CallKind,
    CheckRequest,
    ImportKind,
    JointRunOptions,
    Lot,
    Need,
    NewCall,
    NewCapability,
    NewOrganisation,
    Organisation,
    PageOrganisation,
    ProblemDetails,
    QueryCheck,
    ReplyCheck,
    RunOptions,
    Unit,
)
from attelage_client.types import UNSET, File, Unset

T = TypeVar("T")

METROPOLE = "200046977"
FILE = f"""code,name,kind,parent,population,lat,lon
{METROPOLE},Métropole,metropole,,,,
69266,Nord,commune,{METROPOLE},30000,,
69029,Sud,commune,{METROPOLE},10000,,
"""

attelage = AuthenticatedClient(
    base_url=os.environ["ATTELAGE_URL"], token=os.environ["ATTELAGE_KEY"], raise_on_unexpected_status=True
)


def good(answer: T | ProblemDetails | None) -> T:
    """The answer, unless it is a problem."""
    assert answer is not None
    assert not isinstance(answer, ProblemDetails), answer
    return answer


def problem(answer: object) -> ProblemDetails:
    """The problem in the answer."""
    assert isinstance(answer, ProblemDetails), answer
    return answer


def present(value: T | None | Unset) -> T:
    """A value that may be absent, and is not."""
    assert value is not None and not isinstance(value, Unset)
    return value


def organisation(name: str) -> Organisation:
    return good(create_organisation.sync(client=attelage, body=NewOrganisation(name=name)))


def offer(owner: Organisation, service: str, unit: Unit, per_year: int, cents: int) -> None:
    capability = NewCapability(
        organisation=owner.id,
        services=[service],
        territories=[METROPOLE],
        unit=unit,
        capacity_per_year=per_year,
        unit_cost_cents=cents,
    )
    good(create_capability.sync(client=attelage, body=capability))


def need(code: str, service: str, unit: Unit, quantity: int) -> Need:
    return Need(code=code, title=code, service=service, territory=METROPOLE, unit=unit, quantity=quantity)


def pages() -> Iterator[PageOrganisation]:
    cursor: str | Unset = UNSET
    while True:
        page = good(list_organisations.sync(client=attelage, limit=3, cursor=cursor))
        yield page
        if not page.next_:
            return
        cursor = page.next_


def main() -> None:
    file = File(payload=io.BytesIO(FILE.encode()), mime_type="text/csv")
    imported = good(create_import.sync(client=attelage, body=file, kind=ImportKind.TERRITORIES))
    communes = good(list_territories.sync(client=attelage, parent=METROPOLE))
    assert sorted(commune.name for commune in communes.items) == ["Nord", "Sud"]
    print(f"territories: {imported.summary.territories.created} imported")

    funder = organisation("Métropole en commun")
    workshop = organisation("Atelier du Réemploi")
    school = organisation("École Pas à Pas")
    generalist = organisation("Le Grand Tout")
    print("organisations: 4 created")

    offer(workshop, "equipment-refurbishing", Unit.DEVICE, 150, 10_000)
    offer(school, "training-daily-tools", Unit.HOUR, 800, 3_000)
    offer(generalist, "equipment-refurbishing", Unit.DEVICE, 50, 20_000)
    offer(generalist, "training-daily-tools", Unit.HOUR, 300, 6_000)
    print("capabilities: 4 created")

    kits = need("kits", "equipment-refurbishing", Unit.DEVICE, 100)
    lessons = need("lessons", "training-daily-tools", Unit.HOUR, 600)
    equipment = Lot(code="equipment", title="Matériel", needs=[kits])
    training = Lot(code="training", title="Formation", needs=[lessons])

    def new_call(title: str, starts_on: datetime.date, lots: list[Lot]) -> NewCall:
        return NewCall(
            funder=funder.id,
            title=title,
            kind=CallKind.GRANT,
            starts_on=starts_on,
            duration_months=24,
            budget_cents=10_000_000,
            lots=lots,
        )

    start = datetime.date(2027, 1, 1)
    body = new_call("Équiper et former", start, [equipment, training])
    call = good(create_call.sync(client=attelage, body=body))
    print(f"call: drafted with {len(call.lots)} lots")

    run = good(start_run.sync(call.id, client=attelage, body=RunOptions(proposals=2), prefer="wait=60"))
    best = good(list_proposals.sync(run.id, client=attelage)).items[0]
    winners = sorted(member.actor for member in best.members)
    assert winners == sorted([str(workshop.id), str(school.id)])
    names = " + ".join(sorted(member.name for member in best.members))
    print(f"run: {present(run.result)}; {names} cover {best.coverage_percent:g} %")

    question = QueryCheck(check=CheckRequest(team=winners))
    asked = good(start_run.sync(call.id, client=attelage, body=RunOptions(question=question), prefer="wait=60"))
    reply = good(get_reply.sync(asked.id, client=attelage))
    assert isinstance(reply, ReplyCheck), reply
    assert reply.check.best_cents == run.objective_cents
    print(f"check: {reply.check.status}, {len(reply.check.broken)} rules broken")

    body = new_call("Équiper encore", datetime.date(2027, 7, 1), [equipment])
    second = good(create_call.sync(client=attelage, body=body))
    joint = good(start_joint_run.sync(client=attelage, body=JointRunOptions(calls=[call.id, second.id]), prefer="wait=60"))
    portfolio = good(get_portfolio.sync(joint.id, client=attelage))
    served = [each for each in portfolio.calls if each.proposal]
    assert portfolio.verified
    print(f"joint run: {present(joint.result)}; {len(served)} of {len(portfolio.calls)} calls answered")

    nowhere = need("kits", "no-such-service", Unit.DEVICE, 100)
    nowhere.territory = "no-such-place"
    impossible = new_call("Équiper nulle part", start, [Lot(code="equipment", title="Matériel", needs=[nowhere])])
    invalid = problem(create_call.sync(client=attelage, body=impossible))
    pointers = sorted(present(fault.pointer) for fault in present(invalid.errors))
    print(f"{invalid.status}: {' '.join(pointers)}")

    name = NewOrganisation(name="École Pas à Pas, Lyon")
    renamed = replace_organisation.sync_detailed(school.id, client=attelage, body=name, if_match='"1"')
    assert renamed.status_code == HTTPStatus.OK and renamed.headers["ETag"] == '"2"', renamed
    late = NewOrganisation(name="Trop tard")
    stale = problem(replace_organisation.sync(school.id, client=attelage, body=late, if_match='"1"'))
    print(f"{stale.status}: {stale.title}")

    unknown = uuid.UUID("019e0000-0000-7000-8000-000000000000")
    missing = problem(get_call.sync(unknown, client=attelage))
    print(f"{missing.status}: {missing.title}")

    read = list(pages())
    listed = [each.name for page in read for each in page.items]
    assert listed == ["Métropole en commun", "Atelier du Réemploi", "École Pas à Pas, Lyon", "Le Grand Tout"], listed
    print(f"pages: {' + '.join(str(len(page.items)) for page in read)} organisations")


if __name__ == "__main__":
    main()
