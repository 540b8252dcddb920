"""The gateway: publish, and learn what became of it."""

import json
import random
import time
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import urllib3

from .seal import SealedEvent

#: Of one request. The gateway takes 10,000 and 8 MiB unless its operator says otherwise.
BATCH_EVENTS = 1_000
BATCH_BYTES = 4 << 20
#: After these another try may end otherwise; 0 is no answer at all. With 200, 202 and 422 some of it may be open
#: yet. What else the gateway answers stays so, however often it is asked.
_PASSING = {0, 200, 202, 408, 422, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Result:
    """What the gateway says of one message."""

    id: str | None
    #: ``accepted``; ``rejected`` for good; ``unknown``: send it again, a second copy becomes a duplicate
    status: str
    #: What :meth:`Gateway.answer` takes, to tell a copy from its original.
    position: str | None = None
    #: Why it was rejected: of the platform's list of codes.
    code: str | None = None
    detail: str | None = None


class Problem(Exception):
    """The gateway refuses a request as a whole (RFC 9457); the same again is refused again. ``results`` has what is
    known of each message by then, in their order."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        self.status = status
        self.code: str | None = document.get("code")
        self.detail: str | None = document.get("detail")
        self.results: list[Result] = []
        super().__init__(f"{status} {self.code or ''}: {self.detail or document.get('title', '')}")


class Unavailable(Exception):
    """The time for trying is over. ``results`` has what is known of each message, in their order: what is
    ``unknown`` there may have arrived or not, and is to be sent again."""

    def __init__(self, why: str) -> None:
        self.results: list[Result] = []
        super().__init__(why)


class Gateway:
    """A connection to the gateway. Threads may share it."""

    def __init__(
        self,
        endpoint: str,
        api_key: str | None = None,
        *,
        ca_file: str | None = None,
        timeout: float = 70.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        :param endpoint: such as ``https://events.example.org``; http to this machine alone
        :param api_key: for all but publishing
        :param ca_file: PEM: trust these authorities, and not the usual ones
        :param timeout: of one request, seconds
        """
        url = urllib.parse.urlsplit(endpoint)
        if url.scheme != "https" and url.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("endpoint: https is needed")
        self._endpoint = endpoint.rstrip("/")
        self._api_key = api_key
        limits = urllib3.Timeout(total=timeout)
        # Without retries it follows no redirect either: what it says is for this address alone.
        self._http = urllib3.PoolManager(retries=False, timeout=limits, ca_certs=ca_file)
        self._sleep = sleep
        self._clock = clock

    def platform_keys(self) -> dict[str, Any]:
        """The platform's JWK Set: what a :class:`Sealer` takes."""
        tries = _Tries(self, 60.0)
        while True:
            answer = self._ask("GET", "/.well-known/jwks.json")
            if answer.status == 200:
                return answer.body
            tries.wait(answer)

    def publish(
        self, events: Iterable[SealedEvent | str], *, give_up_after: float = 120.0
    ) -> list[Result]:
        """One result for each event, in their order: ``accepted``, or ``rejected`` with a code. What may pass by
        itself (limits, outages, lost connections) is tried again for ``give_up_after`` seconds, in order; then
        :class:`Unavailable` says what is known.
        """
        texts = [event if isinstance(event, str) else event.text for event in events]
        results: list[Result | None] = [None] * len(texts)
        tries = _Tries(self, give_up_after)
        for batch in _batches(texts):
            open_ = list(batch)
            while open_:
                body = "\n".join(texts[n] for n in open_).encode()
                answer = self._ask("POST", "/v1/events", body)
                said = answer.body.get("results") or []
                for n, result in zip(open_, (_result(one) for one in said)):
                    results[n] = result
                before = len(open_)
                open_ = [n for n in open_ if _is_open(results[n])]
                if len(open_) < before:
                    tries.begin_anew()
                try:
                    if len(said) != before and answer.status in (202, 422):
                        why = "not one result for each message"
                        raise Problem(answer.status, {"detail": why})
                    if open_:
                        tries.wait(answer)
                except (Problem, Unavailable) as error:
                    unknown = Result(None, "unknown")
                    error.results = [r if r and not _is_open(r) else unknown for r in results]
                    raise
        return [result for result in results if result is not None]

    def answer(self, message_id: str, position: str | None = None) -> dict[str, Any]:
        """What became of a message, as it is known now: ``status`` is ``pending``, ``accepted``, ``rejected`` or
        ``duplicate``. Without a position a message on its way is not found (:class:`Problem` 404).
        """
        tries = _Tries(self, 60.0)
        while True:
            answer = self._answer(message_id, position)
            if answer.status == 200:
                return answer.body
            tries.wait(answer)

    def wait(self, result: Result, *, timeout: float = 60.0) -> dict[str, Any]:
        """What became of a message that was accepted, once it is no longer ``pending``.

        :raises TimeoutError: it still is
        """
        if result.id is None or result.status != "accepted":
            raise ValueError("only a message that was accepted has an answer")
        tries = _Tries(self, timeout)
        while True:
            answer = self._answer(result.id, result.position)
            if answer.status == 200 and answer.body.get("status") != "pending":
                return answer.body
            try:
                tries.wait(answer, longest=2.0)
            except Unavailable as error:
                raise TimeoutError(f"{result.id} has no answer yet: {error}") from None

    def _answer(self, message_id: str, position: str | None) -> "_Answer":
        path = f"/v1/events/{urllib.parse.quote(message_id, safe='')}"
        if position is not None:
            path += "?" + urllib.parse.urlencode({"position": position})
        return self._ask("GET", path, with_key=True)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, *, with_key: bool = False
    ) -> "_Answer":
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/x-ndjson"
        if with_key and self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key}"
        try:
            response = self._http.request(
                method, self._endpoint + path, body=body, headers=headers
            )
            document = json.loads(response.data)
        except urllib3.exceptions.HTTPError as error:
            return _Answer(0, {"detail": str(error)}, None)
        except ValueError:
            document = {"detail": "the answer is no JSON"}
        retry_after = response.headers.get("Retry-After", "")
        wait = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
        return _Answer(response.status, document if isinstance(document, dict) else {}, wait)


