/** The golden scenario, against the service at `ATTELAGE_URL`. What it prints is compared with `../golden.txt`. */

import assert from "node:assert/strict";

import { body, createAttelage, pages, problem, type Schemas } from "./attelage.js";

const baseUrl = process.env["ATTELAGE_URL"];
assert(baseUrl, "ATTELAGE_URL says where the service is");
const key = process.env["ATTELAGE_KEY"];
assert(key, "ATTELAGE_KEY is a key of the platform");
const attelage = createAttelage({ baseUrl, key });
const patient = { header: { Prefer: "wait=60" } };

const METROPOLE = "200046977";
const FILE = `code,name,kind,parent,population,lat,lon
${METROPOLE},Métropole,metropole,,,,
69266,Nord,commune,${METROPOLE},30000,,
69029,Sud,commune,${METROPOLE},10000,,
`;

const imported = await body(
  attelage.POST("/v1/imports", {
    params: { query: { kind: "territories" } },
    headers: { "Content-Type": "text/csv" },
    body: FILE,
    bodySerializer: (file) => file,
  }),
);
const communes = await body(attelage.GET("/v1/territories", { params: { query: { parent: METROPOLE } } }));
assert.deepEqual(communes.items.map((commune) => commune.name).sort(), ["Nord", "Sud"]);
console.log(`territories: ${imported.summary.territories.created} imported`);

const organisation = (name: string) => body(attelage.POST("/v1/organisations", { body: { name } }));
const funder = await organisation("Métropole en commun");
const workshop = await organisation("Atelier du Réemploi");
const school = await organisation("École Pas à Pas");
const generalist = await organisation("Le Grand Tout");
console.log("organisations: 4 created");

const offer = (owner: Schemas["Organisation"], service: string, unit: Schemas["Unit"], perYear: number, cents: number) =>
  body(
    attelage.POST("/v1/capabilities", {
      body: {
        organisation: owner.id,
        services: [service],
        territories: [METROPOLE],
        unit,
        capacity_per_year: perYear,
        unit_cost_cents: cents,
      },
    }),
  );
await offer(workshop, "equipment-refurbishing", "device", 150, 10_000);
await offer(school, "training-daily-tools", "hour", 800, 3_000);
await offer(generalist, "equipment-refurbishing", "device", 50, 20_000);
await offer(generalist, "training-daily-tools", "hour", 300, 6_000);
console.log("capabilities: 4 created");

const need = (code: string, service: string, unit: Schemas["Unit"], quantity: number): Schemas["Need"] => ({
  code,
  title: code,
  service,
  territory: METROPOLE,
  unit,
  quantity,
});
const newCall: Schemas["NewCall"] = {
  funder: funder.id,
  title: "Équiper et former",
  kind: "grant",
  starts_on: "2027-01-01",
  duration_months: 24,
  budget_cents: 10_000_000,
  lots: [
    { code: "equipment", title: "Matériel", needs: [need("kits", "equipment-refurbishing", "device", 100)] },
    { code: "training", title: "Formation", needs: [need("lessons", "training-daily-tools", "hour", 600)] },
  ],
};
const call = await body(attelage.POST("/v1/calls", { body: newCall }));
console.log(`call: drafted with ${call.lots.length} lots`);

const path = { id: call.id };
const run = await body(attelage.POST("/v1/calls/{id}/runs", { params: { path, ...patient }, body: { proposals: 2 } }));
const proposals = await body(attelage.GET("/v1/runs/{id}/proposals", { params: { path: { id: run.id } } }));
const best = proposals.items[0];
assert(best, "there is a proposal");
const winners = best.members.map((member) => member.actor).sort();
assert.deepEqual(winners, [workshop.id, school.id].sort());
console.log(`run: ${run.result}; ${best.members.map((member) => member.name).sort().join(" + ")} cover ${best.coverage_percent} %`);

const asked = await body(
  attelage.POST("/v1/calls/{id}/runs", { params: { path, ...patient }, body: { question: { check: { team: winners } } } }),
);
const reply = await body(attelage.GET("/v1/runs/{id}/reply", { params: { path: { id: asked.id } } }));
assert("check" in reply, "the reply is of the kind of the question");
assert.equal(reply.check.best_cents, run.objective_cents);
console.log(`check: ${reply.check.status}, ${reply.check.broken.length} rules broken`);

const second = await body(
  attelage.POST("/v1/calls", { body: { ...newCall, title: "Équiper encore", starts_on: "2027-07-01", lots: newCall.lots.slice(0, 1) } }),
);
const joint = await body(attelage.POST("/v1/runs", { params: patient, body: { calls: [call.id, second.id] } }));
const portfolio = await body(attelage.GET("/v1/runs/{id}/portfolio", { params: { path: { id: joint.id } } }));
const served = portfolio.calls.filter((each) => each.proposal);
assert.equal(portfolio.verified, true);
console.log(`joint run: ${joint.result}; ${served.length} of ${portfolio.calls.length} calls answered`);

const nowhere: Schemas["Need"] = { ...need("kits", "no-such-service", "device", 100), territory: "no-such-place" };
const impossible = { ...newCall, lots: [{ code: "equipment", title: "Matériel", needs: [nowhere] }] };
const invalid = await problem(attelage.POST("/v1/calls", { body: impossible }));
console.log(`${invalid.status}: ${(invalid.errors ?? []).map((fault) => fault.pointer).sort().join(" ")}`);

const place = { path: { id: school.id }, header: { "If-Match": '"1"' } };
const renamed = await attelage.PUT("/v1/organisations/{id}", { params: place, body: { name: "École Pas à Pas, Lyon" } });
assert.equal(renamed.response.headers.get("etag"), '"2"');
const stale = await problem(attelage.PUT("/v1/organisations/{id}", { params: place, body: { name: "Trop tard" } }));
console.log(`${stale.status}: ${stale.title}`);

const unknown = { path: { id: "019e0000-0000-7000-8000-000000000000" } };
const missing = await problem(attelage.GET("/v1/calls/{id}", { params: unknown }));
console.log(`${missing.status}: ${missing.title}`);

const sizes: number[] = [];
const names: string[] = [];
for await (const page of pages((cursor) =>
  attelage.GET("/v1/organisations", { params: { query: { limit: 3, ...(cursor && { cursor }) } } }),
)) {
  sizes.push(page.length);
  names.push(...page.map((each) => each.name));
}
assert.deepEqual(names, ["Métropole en commun", "Atelier du Réemploi", "École Pas à Pas, Lyon", "Le Grand Tout"]);
console.log(`pages: ${sizes.join(" + ")} organisations`);
