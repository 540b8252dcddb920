/** Seal shipment events for Waybill, publish them, wait for the answers, verify webhooks. */
export { Gateway, Problem, Unavailable } from "./gateway.js";
export type { Answer, GatewayOptions, Result } from "./gateway.js";
export { Sealer } from "./seal.js";
export type { JwkSet, Message, SealedEvent, SealerOptions, SigningKey } from "./seal.js";
export { InvalidWebhook, verifyWebhook } from "./webhook.js";
