import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { InvalidWebhook, verifyWebhook } from "../src/index.js";

// The vector of the reference libraries of Standard Webhooks.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"test": 2432232314}';
const SENT = 1_614_265_330;
const HEADERS = {
  "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
  "webhook-timestamp": String(SENT),
  "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const GOOD = HEADERS["webhook-signature"];
const OTHER = `whsec_${Buffer.alloc(24).toString("base64")}`;

function signature(secret: string, id: string, body: string): string {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${SENT}.${body}`).digest("base64")}`;
}

test("what was signed is taken", async () => {
  for (const now of [SENT - 300, SENT, SENT + 300]) {
    assert.deepEqual(await verifyWebhook(BODY, HEADERS, SECRET, now * 1000), { test: 2432232314 });
  }
  const bytes = new TextEncoder().encode(BODY);
  for (const secrets of [[SECRET], [OTHER, SECRET], [SECRET.replace("whsec_", "")]]) {
    await verifyWebhook(bytes, new Headers(HEADERS), secrets, SENT * 1000);
  }
  const upper = Object.fromEntries(Object.entries(HEADERS).map(([name, value]) => [name.toUpperCase(), value]));
  await verifyWebhook(BODY, { ...upper, cookie: ["a", "b"] }, SECRET, SENT * 1000);
});

test("of several signatures one is enough", async () => {
  const wrong = signature(OTHER, HEADERS["webhook-id"], BODY);
  for (const signatures of [`${wrong} ${GOOD}`, `v1a,${GOOD.slice(3)} ${GOOD}`, `v1,? ${GOOD} ${wrong}`]) {
    await verifyWebhook(BODY, { ...HEADERS, "webhook-signature": signatures }, SECRET, SENT * 1000);
  }
});

test("what was not signed, or not now, is refused", async () => {
  const cases: [Partial<Record<keyof typeof HEADERS, string | undefined>>, string, number][] = [
    [{ "webhook-id": "msg_other" }, BODY, SENT],
    [{ "webhook-timestamp": String(SENT + 1) }, BODY, SENT],
    [{ "webhook-timestamp": "" }, BODY, SENT],
    [{ "webhook-timestamp": "1e9" }, BODY, SENT],
    [{ "webhook-timestamp": "9".repeat(5000) }, BODY, SENT],
    [{ "webhook-signature": "" }, BODY, SENT],
    [{ "webhook-signature": GOOD.slice(3) }, BODY, SENT],
    [{ "webhook-signature": `v2${GOOD.slice(2)}` }, BODY, SENT],
    [{ "webhook-signature": GOOD.replace("E=", "A=") }, BODY, SENT],
    [{ "webhook-signature": GOOD.slice(0, -4) }, BODY, SENT],
    [{ "webhook-signature": "v1,é" }, BODY, SENT],
    [{}, `${BODY} `, SENT],
    [{}, BODY, SENT + 301],
    [{}, BODY, SENT - 301],
    [{ "webhook-id": undefined }, BODY, SENT],
    [{ "webhook-timestamp": undefined }, BODY, SENT],
    [{ "webhook-signature": undefined }, BODY, SENT],
  ];
  for (const [changes, body, now] of cases) {
    const checked = verifyWebhook(body, { ...HEADERS, ...changes }, SECRET, now * 1000);
    await assert.rejects(checked, InvalidWebhook, JSON.stringify(changes));
  }
  await assert.rejects(verifyWebhook(BODY, HEADERS, OTHER, SENT * 1000), InvalidWebhook);
  const headers = { ...HEADERS, "webhook-id": "m", "webhook-signature": signature(SECRET, "m", "no JSON") };
  await assert.rejects(verifyWebhook("no JSON", headers, SECRET, SENT * 1000), InvalidWebhook);
});

test("a secret that is none is the caller's fault", async () => {
  for (const secret of ["", "whsec_", "whsec_???"]) {
    await assert.rejects(verifyWebhook(BODY, HEADERS, secret, SENT * 1000), TypeError);
  }
});
