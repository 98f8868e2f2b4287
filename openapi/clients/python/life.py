"""The life of a consortium, against the service at ATTELAGE_URL, with the key ATTELAGE_KEY. What it prints is compared with ../life.txt."""

import datetime
import io
import os
import time
from http import HTTPStatus
from uuid import UUID

from attelage_client import AuthenticatedClient
from attelage_client.api.bids import open_bids
from attelage_client.api.calls import create_call, publish_call
from attelage_client.api.capabilities import create_capability
from attelage_client.api.consortia import (
    accept_membership,
    create_consortium,
    file_consortium,
    get_consortium,
    get_consortium_answer,
    invite_into_consortium,
    sign_consortium,
)
from attelage_client.api.decisions import compare_bids, get_bid_decision, record_decision
from attelage_client.api.events import list_events
from attelage_client.api.identity import accept_invitation, create_api_key, create_invitation, register, sign_in
from attelage_client.api.imports import create_import
from attelage_client.api.organisations import create_organisation
from attelage_client.api.partners import create_interest, suggest_partners
from attelage_client.models import (
    AnswerDocument,
    BidComparison,
    CallKind,
    ConsortiumAcceptance,
    ConsortiumConsent,
    ConsortiumPart,
    ConsortiumRole,
    DecisionOnBid,
    DecisionOnLot,
    DecisionOutcome,
    ImportKind,
    InterestAudience,
    InvitationAnswer,
    KeyScope,
    Lot,
    Need,
    NewApiKey,
    NewCall,
    NewCapability,
    NewConsortium,
    NewConsortiumInvitation,
    NewConsortiumSignature,
    NewDecision,
    NewInterest,
    NewInvitation,
    NewOrganisation,
    OrganisationRole,
    PartnerSearch,
    PartnerSuggestions,
    Registration,
    SignIn,
    Unit,
)
from attelage_client.types import File
from golden import FILE, METROPOLE, good, present

URL = os.environ["ATTELAGE_URL"]
PASSWORD = "quatre chevaux attelés"
COOKIE = "__Host-attelage"
# The call is due this long after the scenario begins: it must be filed by then.
PATIENCE = datetime.timedelta(seconds=25)


def in_session(cookie: str) -> AuthenticatedClient:
    """A client that shows a cookie instead of a key; nobody's where it is empty."""
    return AuthenticatedClient(
        base_url=URL, token=cookie, prefix="", auth_header_name="Cookie", raise_on_unexpected_status=True
    )


platform = AuthenticatedClient(base_url=URL, token=os.environ["ATTELAGE_KEY"], raise_on_unexpected_status=True)
nobody = in_session("")


def person(name: str) -> AuthenticatedClient:
    """Somebody with an account, who has signed in."""
    email = f"{name}@example.org"
    register.sync_detailed(client=nobody, body=Registration(email=email, name=name, password=PASSWORD))
    signed_in = sign_in.sync_detailed(client=nobody, body=SignIn(email=email, password=PASSWORD))
    assert signed_in.status_code == HTTPStatus.CREATED, signed_in
    return in_session(signed_in.headers["set-cookie"].split(";")[0])


def actor(name: str, service: str, unit: Unit, per_year: int, cents: int) -> tuple[UUID, AuthenticatedClient]:
    """An organisation that offers a service, and a program with a key of it."""
    own = good(create_organisation.sync(client=platform, body=NewOrganisation(name=name)))
    capability = NewCapability(
        organisation=own.id,
        services=[service],
        territories=[METROPOLE],
        unit=unit,
        capacity_per_year=per_year,
        unit_cost_cents=cents,
    )
    good(create_capability.sync(client=platform, body=capability))
    scopes = [KeyScope.READ, KeyScope.MARKET, KeyScope.CALLS, KeyScope.SOLVE, KeyScope.BIDS]
    key = good(create_api_key.sync(own.id, client=platform, body=NewApiKey(name="life", role=OrganisationRole.EDITOR, scopes=scopes)))
    return own.id, AuthenticatedClient(base_url=URL, token=key.secret, raise_on_unexpected_status=True)


