import base64
import hashlib
import hmac
import unittest

from waybill_client import InvalidWebhook, verify_webhook

# The vector of the reference libraries of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SENT = 1_614_265_330
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(SENT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "whsec_" + base64.b64encode(bytes(24)).decode()


def signature(secret: str, message_id: str, sent: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{message_id}.{sent}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


class Webhooks(unittest.TestCase):
    def test_what_was_signed_is_taken(self) -> None:
        for now in [SENT - 300, SENT, SENT + 300]:
            said = verify_webhook(BODY, HEADERS, SECRET, now=now)
            self.assertEqual(said, {"test": 2432232314})
        upper = {name.title(): value for name, value in HEADERS.items()}
        for secrets in [[SECRET], [OTHER, SECRET], [SECRET.removeprefix("whsec_")]]:
            verify_webhook(BODY, upper, secrets, now=SENT)

    def test_of_several_signatures_one_is_enough(self) -> None:
        good = HEADERS["webhook-signature"]
        wrong = signature(OTHER, HEADERS["webhook-id"], str(SENT), BODY)
        for signatures in [f"{wrong} {good}", f"v1a,{good[3:]} {good}", f"v1,? {good} {wrong}"]:
            headers = {**HEADERS, "webhook-signature": signatures}
            verify_webhook(BODY, headers, SECRET, now=SENT)

    def test_what_was_not_signed_or_not_now_is_refused(self) -> None:
        good = HEADERS["webhook-signature"]
        for changes, body, now in [
            ({"webhook-id": "msg_other"}, BODY, SENT),
            ({"webhook-timestamp": str(SENT + 1)}, BODY, SENT),
            ({"webhook-timestamp": ""}, BODY, SENT),
            ({"webhook-timestamp": "1e9"}, BODY, SENT),
            ({"webhook-timestamp": "9" * 5000}, BODY, SENT),
            ({"webhook-signature": ""}, BODY, SENT),
            ({"webhook-signature": good[3:]}, BODY, SENT),
            ({"webhook-signature": "v2" + good[2:]}, BODY, SENT),
            ({"webhook-signature": good.replace("E=", "A=")}, BODY, SENT),
            ({"webhook-signature": good[:-4]}, BODY, SENT),
            ({"webhook-signature": "v1,é"}, BODY, SENT),
            ({}, BODY + b" ", SENT),
            ({}, BODY, SENT + 301),
            ({}, BODY, SENT - 301),
        ]:
            with self.assertRaises(InvalidWebhook, msg=str(changes)):
                verify_webhook(body, {**HEADERS, **changes}, SECRET, now=now)
        for name in HEADERS:
            rest = {key: value for key, value in HEADERS.items() if key != name}
            with self.assertRaises(InvalidWebhook, msg=name):
                verify_webhook(BODY, rest, SECRET, now=SENT)
        with self.assertRaises(InvalidWebhook):
            verify_webhook(BODY, HEADERS, OTHER, now=SENT)
        text = signature(SECRET, "m", str(SENT), b"no JSON")
        headers = {"webhook-id": "m", "webhook-timestamp": str(SENT), "webhook-signature": text}
        with self.assertRaises(InvalidWebhook):
            verify_webhook(b"no JSON", headers, SECRET, now=SENT)

    def test_a_secret_that_is_none_is_the_callers_fault(self) -> None:
        for secret in ["", "whsec_", "whsec_???"]:
            with self.assertRaises(ValueError):
                verify_webhook(BODY, HEADERS, secret, now=SENT)


if __name__ == "__main__":
    unittest.main()
