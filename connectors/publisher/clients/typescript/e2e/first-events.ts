// In the folder of an invitation: publishes events of which one cannot be read and one is a copy, and prints what
// became of each. tests/tests/gateway/clients.rs runs it against a real gateway.
import { readFile } from "node:fs/promises";
import { Gateway, Sealer } from "../src/index.js";

const invite = JSON.parse(await readFile("waybill.json", "utf8")) as Record<string, string>;
const of = (name: string): string => invite[name] ?? "";
const gateway = new Gateway({
  endpoint: of("endpoint"),
  apiKey: (await readFile("api-key", "utf8")).trim(),
});
const sealer = new Sealer({
  carrier: of("carrier"),
  audience: of("audience"),
  signingKey: await readFile("signing-key.pem", "utf8"),
  platformKeys: () => gateway.platformKeys(),
});
const payload = await readFile(of("example"));
const mediaType = of("media_type");
const seal = (id: string, bytes: string | Uint8Array = payload) =>
  sealer.seal({ payload: bytes, mediaType, shipment: `é ${id}`, id });
const events = await Promise.all([seal("m-1"), seal("m-2"), seal("m-3"), seal("bad", "no event")]);
const first = events[0];
if (first !== undefined) events.push(first);
const answers = [];
for (const result of await gateway.publish(events)) {
  const { status, rejects } = await gateway.wait(result);
  answers.push([result.id, status, (rejects ?? []).map(({ code }) => code)]);
}
console.log(JSON.stringify(answers));
