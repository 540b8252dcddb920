"""Webhooks after the Standard Webhooks scheme (https://www.standardwebhooks.com), symmetric signatures (``v1``)."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

#: Between a webhook's time and now, seconds: an older one may have been recorded by somebody.
TOLERANCE_SECONDS = 300


class InvalidWebhook(Exception):
    """It is not from the platform, or not of now: answer 400, and do nothing."""


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Sequence[str],
    *,
    now: float | None = None,
) -> Any:
    """The webhook's JSON, if one of the secrets has signed it. Its ``webhook-id`` stays the same when it is sent
    again: act on each once.

    :param body: as it came, not read and written again
    :param headers: names in any case
    :param secrets: ``whsec_…``; several while one takes the place of another
    :param now: seconds since 1970, for tests
    """
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, sent, signatures = (
            lower[f"webhook-{name}"] for name in ("id", "timestamp", "signature")
        )
    except KeyError as error:
        raise InvalidWebhook(f"the header {error} is absent") from None
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 12):
        raise InvalidWebhook("webhook-timestamp: no number of seconds")
    if abs((time.time() if now is None else now) - int(sent)) > TOLERANCE_SECONDS:
        raise InvalidWebhook("webhook-timestamp: too far from now")
    signed = f"{message_id}.{sent}.".encode() + body
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    expected = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    is_signed = False
    for signature in signatures.split(" "):
        version, _, text = signature.partition(",")
        if version != "v1":
            continue
        try:
            given = base64.b64decode(text, validate=True)
        except ValueError:  # of characters or of length
            continue
        for known in expected:
            is_signed |= hmac.compare_digest(known, given)
    if not is_signed:
        raise InvalidWebhook("webhook-signature: none of the secrets has signed it")
    try:
        return json.loads(body)
    except ValueError:
        raise InvalidWebhook("the body is no JSON") from None


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("secret: whsec_ and base64 are expected")
    return key
