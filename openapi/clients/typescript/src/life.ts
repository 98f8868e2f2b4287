/** The life of a consortium, against the service at `ATTELAGE_URL`. What it prints is compared with `../life.txt`. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { body, createAttelage, type Attelage, type Schemas } from "./attelage.js";

/** What the environment says. */
function setting(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

/** Where the service is. */
const baseUrl = setting("ATTELAGE_URL");
const platform = createAttelage({ baseUrl, key: setting("ATTELAGE_KEY") });
const nobody = createAttelage({ baseUrl });

const METROPOLE = "200046977";
const PASSWORD = "quatre chevaux attelés";
/** The call is due this long after the scenario begins, in milliseconds: it must be filed by then. */
const PATIENCE = 25_000;

/** Somebody with an account, who has signed in. */
async function person(name: string): Promise<Attelage> {
  const email = `${name}@example.org`;
  await nobody.POST("/v1/people", { body: { email, name, password: PASSWORD } });
  const { response } = await nobody.POST("/v1/sessions", { body: { email, password: PASSWORD } });
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0];
  assert(cookie, "a session is a cookie");
  return createAttelage({ baseUrl, headers: { Cookie: cookie } });
}

/** An organisation that offers a service, and a program with a key of it. */
async function actor(name: string, service: string, unit: Schemas["Unit"], perYear: number, cents: number) {
  const own = await body(platform.POST("/v1/organisations", { body: { name } }));
  await body(
    platform.POST("/v1/capabilities", {
      body: { organisation: own.id, services: [service], territories: [METROPOLE], unit, capacity_per_year: perYear, unit_cost_cents: cents },
    }),
  );
  const made = await body(
    platform.POST("/v1/organisations/{id}/api-keys", {
      params: { path: { id: own.id } },
      body: { name: "life", role: "editor", scopes: ["read", "market", "calls", "solve", "bids"] },
    }),
  );
  return { id: own.id, program: createAttelage({ baseUrl, key: made.secret }) };
}

await body(
  platform.POST("/v1/imports", {
    params: { query: { kind: "territories" } },
    headers: { "Content-Type": "text/csv" },
    body: `code,name,kind,parent,population,lat,lon\n${METROPOLE},Métropole,metropole,,,,\n`,
    bodySerializer: (file) => file,
  }),
);
const workshop = await actor("Atelier du Réemploi", "equipment-refurbishing", "device", 150, 10_000);
const school = await actor("École Pas à Pas", "training-daily-tools", "hour", 800, 3_000);
const [first, second] = [await person("first"), await person("second")];
const funder = (await body(first.POST("/v1/organisations", { body: { name: "Métropole en commun" } }))).id;
const invited = await body(
  first.POST("/v1/organisations/{id}/invitations", { params: { path: { id: funder } }, body: { role: "owner" } }),
);
await body(second.POST("/v1/invitations/accept", { body: { secret: invited.secret } }));

const due = new Date(Date.now() + PATIENCE);
const lot = (code: string, service: string, unit: Schemas["Unit"], quantity: number, cents: number): Schemas["Lot"] => ({
  code,
  title: code,
  needs: [{ code: `${code}-need`, title: code, service, territory: METROPOLE, unit, quantity, reference_unit_cost_cents: cents }],
});
const call = await body(
  first.POST("/v1/calls", {
    body: {
      funder,
      title: "Équiper et former",
      kind: "contract",
      starts_on: new Date(due.getTime() + 90 * 86_400_000).toISOString().slice(0, 10),
      duration_months: 24,
      answers_due_at: due.toISOString(),
      budget_cents: 10_000_000,
      lots: [
        lot("equipment", "equipment-refurbishing", "device", 100, 12_000),
        lot("training", "training-daily-tools", "hour", 500, 3_500),
      ],
    },
  }),
);
const ofCall = { path: { id: call.id } };
await body(first.POST("/v1/calls/{id}/publish", { params: ofCall }));
console.log(`call: published with ${call.lots.length} lots`);