def main() -> None:
    file = File(payload=io.BytesIO(FILE.encode()), mime_type="text/csv")
    good(create_import.sync(client=platform, body=file, kind=ImportKind.TERRITORIES))
    workshop, of_workshop = actor("Atelier du Réemploi", "equipment-refurbishing", Unit.DEVICE, 150, 10_000)
    school, of_school = actor("École Pas à Pas", "training-daily-tools", Unit.HOUR, 800, 3_000)
    first, second = person("first"), person("second")
    funder = good(create_organisation.sync(client=first, body=NewOrganisation(name="Métropole en commun"))).id
    invited = good(create_invitation.sync(funder, client=first, body=NewInvitation(role=OrganisationRole.OWNER)))
    good(accept_invitation.sync(client=second, body=InvitationAnswer(secret=invited.secret)))

    def lot(code: str, service: str, unit: Unit, quantity: int, cents: int) -> Lot:
        need = Need(
            code=f"{code}-need",
            title=code,
            service=service,
            territory=METROPOLE,
            unit=unit,
            quantity=quantity,
            reference_unit_cost_cents=cents,
        )
        return Lot(code=code, title=code, needs=[need])

    due = datetime.datetime.now(datetime.timezone.utc) + PATIENCE
    body = NewCall(
        funder=funder,
        title="Équiper et former",
        kind=CallKind.CONTRACT,
        starts_on=due.date() + datetime.timedelta(days=90),
        duration_months=24,
        answers_due_at=due,
        budget_cents=10_000_000,
        lots=[
            lot("equipment", "equipment-refurbishing", Unit.DEVICE, 100, 12_000),
            lot("training", "training-daily-tools", Unit.HOUR, 500, 3_500),
        ],
    )
    call = good(create_call.sync(client=first, body=body)).id
    good(publish_call.sync(call, client=first))
    print("call: published with 2 lots")

    interest = NewInterest(call=call, organisation=school, audience=InterestAudience.REGISTERED)
    good(create_interest.sync(client=of_school, body=interest))
    suggested = good(suggest_partners.sync(call, client=of_workshop, body=PartnerSearch()))
    assert isinstance(suggested, PartnerSuggestions), suggested
    print(f"partners: {suggested.status}; {', '.join(partner.name for partner in suggested.partners)}")

    devices = ConsortiumPart(need="equipment-need", quantity=200, amount_cents=2_000_000)
    consent = ConsortiumConsent(share_prices=True, show_to_invited=True)
    new = NewConsortium(call=call, name="Ensemble", parts=[devices], consent=consent)
    made = good(create_consortium.sync(client=of_workshop, body=new)).id
    hours = ConsortiumPart(need="training-need", quantity=1_000, amount_cents=3_000_000)
    invitation = NewConsortiumInvitation(organisation=school, role=ConsortiumRole.GROUP_MEM, parts=[hours])
    good(invite_into_consortium.sync(made, client=of_workshop, body=invitation))
    seen = good(get_consortium.sync(made, client=of_school))
    own = next(member for member in seen.members if member.organisation == school)
    print(f"invited: {own.standing} to deliver {present(own.parts)[0].quantity} of {present(own.parts)[0].need}")
    acceptance = ConsortiumAcceptance(terms=present(own.terms), consent=consent)
    good(accept_membership.sync(made, school, client=of_school, body=acceptance))

    for member in (of_workshop, of_school):
        digest = present(good(get_consortium.sync(made, client=member)).digest)
        signed = good(sign_consortium.sync(made, client=member, body=NewConsortiumSignature(digest=digest)))
        print(f"signed: {signed.phase}")
    answer = good(get_consortium_answer.sync(made, client=of_school))
    assert isinstance(answer, AnswerDocument), answer
    print(f"answer: {answer.amount_cents} cents, {answer.coverage_percent:g} % covered, {len(answer.signatures)} signatures")
    bid = good(file_consortium.sync(made, client=of_workshop)).id
    print(f"filed: {good(get_consortium.sync(made, client=of_school)).phase}")

    left = (due - datetime.datetime.now(datetime.timezone.utc)).total_seconds()
    time.sleep(max(left, 0) + 0.5)
    for evaluator in (first, second):
        opening = good(open_bids.sync(call, client=evaluator))
    assert opening.opened_at
    print("opened: by two people")
    table = good(compare_bids.sync(call, client=second))
    assert isinstance(table, BidComparison), table
    for compared in table.lots:
        print(f"compared: {compared.code}, {len(compared.bids)} bid, {compared.bids[0].coverage_percent:g} % covered")

    lots = [
        DecisionOnLot(
            lot=code,
            outcome=DecisionOutcome.AWARDED,
            reasons="Complète",
            bids=[DecisionOnBid(bid=bid, chosen=True, reasons="Couvre les deux lots")],
        )
        for code in ("equipment", "training")
    ]
    good(record_decision.sync(call, client=first, body=NewDecision(tell_at=due, lots=lots)))
    told = good(get_bid_decision.sync(bid, client=of_workshop))
    print(f"decided: {len(told.lots)} lots; {good(get_consortium.sync(made, client=of_school)).phase}")
    feed = good(list_events.sync(client=of_school, limit=100)).items
    print(f"events: {' '.join(event.type_ for event in feed if event.type_.startswith('consortium.'))}")


main()
