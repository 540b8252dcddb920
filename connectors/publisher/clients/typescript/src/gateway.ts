// The gateway: publish, and learn what became of it.
import type { JwkSet, SealedEvent } from "./seal.js";

/** Of one request. The gateway takes 10,000 and 8 MiB unless its operator says otherwise. */
const BATCH_EVENTS = 1_000;
const BATCH_BYTES = 4 * 2 ** 20;
/**
 * After these another try may end otherwise; 0 is no answer at all. With 200, 202 and 422 some of it may be open yet.
 * What else the gateway answers stays so, however often it is asked.
 */
const PASSING: readonly number[] = [0, 200, 202, 408, 422, 429, 500, 502, 503, 504];

/** What the gateway says of one message. */
export interface Result {
  id: string | null;
  /** `rejected` for good; `unknown`: send it again, a second copy becomes a duplicate. */
  status: "accepted" | "rejected" | "unknown";
  /** What {@link Gateway.answer} takes, to tell a copy from its original. */
  position?: string;
  /** Why it was rejected: of the platform's list of codes. */
  code?: string;
  detail?: string;
}

/** What became of a message: docs/openapi.json has it in full. */
export interface Answer {
  id: string;
  status: "pending" | "accepted" | "rejected" | "duplicate";
  events?: Record<string, unknown>[];
  rejects?: { code: string; detail: string; [name: string]: unknown }[];
  [name: string]: unknown;
}

/**
 * The gateway refuses a request as a whole (RFC 9457); the same again is refused again. `results` has what is known of
 * each message by then, in their order.
 */
export class Problem extends Error {
  override name = "Problem";
  readonly code: string | undefined;
  readonly detail: string | undefined;
  results: Result[] = [];

  constructor(
    readonly status: number,
    document: Record<string, unknown>,
  ) {
    const text = (name: string): string | undefined =>
      typeof document[name] === "string" ? document[name] : undefined;
    super(`${status} ${text("code") ?? ""}: ${text("detail") ?? text("title") ?? ""}`);
    this.code = text("code");
    this.detail = text("detail");
  }
}

/**
 * The time for trying is over. `results` has what is known of each message, in their order: what is `unknown` there may
 * have arrived or not, and is to be sent again.
 */
export class Unavailable extends Error {
  override name = "Unavailable";
  results: Result[] = [];
}

export interface GatewayOptions {
  /** Such as `https://events.example.org`; http to this machine alone. */
  endpoint: string;
  /** For all but publishing. */
  apiKey?: string;
  /** Of one request, ms. */
  timeout?: number;
  /** In place of the usual ones, for tests, or for an agent of your own. */
  fetch?: typeof fetch;
  sleep?: (ms: number) => Promise<void>;
  /** Milliseconds. */
  clock?: () => number;
}

interface Said {
  /** HTTP's, or 0. */
  status: number;
  body: Record<string, unknown>;
  /** ms */
  retryAfter: number;
}

/** A connection to the gateway. */
export class Gateway {
  readonly #endpoint: string;
  readonly #options: GatewayOptions;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #clock: () => number;