await body(school.program.POST("/v1/interests", { body: { call: call.id, organisation: school.id, audience: "registered" } }));
const suggested = await body(workshop.program.POST("/v1/calls/{id}/partner-suggestions", { params: ofCall, body: {} }));
assert("partners" in suggested, "the suggestions came in time");
console.log(`partners: ${suggested.status}; ${suggested.partners.map((partner) => partner.name).join(", ")}`);

const consent = { share_prices: true, show_to_invited: true };
const made = await body(
  workshop.program.POST("/v1/consortia", {
    body: { call: call.id, name: "Ensemble", consent, parts: [{ need: "equipment-need", quantity: 200, amount_cents: 2_000_000 }] },
  }),
);
const path = { id: made.id };
const hours = { need: "training-need", quantity: 1_000, amount_cents: 3_000_000 };
await body(
  workshop.program.POST("/v1/consortia/{id}/invitations", {
    params: { path },
    body: { organisation: school.id, role: "group-mem", parts: [hours] },
  }),
);
const seenBy = (member: Attelage) => body(member.GET("/v1/consortia/{id}", { params: { path } }));
const own = (await seenBy(school.program)).members.find((member) => member.organisation === school.id);
const part = own?.parts?.[0];
assert(own?.terms && part, "an invitation says to what");
console.log(`invited: ${own.standing} to deliver ${part.quantity} of ${part.need}`);
await body(
  school.program.POST("/v1/consortia/{id}/members/{organisation}/accept", {
    params: { path: { ...path, organisation: school.id } },
    body: { terms: own.terms, consent },
  }),
);

for (const { program } of [workshop, school]) {
  const { digest } = await seenBy(program);
  assert(digest, "there is something to sign");
  const signed = await body(program.POST("/v1/consortia/{id}/sign", { params: { path }, body: { digest } }));
  console.log(`signed: ${signed.phase}`);
}
const answer = await body(school.program.GET("/v1/consortia/{id}/answer", { params: { path } }));
assert(typeof answer === "object", "the answer is JSON unless asked for otherwise");
console.log(`answer: ${answer.amount_cents} cents, ${answer.coverage_percent} % covered, ${answer.signatures.length} signatures`);
const bid = (await body(workshop.program.POST("/v1/consortia/{id}/file", { params: { path } }))).id;
console.log(`filed: ${(await seenBy(school.program)).phase}`);

await sleep(Math.max(due.getTime() - Date.now(), 0) + 500);
let opening: Schemas["BidOpening"] | undefined;
for (const evaluator of [first, second]) {
  opening = await body(evaluator.POST("/v1/calls/{id}/openings", { params: ofCall }));
}
assert(opening?.opened_at, "two people have asked");
console.log("opened: by two people");
const table = await body(second.GET("/v1/calls/{id}/comparison", { params: ofCall }));
assert(typeof table === "object", "the comparison is JSON unless asked for otherwise");
for (const { code, bids } of table.lots) {
  console.log(`compared: ${code}, ${bids.length} bid, ${bids[0]?.coverage_percent} % covered`);
}

const lots = ["equipment", "training"].map((lot) => ({
  lot,
  outcome: "awarded" as const,
  reasons: "Complète",
  bids: [{ bid, chosen: true, reasons: "Couvre les deux lots" }],
}));
await body(first.POST("/v1/calls/{id}/decisions", { params: ofCall, body: { tell_at: due.toISOString(), lots } }));
const told = await body(workshop.program.GET("/v1/bids/{id}/decision", { params: { path: { id: bid } } }));
console.log(`decided: ${told.lots.length} lots; ${(await seenBy(school.program)).phase}`);
const feed = await body(school.program.GET("/v1/events", { params: { query: { limit: 100 } } }));
const types = feed.items.map((event) => event.type).filter((type) => type.startsWith("consortium."));
console.log(`events: ${types.join(" ")}`);
