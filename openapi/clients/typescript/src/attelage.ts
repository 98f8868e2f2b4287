/** A typed client of the Attelage API. `schema.ts` is made from the OpenAPI document by `../generate`. */

import createClient, { type Client, type ClientOptions } from "openapi-fetch";

import type { components, paths } from "./schema.js";

/** The types of the document, by name: `Schemas["NewCall"]`. */
export type Schemas = components["schemas"];

/** Every operation, by method and path: `attelage.GET("/v1/calls/{id}", { params: { path: { id } } })`. */
export type Attelage = Client<paths>;

/** A client of the service at `baseUrl`, `http://host:port`; as nobody where there is no `key`. */
export function createAttelage({ key, ...options }: ClientOptions & { baseUrl: string; key?: string }): Attelage {
  const attelage = createClient<paths>(options);
  if (key !== undefined) {
    attelage.use({
      onRequest({ request }) {
        request.headers.set("Authorization", `Bearer ${key}`);
        return request;
      },
    });
  }
  return attelage;
}

/** What the service refuses: a problem (RFC 9457), with the faults of the request. */
export class ProblemError extends Error {
  constructor(readonly problem: Schemas["ProblemDetails"]) {
    super([problem.title, ...(problem.errors ?? []).map((fault) => `${fault.pointer ?? fault.parameter}: ${fault.detail}`)].join("\n"));
    this.name = "ProblemError";
  }
}

/** An answer of the service, of which the body is there unless there is a problem. */
type Answer<T> = { data?: T; error?: Schemas["ProblemDetails"]; response: Response };

/** The body of an answer; throws its problem. */
export async function body<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (error !== undefined) throw new ProblemError(error);
  if (data === undefined) throw new Error(`${response.url} answered ${response.status} without a body`);
  return data;
}

/** The problem of an answer that is refused; throws if it is not. */
export async function problem(answer: Promise<Answer<unknown>>): Promise<Schemas["ProblemDetails"]> {
  const { error, response } = await answer;
  if (error === undefined) throw new Error(`${response.url} answered ${response.status}, not a problem`);
  return error;
}

/** All items of a list, page by page: `page` reads the one that starts at a cursor. */
export async function* pages<T>(
  page: (cursor?: string) => Promise<Answer<{ items: T[]; next?: string | null }>>,
): AsyncGenerator<T[]> {
  for (let cursor: string | undefined, more = true; more; ) {
    const { items, next } = await body(page(cursor));
    yield items;
    cursor = next ?? undefined;
    more = cursor !== undefined;
  }
}
