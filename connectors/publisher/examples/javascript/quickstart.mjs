// Seals the example, publishes it, and asks what became of it. Run in the folder of the invitation.
import { createPrivateKey, createPublicKey, randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { CompactEncrypt, CompactSign, calculateJwkThumbprint, importJWK } from "jose";

const json = async (file) => JSON.parse(await readFile(file, "utf8"));
const invite = await json("waybill.json");

/** Signs the payload, then encrypts it for the platform. */
async function seal(payload, messageId, shipment) {
  const signingKey = createPrivateKey(await readFile("signing-key.pem"));
  // The first is the newest. They change: <endpoint>/.well-known/jwks.json has those of now.
  const platformKey = (await json("platform.jwks.json")).keys[0];
  // Both headers say it: so what was signed is what was encrypted.
  const said = {
    iss: invite.carrier,
    aud: invite.audience,
    sub: shipment, // events with the same text keep their order; it is not encrypted
    jti: messageId, // yours, unique: the same once more is a duplicate, not a second event
    iat: Math.floor(Date.now() / 1000),
  };
  const kid = await calculateJwkThumbprint(createPublicKey(signingKey));
  const signed = await new CompactSign(payload)
    .setProtectedHeader({ alg: "ES256", kid, cty: invite.media_type, ...said })
    .sign(signingKey);
  return new CompactEncrypt(new TextEncoder().encode(signed))
    .setProtectedHeader({
      alg: "RSA-OAEP-256",
      enc: "A256GCM",
      kid: platformKey.kid,
      typ: "waybill+jwe",
      cty: "application/jose",
      ...said,
    })
    .encrypt(await importJWK(platformKey));
}

/** The result of the one message; what the gateway refuses ends the program. */
async function publish(sealed) {
  const response = await fetch(`${invite.endpoint}/v1/events`, {
    method: "POST",
    headers: { "Content-Type": "application/jose" },
    body: sealed,
  });
  const answer = await response.json();
  const result = answer.results?.[0];
  if (result?.status !== "accepted") {
    throw new Error(`not accepted: ${JSON.stringify(answer, null, 2)}`);
  }
  return result;
}

/** What became of the message, once that is known. */
async function answerTo({ id, position }) {
  const key = (await readFile("api-key", "utf8")).trim();
  for (let asked = 0; asked < 120; asked += 1) {
    const response = await fetch(`${invite.endpoint}/v1/events/${id}?position=${position}`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    const answer = await response.json();
    if (answer.status !== "pending") return answer;
    await setTimeout(500);
  }
  throw new Error("no answer within a minute");
}

const sealed = await seal(await readFile(invite.example), randomUUID(), "example-shipment");
await writeFile("event.jose", sealed);
console.log(JSON.stringify(await answerTo(await publish(sealed)), null, 2));
