import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { Gateway, Problem, Unavailable } from "../src/index.js";

type Reply = { status: number; headers?: Record<string, string>; document: unknown } | "lost";
interface Asked {
  path: string | undefined;
  lines: string[];
  key: string | undefined;
}

const ACCEPTED = { status: "accepted", position: "t-0-1" };
const LIMITED = { status: "rejected", code: "rate_limited" };
const MALFORMED = { status: "rejected", code: "malformed", detail: "why" };

let replies: Reply[] = [];
let asked: Asked[] = [];
let pauses: number[] = [];
let now = 0;
let gateway: Gateway;

/** Answers one after the other, and writes down what it was asked. */
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    asked.push({ path: request.url, lines: body.split("\n"), key: request.headers.authorization });
    const reply = replies.shift();
    if (reply === undefined || reply === "lost") {
      response.destroy();
      return;
    }
    response.writeHead(reply.status, reply.headers).end(JSON.stringify(reply.document));
  });
});
before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  [replies, asked, pauses, now] = [[], [], [], 0];
  gateway = new Gateway({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    apiKey: "key",
    clock: () => now,
    sleep: (ms) => {
      pauses.push(ms);
      now += ms;
      return Promise.resolve();
    },
  });
});

function results(list: object[], status = 202, headers = {}): void {
  replies.push({ status, headers, document: { results: list.map((result, n) => ({ id: `m-${n}`, ...result })) } });
}

test("what may pass is sent again in order, and the rest is not", async () => {
  results([ACCEPTED, MALFORMED, LIMITED, LIMITED], 202, { "Retry-After": "7" });
  replies.push({ status: 503, headers: { "Retry-After": "2" }, document: { code: "unavailable" } });
  results([{ status: "unknown" }, ACCEPTED], 503);
  replies.push("lost");
  results([ACCEPTED]);
  const said = await gateway.publish(["a", "b", "c", "d"]);
  assert.deepEqual(said.map((r) => r.code ?? r.status), ["accepted", "malformed", "accepted", "accepted"]);
  const sent = asked.map(({ lines }) => lines.join(""));
  assert.deepEqual(sent, ["abcd", "cd", "cd", "c", "c"]);
  assert.deepEqual(pauses.slice(0, 2), [7000, 2000]);
  assert.ok(pauses.slice(2).every((ms) => ms > 100 && ms <= 500), String(pauses));
  // A sealed event proves itself: the key is not shown where it is not asked for.
  assert.ok(asked.every(({ key }) => key === undefined));
});

test("pauses grow, and trying ends", async () => {
  results([ACCEPTED, LIMITED]);
  for (let n = 0; n < 50; n += 1) replies.push({ status: 503, document: { detail: "away" } });
  await assert.rejects(gateway.publish(["a", "b"], { giveUpAfter: 100_000 }), (error) => {
    assert.ok(error instanceof Unavailable && error.message.includes("away"), String(error));
    assert.deepEqual(error.results.map((r) => r.status), ["accepted", "unknown"]);
    return true;
  });
  assert.ok(now > 60_000 && now < 100_000, String(now));
  assert.ok(pauses.length >= 8 && pauses.length <= 14 && Math.max(...pauses) <= 30_000, String(pauses));
});

test("a refusal is not tried again, and says what is known", async () => {
  for (const status of [301, 400, 401, 403, 413, 415]) {
    results([ACCEPTED], status, { Location: "/elsewhere" });
    await assert.rejects(gateway.publish(["a", "b"]), (error) => {
      assert.ok(error instanceof Problem && error.status === status, String(error));
      assert.deepEqual(error.results.map((r) => r.status), ["accepted", "unknown"]);
      return true;
    });
  }
  results([ACCEPTED]);
  await assert.rejects(gateway.publish(["a", "b"]), Problem);
  assert.deepEqual(pauses, []);
});

test("many go in parts", async () => {
  results(new Array<object>(1000).fill(ACCEPTED));
  results(new Array<object>(500).fill(ACCEPTED));
  assert.equal((await gateway.publish(new Array<string>(1500).fill("x"))).length, 1500);
  results(new Array<object>(4).fill(ACCEPTED));
  results([ACCEPTED]);
  assert.equal((await gateway.publish(new Array<string>(5).fill("x".repeat(900_000)))).length, 5);
  assert.deepEqual(asked.map(({ lines }) => lines.length), [1000, 500, 4, 1]);
  assert.deepEqual(await gateway.publish([]), []);
});

test("an answer is waited for", async () => {
  const pending: Reply = { status: 200, document: { status: "pending" } };
  replies.push(pending, { status: 429, headers: { "Retry-After": "3" }, document: {} }, pending);
  replies.push({ status: 200, document: { status: "accepted", events: [] } });
  const result = { id: "m:1", status: "accepted", position: "t-0-1" } as const;
  assert.equal((await gateway.wait(result)).status, "accepted");
  assert.deepEqual([asked[0]?.path, asked[0]?.key], ["/v1/events/m%3A1?position=t-0-1", "Bearer key"]);
  assert.equal(pauses[1], 3000);
  for (let n = 0; n < 100; n += 1) replies.push(pending);
  await assert.rejects(gateway.wait(result, { timeout: 10_000 }), Unavailable);
  assert.ok(Math.max(...pauses.slice(3)) <= 2000, String(pauses));
  replies = [{ status: 404, document: { code: "not_found" } }];
  await assert.rejects(gateway.answer("m/1"), Problem);
  assert.equal(asked.at(-1)?.path, "/v1/events/m%2F1");
  await assert.rejects(gateway.wait({ id: "m", status: "rejected" }), TypeError);
});

test("keys go in clear to this machine alone", () => {
  for (const endpoint of ["http://events.example", "events.example", "http://127.0.0.1.example", "ftp://localhost", ""]) {
    assert.throws(() => new Gateway({ endpoint }), TypeError, endpoint);
  }
  for (const endpoint of ["https://events.example", "http://localhost:8080", "http://[::1]:8080"]) {
    assert.ok(new Gateway({ endpoint }));
  }
});