@dataclass(frozen=True)
class _Answer:
    #: HTTP's, or 0.
    status: int
    body: dict[str, Any]
    retry_after: float | None


class _Tries:
    """How long it is tried, and the pauses between: as the gateway says, or growing, with jitter."""

    def __init__(self, gateway: Gateway, seconds: float) -> None:
        self._gateway = gateway
        self._end = gateway._clock() + seconds
        self._pause = 0.25

    def begin_anew(self) -> None:
        self._pause = 0.25

    def wait(self, answer: _Answer, longest: float = 30.0) -> None:
        """Waits before the next try, or says that there is none."""
        if answer.status not in _PASSING:
            raise Problem(answer.status, answer.body)
        pause = self._pause * random.uniform(0.5, 1.0)
        self._pause = min(self._pause * 2, longest)
        pause = max(pause, answer.retry_after or 0.0)
        if self._gateway._clock() + pause >= self._end:
            said = answer.body.get("detail") or answer.body.get("status") or ""
            raise Unavailable(f"the time is over; the last answer was {answer.status}: {said}")
        self._gateway._sleep(pause)


def _batches(texts: Sequence[str]) -> Iterable[range]:
    begin = bytes_ = 0
    for n, text in enumerate(texts):
        if n > begin and (n - begin >= BATCH_EVENTS or bytes_ + len(text) + 1 > BATCH_BYTES):
            yield range(begin, n)
            begin, bytes_ = n, 0
        bytes_ += len(text) + 1
    if begin < len(texts):
        yield range(begin, len(texts))


def _result(said: dict[str, Any]) -> Result:
    names = ("position", "code", "detail")
    return Result(said.get("id"), str(said.get("status")), *(said.get(name) for name in names))


def _is_open(result: Result | None) -> bool:
    """Whether it may become another one by trying again."""
    return (
        result is None
        or result.status not in ("accepted", "rejected")
        or (result.status == "rejected" and result.code == "rate_limited")
    )
