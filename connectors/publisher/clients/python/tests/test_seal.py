import base64
import hashlib
import json
import unittest
from typing import Any

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from waybill_client import Sealer
from waybill_client.seal import CONTENT_KEY_SECONDS, MAX_BYTES

PLATFORM = JWK.generate(kty="RSA", size=2048, kid="p1", use="enc", alg="RSA-OAEP-256")
NOW = 1_763_990_400.125


def platform_keys() -> dict[str, Any]:
    other = JWK.generate(kty="EC", crv="P-256", kid="sig")
    return {"keys": [other.export_public(as_dict=True), PLATFORM.export_public(as_dict=True)]}


def opened(text: str) -> tuple[dict[str, Any], bytes]:
    jwe = JWE()
    jwe.deserialize(text, key=PLATFORM)
    return json.loads(jwe.objects["protected"]), jwe.payload


class Sealing(unittest.TestCase):
    def setUp(self) -> None:
        self.now = NOW

    def sealer(self, key: JWK, carrier: str = "acme-line") -> Sealer:
        pem = key.export_to_pem(private_key=True, password=None)
        return Sealer(carrier, "waybill:test", pem, platform_keys, clock=lambda: self.now)

    def test_an_event_is_as_it_is_specified(self) -> None:
        for kty, crv, alg in [("EC", "P-256", "ES256"), ("OKP", "Ed25519", "EdDSA")]:
            key = JWK.generate(kty=kty, crv=crv)
            event = self.sealer(key).seal("é".encode(), "text/plain", "h-1 é", "m-1")
            header, payload = opened(event.text)
            grant = JWS()
            grant.deserialize(header.pop("grant"))
            grant.verify(key)
            self.assertEqual(payload, "é".encode())
            self.assertEqual(
                header,
                {
                    "alg": "RSA-OAEP-256",
                    "enc": "A256GCM",
                    "kid": "p1",
                    "typ": "waybill+jwe",
                    "cty": "text/plain",
                    "iss": "acme-line",
                    "aud": "waybill:test",
                    "sub": "h-1 é",
                    "jti": "m-1",
                    "iat": NOW,
                },
            )
            encrypted_key = base64.urlsafe_b64decode(event.text.split(".")[1] + "==")
            hashed = base64.urlsafe_b64encode(hashlib.sha256(encrypted_key).digest())
            claims = {
                "iss": "acme-line",
                "aud": "waybill:test",
                "kid": "p1",
                "ekh": hashed.rstrip(b"=").decode(),
                "iat": NOW,
                "exp": NOW + 3600,
            }
            self.assertEqual(json.loads(grant.payload), claims)
            said = {"alg": alg, "kid": key.thumbprint(), "typ": "waybill-grant+jwt"}
            self.assertEqual(grant.jose_header, said)

    def test_a_content_key_is_used_until_its_time_is_over(self) -> None:
        sealer = self.sealer(JWK.generate(kty="EC", crv="P-256"))

        def encrypted_key() -> str:
            return sealer.seal(b"x", "text/plain", "h").text.split(".")[1]

        first = encrypted_key()
        self.now = NOW + CONTENT_KEY_SECONDS - 1
        self.assertEqual(encrypted_key(), first)
        self.now = NOW + CONTENT_KEY_SECONDS
        second = encrypted_key()
        self.assertNotEqual(second, first)
        # The clock is set back: within the platform's tolerance, and beyond.
        self.now = NOW + CONTENT_KEY_SECONDS - 30
        self.assertEqual(encrypted_key(), second)
        self.now = NOW + CONTENT_KEY_SECONDS - 31
        third = encrypted_key()
        self.assertNotEqual(third, second)
        assert sealer._granted is not None
        sealer._granted.events = 1 << 20
        self.assertNotEqual(encrypted_key(), third)

    def test_the_constant_part_has_a_constant_text_and_ivs_differ(self) -> None:
        for carrier in ["a", "ab", "abc"]:
            sealer = self.sealer(JWK.generate(kty="EC", crv="P-256"), carrier)
            texts = [sealer.seal(b"x", "text/plain", shipment).text for shipment in "hk"]
            first, second = (text.split(".") for text in texts)
            grant = len(json.dumps(opened(texts[0])[0]["grant"])) * 4 // 3
            self.assertEqual(first[0][:grant], second[0][:grant])
            self.assertNotEqual(first[2], second[2])
            self.assertEqual(opened(texts[1])[0]["sub"], "k")

    def test_what_the_platform_would_reject_is_not_sealed(self) -> None:
        sealer = self.sealer(JWK.generate(kty="EC", crv="P-256"))
        for payload, media_type, shipment, message_id in [
            (b"", "text/plain", "h", "m"),
            (b"x", "text", "h", "m"),
            (b"x", "application/jose", "h", "m"),
            (b"x", "text/plain", "", "m"),
            (b"x", "text/plain", "h\n", "m"),
            (b"x", "text/plain", "é" * 129, "m"),
            (b"x", "text/plain", "h", ""),
            (b"x", "text/plain", "h", "m" * 65),
            (b"x", "text/plain", "h", "m/1"),
            (b"x" * MAX_BYTES, "text/plain", "h", "m"),
        ]:
            with self.assertRaises(ValueError, msg=f"{media_type} {shipment} {message_id}"):
                sealer.seal(payload, media_type, shipment, message_id)

    def test_keys_of_other_kinds_are_refused(self) -> None:
        public = JWK.generate(kty="EC", crv="P-256").export_to_pem()
        other = JWK.generate(kty="EC", crv="P-384").export_to_pem(private_key=True, password=None)
        for pem in [public, other]:
            with self.assertRaises(ValueError):
                Sealer("acme-line", "waybill:test", pem, platform_keys)
        own = JWK.generate(kty="EC", crv="P-256", kid="mine")
        sealer = Sealer("acme-line", "waybill:test", own.export_private(), {"keys": []})
        self.assertEqual(sealer._signing_key["kid"], "mine")
        with self.assertRaises(ValueError):
            sealer.seal(b"x", "text/plain", "h")


if __name__ == "__main__":
    unittest.main()
