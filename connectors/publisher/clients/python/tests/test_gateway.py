import http.server
import json
import threading
import unittest
from typing import Any

from waybill_client import Gateway, Problem, Result, Unavailable

ACCEPTED = {"status": "accepted", "position": "t-0-1"}
LIMITED = {"status": "rejected", "code": "rate_limited"}
MALFORMED = {"status": "rejected", "code": "malformed", "detail": "why"}


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers one after the other, and writes down what it was asked."""

    answers: list[tuple[int, dict[str, str], Any] | None] = []
    asked: list[tuple[str, list[str], str | None]] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.asked.append((self.path, body.split("\n"), self.headers.get("Authorization")))
        answer = self.answers.pop(0)
        if answer is None:  # The connection is lost.
            self.close_connection = True
            return
        status, headers, document = answer
        text = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


class Asking(unittest.TestCase):
    def setUp(self) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        Scripted.answers, Scripted.asked = [], []
        self.now = 0.0
        self.pauses: list[float] = []
        url = f"http://127.0.0.1:{self.server.server_port}/"
        self.gateway = Gateway(url, "key", sleep=self.sleep, clock=lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def results(self, *results: dict[str, str], status: int = 202, **headers: str) -> None:
        document = {"results": [{"id": f"m-{n}", **r} for n, r in enumerate(results)]}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        Scripted.answers.append((status, names, document))

    def test_what_may_pass_is_sent_again_in_order_and_the_rest_is_not(self) -> None:
        self.results(ACCEPTED, MALFORMED, LIMITED, LIMITED, Retry_After="7")
        Scripted.answers.append((503, {"Retry-After": "2"}, {"code": "unavailable"}))
        self.results({"status": "unknown"}, ACCEPTED, status=503)
        Scripted.answers.append(None)
        self.results(ACCEPTED)
        results = self.gateway.publish(["a", "b", "c", "d"])
        statuses = [(r.status, r.code) for r in results]
        accepted = ("accepted", None)
        self.assertEqual(statuses, [accepted, ("rejected", "malformed"), accepted, accepted])
        sent = [lines for _, lines, _ in Scripted.asked]
        self.assertEqual(sent, [["a", "b", "c", "d"], ["c", "d"], ["c", "d"], ["c"], ["c"]])
        self.assertEqual(self.pauses[:2], [7.0, 2.0])
        self.assertTrue(all(0.1 < pause <= 0.5 for pause in self.pauses[2:]), self.pauses)
        # A sealed event proves itself: the key is not shown where it is not asked for.
        self.assertEqual({key for _, _, key in Scripted.asked}, {None})

    def test_pauses_grow_and_trying_ends(self) -> None:
        self.results(ACCEPTED, LIMITED)
        Scripted.answers += [(503, {}, {"detail": "away"})] * 50
        with self.assertRaises(Unavailable) as caught:
            self.gateway.publish(["a", "b"], give_up_after=100)
        self.assertEqual([r.status for r in caught.exception.results], ["accepted", "unknown"])
        self.assertIn("away", str(caught.exception))
        self.assertTrue(60 < self.now < 100, self.now)
        self.assertTrue(8 <= len(self.pauses) <= 14, self.pauses)
        self.assertTrue(max(self.pauses) <= 30, self.pauses)

    def test_a_refusal_is_not_tried_again_and_says_what_is_known(self) -> None:
        for status in [301, 400, 401, 403, 413, 415]:
            self.results(ACCEPTED, status=status, Location="/elsewhere")
            with self.assertRaises(Problem) as caught:
                self.gateway.publish(["a", "b"])
            self.assertEqual(caught.exception.status, status)
            known = [r.status for r in caught.exception.results]
            self.assertEqual(known, ["accepted", "unknown"])
        self.results(ACCEPTED)
        with self.assertRaises(Problem):
            self.gateway.publish(["a", "b"])
        self.assertEqual(self.pauses, [])

    def test_many_go_in_parts(self) -> None:
        self.results(*[ACCEPTED] * 1000)
        self.results(*[ACCEPTED] * 500)
        self.assertEqual(len(self.gateway.publish(["x"] * 1500)), 1500)
        long = "x" * 900_000
        self.results(*[ACCEPTED] * 4)
        self.results(ACCEPTED)
        self.assertEqual(len(self.gateway.publish([long] * 5)), 5)
        self.assertEqual([len(lines) for _, lines, _ in Scripted.asked], [1000, 500, 4, 1])
        self.assertEqual(self.gateway.publish([]), [])

    def test_an_answer_is_waited_for(self) -> None:
        pending: Any = (200, {}, {"status": "pending"})
        Scripted.answers += [pending, (429, {"Retry-After": "3"}, {}), pending]
        Scripted.answers.append((200, {}, {"status": "accepted", "events": []}))
        result = Result("m:1", "accepted", "t-0-1")
        self.assertEqual(self.gateway.wait(result), {"status": "accepted", "events": []})
        self.assertEqual(Scripted.asked[0][0], "/v1/events/m%3A1?position=t-0-1")
        self.assertEqual(Scripted.asked[0][2], "Bearer key")
        self.assertEqual(self.pauses[1], 3.0)
        Scripted.answers += [pending] * 100
        with self.assertRaises(TimeoutError):
            self.gateway.wait(result, timeout=10)
        self.assertTrue(max(self.pauses[3:]) <= 2, self.pauses)
        Scripted.answers = [(404, {}, {"code": "not_found"})]
        with self.assertRaises(Problem):
            self.gateway.answer("m/1")
        self.assertEqual(Scripted.asked[-1][0], "/v1/events/m%2F1")
        with self.assertRaises(ValueError):
            self.gateway.wait(Result("m", "rejected"))

    def test_keys_go_in_clear_to_this_machine_alone(self) -> None:
        for url in ["http://events.example", "events.example", "http://127.0.0.1.example", ""]:
            with self.assertRaises(ValueError, msg=url):
                Gateway(url)
        for url in ["https://events.example", "http://localhost:8080", "http://[::1]:8080"]:
            Gateway(url)


if __name__ == "__main__":
    unittest.main()
