"""Seals the example, publishes it, and asks what became of it. Run in the folder of the invitation."""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

invite = json.loads(Path("waybill.json").read_text())


def seal(payload: bytes, message_id: str, shipment: str) -> str:
    """Signs the payload, then encrypts it for the platform."""
    signing_key = JWK.from_pem(Path("signing-key.pem").read_bytes())
    # The first is the newest. They change: <endpoint>/.well-known/jwks.json has those of now.
    platform_key = JWK(**json.loads(Path("platform.jwks.json").read_text())["keys"][0])
    # Both headers say it: so what was signed is what was encrypted.
    said = {
        "iss": invite["carrier"],
        "aud": invite["audience"],
        "sub": shipment,  # events with the same text keep their order; it is not encrypted
        "jti": message_id,  # yours, unique: the same once more is a duplicate, not a second event
        "iat": int(time.time()),
    }
    signed = JWS(payload)
    header = {"alg": "ES256", "kid": signing_key.thumbprint(), "cty": invite["media_type"]}
    signed.add_signature(signing_key, protected=json.dumps(header | said))
    header = {
        "alg": "RSA-OAEP-256",
        "enc": "A256GCM",
        "kid": platform_key["kid"],
        "typ": "waybill+jwe",
        "cty": "application/jose",
    }
    sealed = JWE(signed.serialize(compact=True), json.dumps(header | said), recipient=platform_key)
    return sealed.serialize(compact=True)


def ask(path: str, body: bytes | None = None, headers: dict[str, str] = {}) -> dict:
    """An answer of the gateway, also where it says no."""
    request = urllib.request.Request(invite["endpoint"] + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)


def publish(sealed: str) -> dict:
    """The result of the one message; what the gateway refuses ends the program."""
    answer = ask("/v1/events", sealed.encode(), {"Content-Type": "application/jose"})
    result = answer.get("results", [{}])[0]
    if result.get("status") != "accepted":
        sys.exit(f"not accepted: {json.dumps(answer, indent=2)}")
    return result


def answer_to(result: dict) -> dict:
    """What became of the message, once that is known."""
    key = Path("api-key").read_text().strip()
    path = f"/v1/events/{result['id']}?position={result['position']}"
    for _ in range(120):
        answer = ask(path, headers={"Authorization": f"Bearer {key}"})
        if answer.get("status") != "pending":
            return answer
        time.sleep(0.5)
    sys.exit("no answer within a minute")


sealed = seal(Path(invite["example"]).read_bytes(), str(uuid.uuid4()), "example-shipment")
Path("event.jose").write_text(sealed)
print(json.dumps(answer_to(publish(sealed)), indent=2))
