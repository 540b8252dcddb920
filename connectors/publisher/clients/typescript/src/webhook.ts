// Webhooks after the Standard Webhooks scheme (https://www.standardwebhooks.com), symmetric signatures (`v1`).
import { fromBase64, utf8, type Bytes } from "./bytes.js";

/** Between a webhook's time and now, seconds: an older one may have been recorded by somebody. */
const TOLERANCE_SECONDS = 300;

/** It is not from the platform, or not of now: answer 400, and do nothing. */
export class InvalidWebhook extends Error {
  override name = "InvalidWebhook";
}

/**
 * The webhook's JSON, if one of the secrets has signed it. Its `webhook-id` stays the same when it is sent again: act on
 * each once.
 *
 * @param body as it came, not read and written again
 * @param headers `Headers`, or an object as Node's `request.headers`
 * @param secrets `whsec_…`; several while one takes the place of another
 * @param now milliseconds since 1970, for tests
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: Headers | Record<string, string | string[] | undefined>,
  secrets: string | readonly string[],
  now: number = Date.now(),
): Promise<unknown> {
  const given = headers instanceof Headers ? headers : plain(headers);
  const header = (name: string): string => {
    const value = given.get(name);
    if (value === null) throw new InvalidWebhook(`the header ${name} is absent`);
    return value;
  };
  const [id, sent, signatures] = [header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")];
  if (!/^[0-9]{1,12}$/.test(sent)) throw new InvalidWebhook("webhook-timestamp: no number of seconds");
  if (Math.abs(now / 1000 - Number(sent)) > TOLERANCE_SECONDS) {
    throw new InvalidWebhook("webhook-timestamp: too far from now");
  }
  const content = typeof body === "string" ? utf8(body) : body;
  const before = utf8(`${id}.${sent}.`);
  const signed = new Uint8Array(before.length + content.length);
  signed.set(before);
  signed.set(content, before.length);

  const keys = await Promise.all((typeof secrets === "string" ? [secrets] : secrets).map(keyOf));
  let isSigned = false;
  for (const signature of signatures.split(" ")) {
    const bytes = signature.startsWith("v1,") ? fromBase64(signature.slice(3)) : undefined;
    if (bytes === undefined) continue;
    for (const key of keys) {
      // WebCrypto compares in constant time.
      if (await crypto.subtle.verify("HMAC", key, bytes, signed)) isSigned = true;
    }
  }
  if (!isSigned) throw new InvalidWebhook("webhook-signature: none of the secrets has signed it");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content)) as unknown;
  } catch {
    throw new InvalidWebhook("the body is no JSON");
  }
}

/** Those of a webhook, of Node's headers. */
function plain(headers: Record<string, string | string[] | undefined>): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" && name.toLowerCase().startsWith("webhook-")) all.set(name, value);
  }
  return all;
}

function keyOf(secret: string): Promise<CryptoKey> {
  const bytes: Bytes | undefined = fromBase64(secret.replace(/^whsec_/, ""));
  if (!bytes?.length) throw new TypeError("secret: whsec_ and base64 are expected");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}
