// Sealing under a granted content key: one key wrap and one signature an hour, then AES-GCM alone.
import { CompactSign, calculateJwkThumbprint, importJWK, importPKCS8, exportJWK } from "jose";
import type { JWK } from "jose";
import { type Bytes, base64url, utf8 } from "./bytes.js";

/** A content key is used for at most an hour, and for at most this many events, since its IVs are random. */
export const CONTENT_KEY_MS = 3_600_000;
export const CONTENT_KEY_EVENTS = 2 ** 20;
/** A clock that was set back by more gets a new key: a grant must not begin later than the events under it. */
const CLOCK_TOLERANCE_MS = 30_000;
/** Of a sealed event. */
export const MAX_BYTES = 900_000;

/** A JWK Set (RFC 7517). */
export interface JwkSet {
  keys: JWK[];
}

/** A private key of P-256 or Ed25519: PEM (PKCS#8), or a JWK. */
export type SigningKey = string | JWK;

export interface SealerOptions {
  /** Your id, as it is registered. */
  carrier: string;
  /** The deployment, such as `waybill:prod`. */
  audience: string;
  signingKey: SigningKey;
  /**
   * The platform's keys, or what fetches them when a content key is made, such as `() => gateway.platformKeys()`: so a
   * new platform key is taken up within the hour.
   */
  platformKeys: JwkSet | (() => JwkSet | Promise<JwkSet>);
  /** Milliseconds since 1970. */
  clock?: () => number;
}

export interface Message {
  payload: string | Uint8Array;
  /** What the payload is, such as `application/EDIFACT`. */
  mediaType: string;
  /** Events with the same keep their order; **not encrypted**, 1 to 256 bytes. */
  shipment: string;
  /** Yours, unique: the same once more is a duplicate. Without it, a random one. */
  id?: string;
}

/** A message that only the platform can open. */
export interface SealedEvent {
  readonly id: string;
  /** A JWE in Compact Serialization. */
  readonly text: string;
}

/** A content key with its grant. */
interface Granted {
  made: number;
  key: CryptoKey;
  encryptedKey: string;
  header: Record<string, string>;
  events: number;
}

interface Signer {
  key: CryptoKey | Uint8Array;
  alg: "ES256" | "EdDSA";
  kid: string;
}

/** Seals a carrier's events. */
export class Sealer {
  readonly #options: SealerOptions;
  readonly #clock: () => number;
  #signer: Promise<Signer> | undefined;
  #granted: Promise<Granted> | undefined;