  constructor(options: GatewayOptions) {
    const { protocol, hostname } = new URL(options.endpoint);
    const here = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
    if (protocol !== "https:" && !(protocol === "http:" && here)) throw new TypeError("endpoint: https is needed");
    this.#endpoint = options.endpoint.replace(/\/+$/, "");
    this.#options = options;
    this.#sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** The platform's JWK Set: what a `Sealer` takes. */
  async platformKeys(): Promise<JwkSet> {
    const tries = this.#tries(60_000);
    for (;;) {
      const said = await this.#ask("GET", "/.well-known/jwks.json");
      if (said.status === 200) return said.body as unknown as JwkSet;
      await tries.wait(said);
    }
  }

  /**
   * One result for each event, in their order: `accepted`, or `rejected` with a code. What may pass by itself (limits,
   * outages, lost connections) is tried again for `giveUpAfter` ms, in order; then {@link Unavailable} says what is known.
   */
  async publish(
    events: Iterable<SealedEvent | string>,
    { giveUpAfter = 120_000 }: { giveUpAfter?: number } = {},
  ): Promise<Result[]> {
    const texts = Array.from(events, (event) => (typeof event === "string" ? event : event.text));
    const results = new Array<Result | undefined>(texts.length).fill(undefined);
    const isOpen = (n: number): boolean => {
      const result = results[n];
      return result === undefined || (result.status !== "accepted" && (result.status !== "rejected" || result.code === "rate_limited"));
    };
    const tries = this.#tries(giveUpAfter);
    for (const batch of batches(texts)) {
      let open = batch;
      while (open.length > 0) {
        const said = await this.#ask("POST", "/v1/events", open.map((n) => texts[n]).join("\n"));
        const given = Array.isArray(said.body.results) ? (said.body.results as Result[]) : [];
        given.slice(0, open.length).forEach((result, n) => (results[open[n] as number] = result));
        const before = open.length;
        open = open.filter(isOpen);
        if (open.length < before) tries.beginAnew();
        try {
          if (given.length !== before && (said.status === 202 || said.status === 422)) {
            throw new Problem(said.status, { detail: "not one result for each message" });
          }
          if (open.length > 0) await tries.wait(said);
        } catch (error) {
          if (error instanceof Problem || error instanceof Unavailable) {
            error.results = texts.map((_, n) => (isOpen(n) ? { id: null, status: "unknown" } : (results[n] as Result)));
          }
          throw error;
        }
      }
    }
    return results as Result[];
  }

  /** What became of a message, as it is known now. Without a position one on its way is not found (404). */
  async answer(id: string, position?: string): Promise<Answer> {
    const tries = this.#tries(60_000);
    for (;;) {
      const said = await this.#answer(id, position);
      if (said.status === 200) return said.body as Answer;
      await tries.wait(said);
    }
  }

  /** What became of a message that was accepted, once it is no longer `pending`. @throws Unavailable if it still is */
  async wait(result: Result, { timeout = 60_000 }: { timeout?: number } = {}): Promise<Answer> {
    if (result.id === null || result.status !== "accepted") {
      throw new TypeError("only a message that was accepted has an answer");
    }
    const tries = this.#tries(timeout);
    for (;;) {
      const said = await this.#answer(result.id, result.position);
      if (said.status === 200 && said.body.status !== "pending") return said.body as Answer;
      await tries.wait(said, 2_000);
    }
  }

  #answer(id: string, position: string | undefined): Promise<Said> {
    const query = position === undefined ? "" : `?${new URLSearchParams({ position })}`;
    return this.#ask("GET", `/v1/events/${encodeURIComponent(id)}${query}`, undefined, true);
  }

  async #ask(method: string, path: string, body?: string, withKey = false): Promise<Said> {
    const { apiKey, timeout = 70_000, fetch: ask = fetch } = this.#options;
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/x-ndjson";
    if (withKey && apiKey !== undefined) headers.Authorization = `Bearer ${apiKey}`;
    const signal = AbortSignal.timeout(timeout);
    try {
      const response = await ask(this.#endpoint + path, {
        method,
        headers,
        signal,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      const seconds = response.headers.get("Retry-After") ?? "";
      const retryAfter = /^[0-9]{1,6}$/.test(seconds) ? Number(seconds) * 1000 : 0;
      return { status: response.status, body: object(text), retryAfter };
    } catch (error) {
      return { status: 0, body: { detail: String(error) }, retryAfter: 0 };
    }
  }

  #tries(ms: number): Tries {
    return new Tries(this.#clock, this.#sleep, ms);
  }
}

/** How long it is tried, and the pauses between: as the gateway says, or growing, with jitter. */
class Tries {
  readonly #end: number;
  #pause = 250;

  constructor(
    private readonly clock: () => number,
    private readonly sleep: (ms: number) => Promise<void>,
    ms: number,
  ) {
    this.#end = clock() + ms;
  }

  beginAnew(): void {
    this.#pause = 250;
  }

  /** Waits before the next try, or says that there is none. */
  async wait(said: Said, longest = 30_000): Promise<void> {
    if (!PASSING.includes(said.status)) throw new Problem(said.status, said.body);
    const own = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, longest);
    const pause = Math.max(own, said.retryAfter);
    if (this.clock() + pause >= this.#end) {
      const last = String(said.body.detail ?? said.body.status ?? "");
      throw new Unavailable(`the time is over; the last answer was ${said.status}: ${last}`);
    }
    await this.sleep(pause);
  }
}

function* batches(texts: readonly string[]): Generator<number[]> {
  let [batch, bytes]: [number[], number] = [[], 0];
  for (const [n, { length }] of texts.entries()) {
    if (batch.length >= BATCH_EVENTS || (batch.length > 0 && bytes + length + 1 > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(n);
    bytes += length + 1;
  }
  if (batch.length > 0) yield batch;
}

function object(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Something between here and the gateway has answered.
  }
  return { detail: "the answer is no JSON" };
}
