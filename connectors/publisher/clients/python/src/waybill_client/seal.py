"""Sealing under a granted content key: one key wrap and one signature an hour, then AES-GCM alone."""

import base64
import hashlib
import json
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

#: A content key is used for at most an hour, and for at most this many events, since its IVs are random.
CONTENT_KEY_SECONDS = 3600.0
CONTENT_KEY_EVENTS = 1 << 20
#: A clock that was set back by more gets a new key: a grant must not begin later than the events under it.
CLOCK_TOLERANCE_SECONDS = 30.0
#: Of a sealed event.
MAX_BYTES = 900_000

_MESSAGE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_MEDIA_TYPE = re.compile(r"[^/]+/.+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

#: A JWK Set (RFC 7517) as JSON reads it.
JwkSet = Mapping[str, Any]


@dataclass(frozen=True)
class SealedEvent:
    """A message that only the platform can open."""

    id: str
    #: A JWE in Compact Serialization.
    text: str


class Sealer:
    """Seals a carrier's events. Threads may share it."""

    def __init__(
        self,
        carrier: str,
        audience: str,
        signing_key: bytes | str,
        platform_keys: JwkSet | Callable[[], JwkSet],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        :param carrier: your id, as it is registered
        :param audience: the deployment, such as ``waybill:prod``
        :param signing_key: your private key (P-256 or Ed25519), as PEM (PKCS#8) or as a JWK's JSON
        :param platform_keys: the platform's JWK Set, or what fetches it when a content key is made, such as
            :meth:`Gateway.platform_keys`: so a new platform key is taken up within the hour
        :param clock: seconds since 1970
        """
        if not carrier or not audience:
            raise ValueError("carrier and audience are needed")
        self._carrier = carrier
        self._audience = audience
        self._signing_key = _signing_key(signing_key)
        self._platform_keys = platform_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._granted: _Granted | None = None

    def seal(
        self, payload: bytes, media_type: str, shipment: str, message_id: str | None = None
    ) -> SealedEvent:
        """
        :param media_type: what the payload is, such as ``application/EDIFACT``
        :param shipment: events with the same keep their order; **not encrypted**, 1 to 256 bytes
        :param message_id: yours, unique: the same once more is a duplicate. Without it, a random one
        """
        message_id = str(uuid.uuid4()) if message_id is None else message_id
        if not _MESSAGE_ID.fullmatch(message_id):
            raise ValueError("message_id: 1 to 64 characters of A-Z a-z 0-9 . _ : -")
        if not 1 <= len(shipment.encode()) <= 256 or _CONTROL.search(shipment):
            raise ValueError("shipment: 1 to 256 bytes of UTF-8 without control characters")
        if not _MEDIA_TYPE.fullmatch(media_type) or media_type == "application/jose":
            raise ValueError("media_type: of the form type/subtype, and not application/jose")
        if not payload:
            raise ValueError("payload: at least one byte")
        with self._lock:
            now = self._clock()
            granted = self._granted
            if granted is None or not granted.is_usable(now):
                granted = self._granted = self._grant(now)
            granted.events += 1
        # What stays the same in every event, first: so its text stays the same, too, and compresses away.
        own = {"cty": media_type, "sub": shipment, "iat": round(now, 3), "jti": message_id}
        header = _base64url(_json({**granted.header, **own}))
        iv = os.urandom(12)
        sealed = granted.cipher.encrypt(iv, payload, header.encode())
        parts = [iv, sealed[:-16], sealed[-16:]]
        text = ".".join([header, granted.encrypted_key, *map(_base64url, parts)])
        if len(text) > MAX_BYTES:
            raise ValueError(f"the sealed event has {len(text)} bytes, more than {MAX_BYTES}")
        return SealedEvent(message_id, text)

    def _grant(self, now: float) -> "_Granted":
        keys = self._platform_keys
        platform_key = _platform_key(keys() if callable(keys) else keys)
        content_key = AESGCM.generate_key(256)
        public = load_pem_public_key(platform_key.export_to_pem())
        assert isinstance(public, RSAPublicKey)
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        encrypted_key = public.encrypt(content_key, oaep)
        claims = {
            "iss": self._carrier,
            "aud": self._audience,
            "kid": platform_key["kid"],
            "ekh": _base64url(hashlib.sha256(encrypted_key).digest()),
            "iat": round(now, 3),
            "exp": round(now + CONTENT_KEY_SECONDS, 3),
        }
        grant = JWS(_json(claims))
        key = self._signing_key
        header = {
            "alg": "ES256" if key["kty"] == "EC" else "EdDSA",
            "kid": key["kid"],
            "typ": "waybill-grant+jwt",
        }
        grant.add_signature(key, protected=_json(header).decode())
        return _Granted(
            made=now,
            cipher=AESGCM(content_key),
            encrypted_key=_base64url(encrypted_key),
            header={
                "alg": "RSA-OAEP-256",
                "enc": "A256GCM",
                "kid": platform_key["kid"],
                "typ": "waybill+jwe",
                "iss": self._carrier,
                "aud": self._audience,
                "grant": grant.serialize(compact=True),
            },
        )


@dataclass
class _Granted:
    """A content key with its grant."""

    made: float
    cipher: AESGCM
    encrypted_key: str
    header: dict[str, str]
    events: int = 0

    def is_usable(self, now: float) -> bool:
        age = now - self.made
        in_time = -CLOCK_TOLERANCE_SECONDS <= age < CONTENT_KEY_SECONDS
        return in_time and self.events < CONTENT_KEY_EVENTS


def _signing_key(key: bytes | str) -> JWK:
    data = key.encode() if isinstance(key, str) else key
    jwk = JWK.from_json(data) if data.lstrip().startswith(b"{") else JWK.from_pem(data)
    of_kind = (jwk["kty"], jwk.get("crv")) in [("EC", "P-256"), ("OKP", "Ed25519")]
    if not jwk.has_private or not of_kind:
        raise ValueError("signing_key: a private key of P-256 or Ed25519 is needed")
    if jwk.get("kid") is None:
        jwk["kid"] = jwk.thumbprint()
    return jwk


def _platform_key(keys: JwkSet) -> JWK:
    """The first that is of use: the set has the newest first."""
    for key in keys["keys"]:
        if (
            key.get("kty") == "RSA"
            and key.get("use", "enc") == "enc"
            and key.get("alg", "RSA-OAEP-256") == "RSA-OAEP-256"
            and isinstance(key.get("kid"), str)
            and "d" not in key
        ):
            return JWK(**key)
    raise ValueError("platform_keys: no key of RSA-OAEP-256 in the set")


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