  constructor(options: SealerOptions) {
    if (!options.carrier || !options.audience) throw new TypeError("carrier and audience are needed");
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  async seal({ payload, mediaType, shipment, id = crypto.randomUUID() }: Message): Promise<SealedEvent> {
    const bytes = typeof payload === "string" ? utf8(payload) : Uint8Array.from(payload);
    if (!/^[A-Za-z0-9._:-]{1,64}$/.test(id)) throw new TypeError("id: 1 to 64 characters of A-Z a-z 0-9 . _ : -");
    const length = utf8(shipment).length;
    // A text with half a character would become another one.
    if (length < 1 || length > 256 || /[\p{Cc}\p{Cs}]/u.test(shipment)) {
      throw new TypeError("shipment: 1 to 256 bytes of UTF-8 without control characters");
    }
    if (!/^[^/]+\/.+$/.test(mediaType) || mediaType === "application/jose") {
      throw new TypeError("mediaType: of the form type/subtype, and not application/jose");
    }
    if (bytes.length === 0) throw new TypeError("payload: at least one byte");

    const now = this.#clock();
    const granted = await this.#current(now);
    // What stays the same in every event, first: so its text stays the same, too, and compresses away.
    const whole = { ...granted.header, cty: mediaType, sub: shipment, iat: now / 1000, jti: id };
    const header = base64url(utf8(JSON.stringify(whole)));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const algorithm = { name: "AES-GCM", iv, additionalData: utf8(header), tagLength: 128 };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, granted.key, bytes));
    const parts = [iv, sealed.subarray(0, -16), sealed.subarray(-16)].map(base64url);
    const text = [header, granted.encryptedKey, ...parts].join(".");
    if (text.length > MAX_BYTES) {
      throw new RangeError(`the sealed event has ${text.length} bytes, more than ${MAX_BYTES}`);
    }
    return { id, text };
  }

  /** The content key of now. Those who seal at once wait for the same new one. */
  async #current(now: number): Promise<Granted> {
    for (;;) {
      const asked = (this.#granted ??= this.#grant(now));
      let granted;
      try {
        granted = await asked;
      } catch (error) {
        // The next try makes another.
        if (this.#granted === asked) this.#granted = undefined;
        throw error;
      }
      const age = now - granted.made;
      const inTime = age >= -CLOCK_TOLERANCE_MS && age < CONTENT_KEY_MS;
      if (inTime && granted.events < CONTENT_KEY_EVENTS) {
        granted.events += 1;
        return granted;
      }
      if (this.#granted === asked) this.#granted = undefined;
    }
  }

  async #grant(now: number): Promise<Granted> {
    const { carrier, audience, platformKeys, signingKey } = this.#options;
    const signer = await (this.#signer ??= signerOf(signingKey));
    const platform = platformKey(typeof platformKeys === "function" ? await platformKeys() : platformKeys);
    const secret: Bytes = crypto.getRandomValues(new Uint8Array(32));
    const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt"]);
    const oaep = { name: "RSA-OAEP", hash: "SHA-256" };
    const { kty, n, e } = platform.jwk;
    const wrapping = await crypto.subtle.importKey("jwk", { kty, n, e } as JsonWebKey, oaep, false, ["encrypt"]);
    const encryptedKey = new Uint8Array(await crypto.subtle.encrypt(oaep, wrapping, secret));
    secret.fill(0);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", encryptedKey));
    const claims = {
      iss: carrier,
      aud: audience,
      kid: platform.kid,
      ekh: base64url(hash),
      iat: now / 1000,
      exp: (now + CONTENT_KEY_MS) / 1000,
    };
    const grant = await new CompactSign(utf8(JSON.stringify(claims)))
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, typ: "waybill-grant+jwt" })
      .sign(signer.key);
    const header = {
      alg: "RSA-OAEP-256",
      enc: "A256GCM",
      kid: platform.kid,
      typ: "waybill+jwe",
      iss: carrier,
      aud: audience,
      grant,
    };
    return { made: now, key, encryptedKey: base64url(encryptedKey), header, events: 0 };
  }
}

async function signerOf(given: SigningKey): Promise<Signer> {
  const json = typeof given === "string" && given.trimStart().startsWith("{");
  if (typeof given === "string" && !json) {
    for (const alg of ["ES256", "EdDSA"] as const) {
      const key = await importPKCS8(given, alg, { extractable: true }).catch(() => undefined);
      if (key !== undefined) return { key, alg, kid: await calculateJwkThumbprint(await exportJWK(key)) };
    }
  } else {
    const jwk = (typeof given === "string" ? JSON.parse(given) : given) as JWK;
    const alg = { "P-256": "ES256", Ed25519: "EdDSA" }[jwk.crv ?? ""] as Signer["alg"] | undefined;
    if (alg !== undefined && jwk.d !== undefined) {
      return { key: await importJWK(jwk, alg), alg, kid: jwk.kid ?? (await calculateJwkThumbprint(jwk)) };
    }
  }
  throw new TypeError("signingKey: a private key of P-256 or Ed25519 is needed, as PEM (PKCS#8) or JWK");
}

/** The first that is of use: the set has the newest first. */
function platformKey(set: JwkSet): { jwk: JWK; kid: string } {
  for (const jwk of set.keys) {
    const { kty, kid, use = "enc", alg = "RSA-OAEP-256", d } = jwk;
    const fits = kty === "RSA" && use === "enc" && alg === "RSA-OAEP-256" && d === undefined;
    if (fits && kid) return { jwk, kid };
  }
  throw new TypeError("platformKeys: no key of RSA-OAEP-256 in the set");
}
