import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { calculateJwkThumbprint, compactDecrypt, compactVerify, decodeProtectedHeader } from "jose";
import { type JwkSet, Sealer } from "../src/index.js";
import { CONTENT_KEY_MS, MAX_BYTES } from "../src/seal.js";

const NOW = 1_763_990_400_125;
const PLATFORM = generateKeyPairSync("rsa", { modulusLength: 2048 });
const P256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const KEYS = {
  keys: [
    { ...createPublicKey(P256).export({ format: "jwk" }), kid: "sig" },
    { ...PLATFORM.publicKey.export({ format: "jwk" }), kid: "p1", use: "enc", alg: "RSA-OAEP-256" },
  ],
} as JwkSet;
const pem = (key: ReturnType<typeof createPrivateKey>): string => key.export({ type: "pkcs8", format: "pem" }) as string;
const MESSAGE = { payload: "x", mediaType: "text/plain", shipment: "h" };

function sealer(clock: () => number = () => NOW, carrier = "acme-line"): Sealer {
  return new Sealer({ carrier, audience: "waybill:test", signingKey: pem(P256), platformKeys: () => KEYS, clock });
}
const open = (text: string) => compactDecrypt(text, PLATFORM.privateKey);
const encryptedKey = (text: string): string => text.split(".")[1] as string;

test("an event is as it is specified", async () => {
  const ed25519 = generateKeyPairSync("ed25519").privateKey;
  for (const [key, alg] of [[P256, "ES256"], [ed25519, "EdDSA"]] as const) {
    const jwk = key.export({ format: "jwk" });
    for (const signingKey of [pem(key), jwk, JSON.stringify(jwk)]) {
      const own = new Sealer({
        carrier: "acme-line",
        audience: "waybill:test",
        signingKey: signingKey as string,
        platformKeys: KEYS,
        clock: () => NOW,
      });
      const event = await own.seal({ payload: "é", mediaType: "text/plain", shipment: "h-1 é", id: "m-1" });
      const { plaintext, protectedHeader } = await open(event.text);
      assert.equal(new TextDecoder().decode(plaintext), "é");
      const { grant, ...header } = protectedHeader;
      assert.deepEqual(header, {
        alg: "RSA-OAEP-256",
        enc: "A256GCM",
        kid: "p1",
        typ: "waybill+jwe",
        cty: "text/plain",
        iss: "acme-line",
        aud: "waybill:test",
        sub: "h-1 é",
        jti: "m-1",
        iat: NOW / 1000,
      });
      const signed = await compactVerify(grant as string, createPublicKey(key));
      const kid = await calculateJwkThumbprint(createPublicKey(key).export({ format: "jwk" }) as never);
      assert.deepEqual(signed.protectedHeader, { alg, kid, typ: "waybill-grant+jwt" });
      const hash = createHash("sha256").update(Buffer.from(encryptedKey(event.text), "base64url"));
      assert.deepEqual(JSON.parse(new TextDecoder().decode(signed.payload)), {
        iss: "acme-line",
        aud: "waybill:test",
        kid: "p1",
        ekh: hash.digest("base64url"),
        iat: NOW / 1000,
        exp: NOW / 1000 + 3600,
      });
    }
  }
});

test("a content key is used until its time is over", async () => {
  let now = NOW;
  const own = sealer(() => now);
  const next = async (): Promise<string> => encryptedKey((await own.seal(MESSAGE)).text);
  const first = await next();
  now = NOW + CONTENT_KEY_MS - 1;
  assert.equal(await next(), first);
  now = NOW + CONTENT_KEY_MS;
  // Those who seal at once wait for the same new one.
  const [second, ...others] = await Promise.all([next(), next(), next()]);
  assert.notEqual(second, first);
  assert.deepEqual(others, [second, second]);
  // The clock is set back: within the platform's tolerance, and beyond.
  now = NOW + CONTENT_KEY_MS - 30_000;
  assert.equal(await next(), second);
  now = NOW + CONTENT_KEY_MS - 30_001;
  assert.notEqual(await next(), second);
});

test("keys that could not be fetched are fetched again", async () => {
  let asked = 0;
  const platformKeys = (): JwkSet => {
    asked += 1;
    if (asked === 1) throw new Error("away");
    return KEYS;
  };
  const own = new Sealer({ carrier: "a", audience: "b", signingKey: pem(P256), platformKeys });
  await assert.rejects(own.seal(MESSAGE), /away/);
  await own.seal(MESSAGE);
  await own.seal(MESSAGE);
  assert.equal(asked, 2);
});

test("the constant part has a constant text, and IVs differ", async () => {
  for (const carrier of ["a", "ab", "abc"]) {
    const own = sealer(() => NOW, carrier);
    const texts = [];
    for (const shipment of ["h", "k"]) texts.push((await own.seal({ ...MESSAGE, shipment })).text.split("."));
    const [first, second] = texts as [string[], string[]];
    const grant = String(decodeProtectedHeader(first.join(".")).grant).length;
    assert.equal(first[0]?.slice(0, (grant * 4) / 3), second[0]?.slice(0, (grant * 4) / 3));
    assert.notEqual(first[2], second[2]);
    assert.equal((await open(second.join("."))).protectedHeader.sub, "k");
  }
});

test("what the platform would reject is not sealed", async () => {
  const own = sealer();
  for (const wrong of [
    { payload: "" },
    { mediaType: "text" },
    { mediaType: "application/jose" },
    { shipment: "" },
    { shipment: "h\n" },
    { shipment: "\ud800" },
    { shipment: "é".repeat(129) },
    { id: "" },
    { id: "m".repeat(65) },
    { id: "m/1" },
    { payload: new Uint8Array(MAX_BYTES) },
  ]) {
    await assert.rejects(own.seal({ ...MESSAGE, ...wrong }), /./, JSON.stringify(wrong).slice(0, 80));
  }
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
  const open = createPublicKey(P256).export({ format: "jwk" });
  for (const signingKey of [pem(p384), JSON.stringify(open), "no key"]) {
    const other = new Sealer({ carrier: "a", audience: "b", signingKey, platformKeys: KEYS });
    await assert.rejects(other.seal(MESSAGE));
  }
});
