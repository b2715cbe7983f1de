"""What hostile input does to the service and to the core: `python -m benchmarks.fuzz`.

First 100,000 requests go to the real service: some that schemathesis draws from its own OpenAPI
document, some that are those with bytes changed, some broken on purpose. Then hypothesis looks for
an input of the core and of the file readers that brings another error than a `YanpanError`. At
last every hostile shape is timed at 20,000 characters. The exit status is 1 if a fault was found;
times depend on the machine and change nothing in it.
"""

import argparse
import gc
import gzip
import io
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from benchmarks.serving import HOST, apart, serving
from benchmarks.texts import whole_messages
from service.batch.messages import read_messages
from service.bootstrap import build_chain
from service.core.assess import Chain, assess_message
from service.core.errors import YanpanError
from service.core.message import MAX_CHARACTERS, Message
from service.core.privacy import mask
from service.core.quantities import find_quantities
from service.settings import Settings

# Texts that work could grow with faster than they do: a unit repeated, or two, one after the other.
SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "one letter": ("a",),
    "one character": ("路",),
    "digits": ("1",),
    "Chinese digits": ("零一二",),
    "sections of numerals": ("万亿",),
    "digits and commas": ("1,000",),
    "ranges": ("3到5",),
    "ranges that count nothing": ("一" * 14 + "至" + "一" * 14 + "名",),
    "Arabic ranges that count nothing": ("1" * 12 + "到" + "2" * 12 + "个",),
    "figures": ("3名",),
    "figures of events": ("3人死",),
    "figures denied": ("无人员无一人员人员3名游客",),
    "dates": ("2020年1月3人",),
    "spaces": (" ",),
    "spaces in Chinese": ("路  ",),
    "line ends": (" \n",),
    "open brackets": ("(",),
    "brackets": ("(", ")"),
    "open tags": ("<b",),
    "nested tags": ("<div>", "</div>"),
    "tags with attributes": ("<a ",),
    "scripts": ("<script>",),
    "one long script": ("<style ", "路"),
    "comments": ("<!--",),
    "entities": ("&amp;",),
    "entities without end": ("&amp",),
    "at signs": ("@",),
    "addresses": ("a.b@c.",),
    "long local parts": ("a" * 64 + "@",),
    "long domains": ("a" * 63 + "@" + "b" * 63,),
    "urls": ("http://a.b/c?d=e&",),
    "buildings": ("1号楼",),
    "building units": ("号楼单元",),
    "rooms": ("1号楼2单元",),
    "digits and hyphens": ("1-",),
    "phones": ("138001380",),
    "parted phones": ("1 3 8 0 ",),
    "parted cards": ("9  ",),
    "telephone labels": ("电话：",),
    "telephones": ("电话88886",),
    "area codes": ("(0571)8",),
    "identity cards": ("11010119900101",),
    "number plates": ("京A1",),
    "name labels": ("姓名：王",),
    "surnames": ("本人王",),
    "accounts": ("QQ",),
    "records": ("订单号",),
    "pinyin notes": ("中(zé)",),
    "open pinyin notes": ("中( a",),
    "spelled words": ("zi s",),
    "exchanged characters": ("四人",),
    "beginnings of danger words": ("打上自",),
    "commas and marks": (",，。",),
    "exclamation marks": ("！",),
    "ellipses": ("路..",),
    "search terms": ("在线_观看|",),
    "title separators": ("_|",),
    "breadcrumbs": ("位置:" + "首页" * 20 + "路" * 160 + "\n",),
    "record cards": ("名称:a\n",),
    "mail headers": ("From: a\n",),
    "tails of lines": ("来自 aaaaaaa",),
    "share buttons": ("\n分享到：微信 ",),
    "buttons": ("\n打印|",),
    "traditional characters": ("著急",),
    "full-width forms": ("Ａ１",),
    "half-width forms": ("ｱ",),
    "rare characters": ("\U00020000",),
    "half pairs": ("\ud800",),
    "emoji": ("😀",),
}
STEPS: Final = ("normalize", "mask", "find_quantities", "segment", "assess_message")
_NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)
_SLOW: Final = 50  # milliseconds
_WORKERS: Final = ("--workers", "2")
_CONNECTIONS: Final = 4
_LONGEST_WAIT: Final = 10  # seconds; what takes longer hangs
_DRAWN: Final = 20  # of so many requests one is drawn by schemathesis, which is slow
_SHOWN: Final = 500  # characters of an input that brought a fault
_OK, _ERRORS, _FAULTS, _BUSY = 200, 400, 500, 503

Header = tuple[bytes, bytes]


def grow(shape: str, size: int) -> str:
    """A text of a shape and of so many characters, with Chinese at both ends."""
    units = SHAPES[shape]
    each = (size - 2) // len(units)
    body = "".join((unit * (each // len(unit) + 1))[:each] for unit in units)
    return f"路{body.ljust(size - 2, '路')}灯"


def steps_of(chain: Chain) -> dict[str, Callable[[str], object]]:
    """The steps that read a whole text, each as a function of the text alone."""
    steps = (
        chain.normalizer.normalize,
        mask,
        lambda text: find_quantities(text, _NOW.date(), chain.policy.circumstances),
        chain.segmenter.segment,
        lambda text: assess_message(Message(text), chain, request_id="fuzz", now=_NOW),
    )
    return dict(zip(STEPS, steps, strict=True))


# --- requests


class Request(NamedTuple):
    """What is sent: a call as it is counted, and the request itself."""

    call: str
    method: str
    target: str
    headers: Sequence[Header]
    body: bytes


class Token(str):
    """JSON as it is to be written, be it valid or not."""

    __slots__ = ()


_MESSAGE: Final[dict[str, Any]] = {
    "text": "今天上午观光车撞上护栏，3名游客受伤，电话13800138000",
    "id": "a",
    "title": "景区",
    "channel": "weibo",
    "url": "http://a.cn",
    "published_at": "2026-01-05T09:10:00+08:00",
    "found_at": "2026-01-05T09:10:00",
    "spread": {"views": 1, "reposts": 2, "comments": 3, "likes": 4, "regions": 1, "duplicates": 2},
    "media": {"tier": "local", "reports": 1, "hot_search": False},
    "involved_departments": 1,
    "superior_request": True,
    "store": False,
}
_TAG: Final = '<Choices name="topic" toName="t"><Choice value="other"/></Choices>'
_CONFIG: Final = f'<View><Text name="t" value="$text"/>{_TAG}</View>'
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "POST /v1/score": _MESSAGE,
    "POST /v1/score/batch": {"messages": [_MESSAGE, {"text": "路灯坏了"}]},
    "POST /v1/deadlines": {
        "found_at": "2026-01-05T09:10:00+08:00",
        "level": "high",
        "response": "escalate",
        "topic": "other",
        "intent": "complaint",
        "flags": ["casualty"],
    },
    "POST /v1/policy-risk": {"draft": "第一条 停车收费每小时5元。", "history": [_MESSAGE]},
    "POST /v1/feedback": {
        "message": _MESSAGE,
        "request_id": "a",
        "labels": {"risk": 2, "response": "none", "flags": ["casualty"]},
        "annotator": "甲",
        "reason": "误判",
    },
    "POST /setup": {"project": "1", "schema": _CONFIG},
    "POST /predict": {"tasks": [{"id": 1, "data": {"text": "路灯坏了"}}], "label_config": _CONFIG},
}
# Numbers of JSON, and what only looks like one.
_NUMBERS: Final = (
    "NaN", "Infinity", "-Infinity", "-0", "0", "-1", "1.5", "1E5", "1e999", "-1e400", "1e-400",
    "01", "1.", ".5", "+1", "0x10", "9" * 19, "18446744073709551616", "1" * 40, "9" * 5_000,
)  # fmt: skip
_STRINGS: Final = (
    r"\ud800", r"\udc00\ud800", r"\u0000", r"路\u0000灯", r"\x41", r"\u200b", "'",
    "{0.__class__}", "%s%n", "../../etc/passwd", "1970-01-01", "2026-02-30",
    "2026-01-05T24:00:00Z", "2026-01-05T09:10:00+23:59", "1e10", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "253402300800", "-62135596801", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "critical", "none", "other", "true", "", " ", "\u3000", "\ufeff",
    "\x00", "\t\n", "\\", "<!DOCTYPE a>", "<View/>", "<a" * 500, "<View>" * 500, "😀" * 129,
    "a" * 2_001, "路" * 501,
)  # fmt: skip
_VALUES: Final = ("null", "true", "[]", "{}", "[[]]", '{"": null}', '[{"text": 1}]', '"1"', "nul")
_PROSE: Final = ("text", "draft", "title", "reason")
_SIZES: Final = (1, 100, 2_000, MAX_CHARACTERS - 1, MAX_CHARACTERS, MAX_CHARACTERS + 1)
_OFTEN: Final = (40, 40, 15, 1, 1, 1)
_JSON: Final = b"application/json"
_KINDS: Final = (
    *(b"", b";", b"\xff", b"application/json; charset=utf-16", b"application/json, text/html"),
    *b"text/plain APPLICATION/JSON application/problem+json multipart/form-data".split(),
    *(b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=a", b"a/" * 2_000),
)
_ODD: Final[Sequence[Header]] = (
    *((b"X-Request-ID", value) for value in (b"", b"a" * 129, b"\xff\xfe", b"a b", b"%00", b"ok")),
    *((b"Idempotency-Key", value) for value in (b"", b"\x80", b"a" * 129, b"k", b"\xc3\xa9")),
    *((b"Authorization", value) for value in (b"Bearer", b"Bearer \xff", b"Basic Og==", b"")),
    *((b"X-API-Key", b"yp_a_b"), (b"Accept", b"image/png;q=x"), (b"Cookie", b"a" * 4_000)),
    *((b"Content-Encoding", b"gzip"), (b"Expect", b"nothing"), (b"Range", b"bytes=0-0")),
    *((b"X-HTTP-Method-Override", b"DELETE"), (b"Forwarded", b"for=\xff"), (b"Upgrade", b"h2c")),
    *((b"Accept-Encoding", b"br;q=NaN"), (b"Accept-Language", b"\xe4\xb8\xad"), (b"Origin", b"x")),
)
_QUERIES: Final = (
    "explain=true", "explain=1&explain=x", "explain=%00", "explain=%ff", "explain[]=true",
    "=&&=", "%f0%9f=%", "explain=%E7%9C%9F", "explain=" + "a" * 3_000, "a=" * 500,
)  # fmt: skip
_SEGMENTS: Final = (
    "%00", "%ff%fe", "..%2f..%2fetc", "%2e%2e", ".", "%20", "ACTIVE", "%F0%9F%98%80", "%0a",
    "a%00b", "%", "%zz", "%c0%af", ";", "history.jsonl", "%ed%a0%80", "a" * 256, "a" * 5_000,
)  # fmt: skip
_GARBAGE: Final = (
    *(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x00", b"\xef\xbb\xbf"),
    *rb'" \ { ] , : \u \ud8 1e /*'.split(),
    *(b"\x1b", b"\xe2\x80"),
)
_METHODS: Final = ("HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "GET", "POST")


def to_json(value: Any) -> str:
    """JSON in which a `Token` stands as it is."""
    if isinstance(value, Token):
        return str(value)
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(k)}:{to_json(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(to_json, value))}]"
    return json.dumps(value, ensure_ascii=False)


class Hostile:
    """Requests that are broken on purpose, from a seed.

    Args:
        number: the seed.
        drawn: requests that schemathesis has drawn, to be changed too.
        calls: every call that is not for administrators.
    """

    def __init__(self, number: int, drawn: Sequence[Request], calls: Sequence[str]) -> None:
        self._random = random.Random(number)  # noqa: S311 — a test is to be done again
        self._drawn = [one for one in drawn if one.body]
        self._read = [call for call in calls if call not in _PLAIN]
        self._written = [call for call in calls if call in _PLAIN]

    def draw(self) -> Request:
        """One more."""
        if self._drawn and self._happens(0.3):
            drawn = self._random.choice(self._drawn)
            return drawn._replace(body=self._damage(drawn.body))
        call = self._random.choice(self._read if self._happens(0.06) else self._written)
        method, path = call.split(" ")
        if self._happens(0.02):
            method = self._random.choice(_METHODS)
        target = path.replace("{version}", self._random.choice(_SEGMENTS))
        if self._happens(0.1):
            target += "?" + self._random.choice(_QUERIES)
        return Request(call, method, target, self._headers(), self._body(call))

    def _happens(self, chance: float) -> bool:
        return self._random.random() < chance

    def _headers(self) -> list[Header]:
        kind = self._random.choice(_KINDS) if self._happens(0.05) else _JSON
        headers = [(b"Content-Type", kind)] if kind else []
        while self._happens(0.2):
            headers.append(self._random.choice(_ODD))
        return headers

    def _body(self, call: str) -> bytes:
        if self._happens(0.05):
            return self._alien()
        value = json.loads(json.dumps(_PLAIN.get(call, {})))
        for _ in range(self._random.choice((0, 1, 1, 2))):
            self._spoil(value)
        if self._happens(0.001):  # long lists take long
            self._lengthen(value)
        text = to_json(value)
        if self._happens(0.03):
            text = f"{{{text[1:-1]},{text[1:-1]}}}"  # every key twice
        body = text.encode("utf-8", "surrogatepass")
        return self._damage(body) if self._happens(0.15) else body

    def _alien(self) -> bytes:
        """What is no object in UTF-8."""
        deep = self._random.choice((10, 200, 1_000, 30_000, 100_000))
        plain = json.dumps(_MESSAGE).encode()
        return self._random.choice(
            (
                *(b"", b" ", b"null", b"1", b'"text"', b"[]", b"{}", b"{}{}", b"true", b"NaN"),
                *(b"[" * deep, b'{"text":' * deep, b"[" * deep + b"]" * deep, b"\x00" * deep),
                b'{"text":"a","x":' + b"[" * deep + b"]" * deep + b"}",
                b'{"text":"a","x":' + b'{"a":' * deep + b"1" + b"}" * deep + b"}",
                *(gzip.compress(plain), plain.decode().encode("utf-16"), b"\xef\xbb\xbf" + plain),
                *(json.dumps("路").encode("gb18030"), urlencode({"text": "路"}).encode()),
                *(self._random.randbytes(200), b"<text>a</text>", b"--a\r\n\r\na\r\n--a--"),
            )
        )

    def _spoil(self, value: Any) -> None:
        """Puts something hostile somewhere in it."""
        while value:
            key = self._random.choice(list(value) if isinstance(value, dict) else range(len(value)))
            inner = value[key]
            if isinstance(inner, dict | list) and inner and self._happens(0.8):
                value = inner
            elif isinstance(value, dict) and self._happens(0.1):
                del value[key]
                return
            elif key in _PROSE and self._happens(0.8):
                value[key] = self._text()
                return
            else:
                value[key] = Token(self._value())
                return

    def _text(self) -> str:
        """A shape of any length, or pieces of several."""
        if self._happens(0.5):
            size = self._random.choices(_SIZES, _OFTEN)[0]
            return grow(self._random.choice(list(SHAPES)), size + 2)[1:-1]
        pieces = [unit for units in SHAPES.values() for unit in units]
        return "".join(self._random.choices(pieces, k=self._random.randint(1, 40)))

    def _value(self) -> str:
        kind = self._random.choice((_NUMBERS, _STRINGS, _VALUES, None))
        if kind is None:
            return json.dumps(self._text())
        return f'"{self._random.choice(kind)}"' if kind is _STRINGS else self._random.choice(kind)

    def _lengthen(self, value: Any) -> None:
        for name in ("messages", "history", "tasks", "flags"):
            if isinstance(value, dict) and isinstance(given := value.get(name), list):
                value[name] = (given * 2_001)[: self._random.choice((0, 999, 1_001, 2_001))]

    def _damage(self, body: bytes) -> bytes:
        """Bytes cut out, put in, doubled or changed."""
        for _ in range(self._random.randint(1, 3)):
            first = self._random.randint(0, len(body))
            last = min(len(body), first + self._random.choice((0, 1, 1, 5, 50)))
            new = self._random.choice((b"", body[first:last] * 2, self._random.choice(_GARBAGE)))
            body = body[:first] + new + body[last:]
        return body


def draw_by_schema(document: dict[str, Any], number: int, count: int) -> list[Request]:
    """Requests that the document allows, and some that it forbids, of every call."""
    import schemathesis  # noqa: PLC0415 — slow to import, and the tests want the shapes alone
    from schemathesis.core.result import Ok  # noqa: PLC0415 — likewise

    schema = schemathesis.openapi.from_dict(document)
    found: list[Request] = []
    operations = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    wanted = [one for one in operations if not one.path.endswith("/activate")]
    posts = sum(one.method.lower() == "post" for one in wanted)
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    for one in wanted:
        for mode in modes:
            if one.method.lower() != "post" and mode is not modes[0]:
                continue  # nothing can be wrong about a path that is any string
            drawn = one.as_strategy(generation_mode=mode)
            most = max(1, count // posts // len(modes))
            with suppress(Unsatisfiable):  # a call that cannot be got wrong
                _run(drawn, lambda case: found.append(_as_request(case)), number, most)
    return found


def _as_request(case: Any) -> Request:
    given = case.as_transport_kwargs(base_url="http://fuzz")
    body = given.get("data", b"")
    if "json" in given:
        body = json.dumps(given["json"]).encode()
    query = urlencode(given.get("params") or {}, doseq=True, errors="replace")
    target = quote(case.formatted_path, safe="/%") + (f"?{query}" if query else "")
    ours = ("user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding")
    headers = [
        (name.encode("latin-1", "replace"), str(value).encode("latin-1", "replace"))
        for name, value in given["headers"].items()
        if name.lower() not in ours
    ]
    sent = body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass")
    call = f"{case.method.upper()} {case.operation.path}"
    return Request(call, case.method.upper(), target, headers, sent)


# --- the service


class Findings:
    """Everything that must not be, each kind once with what brought it first."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.slowest = (0.0, "")
        self._first: dict[str, str] = {}

    def add(self, kind: str, what: str) -> None:
        """One more of a kind."""
        self.times[kind] += 1
        self._first.setdefault(kind, what)

    def print(self) -> None:
        """All kinds, with how often they were."""
        for kind, times in self.times.items():
            print(f"FOUND {times}× {kind}\n    {self._first[kind]}")


class Caller:
    """A connection that is kept, and made anew where the service has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, request: Request) -> tuple[int, str, bytes]:
        """Status, type and body of the answer.

        Raises:
            OSError: no answer in time, or none at all.
            HTTPException: an answer that is not HTTP.
        """
        for attempt in (1, 2):
            is_new = self._socket is None
            try:
                return self._exchange(request)
            except TimeoutError:
                self.close()
                raise
            except (OSError, HTTPException):
                self.close()
                if is_new or attempt > 1:  # an idle one may have been closed in between
                    raise
        raise ConnectionError

    def close(self) -> None:
        """Ends the connection."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _exchange(self, request: Request) -> tuple[int, str, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port), timeout=_LONGEST_WAIT)
        self._socket.sendall(_written(request))
        answer = HTTPResponse(self._socket, method=request.method)
        answer.begin()
        body = answer.read()
        if answer.will_close:
            self.close()
        return answer.status, answer.headers.get("Content-Type", ""), body


def _written(request: Request) -> bytes:
    """The request as bytes; one of eight bodies comes in chunks."""
    lines = [
        f"{request.method} {request.target} HTTP/1.1".encode("ascii", "replace"),
        b"Host: fuzz",
    ]
    lines += [name + b": " + value for name, value in request.headers]
    size = len(request.body)
    if size % 8 != 1:
        return b"\r\n".join([*lines, b"Content-Length: %d" % size, b"", request.body])
    half = size // 2 + 1
    pieces = (piece for piece in (request.body[:half], request.body[half:]) if piece)
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", chunks + b"0\r\n\r\n"])


def attack(port: int, requests: Iterator[Request], findings: Findings) -> dict[str, Counter[str]]:
    """Sends them all over a few connections; how often each call was answered how."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    lock = threading.Lock()

    def work() -> None:
        caller = Caller(port)
        while True:
            with lock:
                request = next(requests, None)
            if request is None:
                caller.close()
                return
            began = time.monotonic()
            try:
                status, kind, body = caller.send(request)
                column, fault = _judge(request, status, kind, body)
            except (OSError, HTTPException) as error:
                column, fault = "hangs", f"no answer: {type(error).__name__}"
            with lock:
                findings.slowest = max(
                    findings.slowest, (time.monotonic() - began, _shown(request))
                )
                counts[request.call].update(("bodies", column))
                if fault:
                    findings.add(f"{request.call}: {fault}", _shown(request))

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for one in [pool.submit(work) for _ in range(_CONNECTIONS)]:
            one.result()
    return counts


def _judge(request: Request, status: int, kind: str, body: bytes) -> tuple[str, str]:
    """The column in which an answer counts, and what is wrong with it."""
    if status < _ERRORS:
        return "2xx", ""
    column = "503" if status == _BUSY else "5xx" if status >= _FAULTS else "4xx"
    fault = "status 5xx" if column == "5xx" else ""
    told: Any = None
    with suppress(ValueError):
        told = json.loads(body) if request.method != "HEAD" else {"code": "", "status": status}
    is_problem = isinstance(told, dict) and "code" in told and told.get("status") == status
    if not is_problem or not kind.startswith("application/problem+json"):
        fault = f"status {status} is no problem+json"
    return column, fault


def _shown(request: Request) -> str:
    headers = [(name.decode("latin-1"), value[:40].decode("latin-1")) for name, value in request[3]]
    body = request.body[:_SHOWN].decode("utf-8", "backslashreplace")
    return f"{request.method} {request.target[:100]} {headers} {len(request.body)} bytes: {body!r}"


@contextmanager
def service() -> Iterator[tuple[int, Path]]:
    """The real service, which writes nothing beside a folder of its own: its port and its log."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder)
        environment = {"OPENBLAS_NUM_THREADS": "1", **apart(own)}
        log = own / "log"
        with serving(*_WORKERS, environment=environment, log=log) as (port, _):
            yield port, log


def _note_faults(log: Path, findings: Findings) -> None:
    """Where in the program the service says that it failed, but not with which words."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError, AttributeError):
            told = json.loads(line)
            if where := told.get("where"):
                ours = [frame for frame in where.split("  File ") if "/service/" in frame]
                frame = " ".join(ours[-1].split("\n    ")[:2]) if ours else where[-_SHOWN:]
                findings.add(f"log: {told['error']}", frame)


def fuzz_service(count: int, number: int, findings: Findings) -> None:
    """Prints how many bodies of each call were answered how."""
    with service() as (port, log):
        caller = Caller(port)
        document = json.loads(caller.send(Request("", "GET", "/openapi.json", (), b""))[2])
        caller.close()
        calls = [
            f"{method.upper()} {path}"
            for path, methods in document["paths"].items()
            for method in methods
            if not path.endswith("/activate")
        ]
        began = time.monotonic()
        drawn = draw_by_schema(document, number, count // _DRAWN)[:count]
        drawing = time.monotonic() - began
        hostile = Hostile(number, drawn, calls)
        rest = (hostile.draw() for _ in range(count - len(drawn)))
        requests = (one for source in (drawn, rest) for one in source)
        counts = attack(port, requests, findings)
        took = time.monotonic() - began
        _note_faults(log, findings)
    print(f"{count} bodies in {took:.0f} s; {len(drawn)} drawn by schemathesis in {drawing:.0f} s")
    print("slowest answer {:.2f} s, to {:.200}".format(*findings.slowest))
    columns = ("bodies", "2xx", "4xx", "503", "5xx", "hangs")
    print(f"{'call':<32}" + "".join(f"{column:>8}" for column in columns))
    counts["all"] = sum(counts.values(), Counter[str]())
    for call in [*calls, "all"]:
        print(f"{call:<32}" + "".join(f"{counts[call][column]:>8}" for column in columns))


# --- the core


def _run(strategy: Any, call: Callable[[Any], object], number: int, most: int) -> None:
    """Calls a function with what hypothesis draws from a seed."""

    @seed(number)
    @settings(
        max_examples=most,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(strategy)
    def once(drawn: Any) -> None:
        call(drawn)

    once()


_PIECES: Final = st.sampled_from([unit for units in SHAPES.values() for unit in units])
_TEXTS: Final = st.lists(_PIECES | st.characters() | st.text(max_size=5), max_size=60).map("".join)
_ROWS: Final = (("id", "text", "发布时间"), ("1", "路灯坏了", "2026/1/5"), ("2", "3人受伤", "今天"))
_EDITS: Final = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=6
)


def _edited(content: bytes, edits: Sequence[tuple[float, int, bytes]]) -> bytes:
    for place, cut, new in edits:
        first = int(place * len(content))
        content = content[:first] + new + content[first + cut :]
    return content


def _edited_book(content: bytes, edits: Sequence[tuple[float, int, bytes]]) -> bytes:
    """A workbook one of whose parts is changed, but not its checksum."""
    given = zipfile.ZipFile(io.BytesIO(content))
    names = given.namelist()
    chosen = names[int(edits[0][0] * (len(names) - 1))]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as book:
        for name in names:
            part = given.read(name)
            book.writestr(name, _edited(part, edits) if name == chosen else part)
    return made.getvalue()


def _small_file(path: Path) -> bytes:
    """A good file of the kind that its name says."""
    header, *rows = _ROWS
    records = [dict(zip(header, row, strict=True)) for row in rows]
    if path.suffix == ".xlsx":
        from openpyxl import Workbook  # noqa: PLC0415 — slow to import, and only for sheets

        book = Workbook()
        for row in _ROWS:
            book.active.append(row)
        book.save(path)
    elif path.suffix == ".parquet":
        import pyarrow as pa  # noqa: PLC0415 — likewise
        import pyarrow.parquet as pq  # noqa: PLC0415

        pq.write_table(pa.Table.from_pylist(records), path)
    elif path.suffix == ".csv":
        path.write_text("\n".join(map(",".join, _ROWS)), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return path.read_bytes()


_TEXT_TARGETS: Final = STEPS[:-1]
_FILE_TARGETS: Final = ("csv", "jsonl", "xlsx", "parquet")


def _target(name: str, folder: Path) -> tuple[Any, Callable[[Any], object]]:
    """What is drawn for a target, and what is called with it."""
    if name in _TEXT_TARGETS:
        return _TEXTS, steps_of(build_chain(Settings()))[name]
    path = folder / f"in.{name}"
    content = _small_file(path)

    def read(drawn: tuple[bool, list[tuple[float, int, bytes]]]) -> None:
        is_inside, edits = drawn
        change = _edited_book if is_inside and name == "xlsx" else _edited
        path.write_bytes(change(content, edits))
        for _ in read_messages(str(path)):
            pass

    return st.tuples(st.booleans(), _EDITS), read


def fuzz_target(name: str, number: int, seconds: float) -> int:
    """Draws for so long; prints how many were read and refused, and any other error."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        strategy, call = _target(name, Path(folder))

        def once(drawn: Any) -> None:
            counts["inputs"] += 1
            try:
                call(drawn)
            except YanpanError:
                counts["refused"] += 1

        fault, began = "", time.monotonic()
        while not fault and time.monotonic() - began < seconds:
            try:
                _run(strategy, once, number, 200)
            except Exception as error:  # noqa: BLE001 — whatever it is, it is what we look for
                notes = " ".join(getattr(error, "__notes__", ()))
                fault = f"{type(error).__name__}: {error} {' '.join(notes.split())}"[: 2 * _SHOWN]
            number += 1
    print(f"{name:<20}{counts['inputs']:>10}{counts['refused']:>10}{bool(fault):>8}")
    if fault:
        print(f"FOUND {name}: {fault}")
    return 1 if fault else 0


def fuzz_core(number: int, seconds: float, findings: Findings) -> None:
    """Every target in a process of its own, which may die."""
    print(f"\n{'target':<20}{'inputs':>10}{'refused':>10}{'faults':>8}", flush=True)
    for name in (*_TEXT_TARGETS, *_FILE_TARGETS):
        options = ["--target", name, "--seed", str(number), "--seconds-per-target", str(seconds)]
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzz", *options]
        try:
            status = subprocess.run(command, check=False, timeout=10 * seconds + 60).returncode  # noqa: S603
        except subprocess.TimeoutExpired:
            findings.add(f"{name}: does not end", f"seed {number}")
            continue
        if status:
            findings.add(f"{name}: exit status {status}", f"seed {number}")


def time_shapes() -> None:
    """Prints the slowest shapes of every step at 20,000 characters, and all that are too slow."""
    steps = steps_of(build_chain(Settings()))
    texts = {shape: grow(shape, MAX_CHARACTERS) for shape in SHAPES}
    texts["ordinary messages"] = "\n".join(whole_messages(200))[:MAX_CHARACTERS]
    gc.collect()
    gc.disable()
    print(f"\nms at {MAX_CHARACTERS} characters: the slowest shape, and all over {_SLOW}")
    for name, step in steps.items():
        took = {shape: best_of(step, text) * 1_000 for shape, text in texts.items()}
        slowest = sorted(took, key=took.__getitem__, reverse=True)
        shown = [s for place, s in enumerate(slowest) if not place or took[s] > _SLOW]
        print(f"{name:<16}" + ", ".join(f"{shape} {took[shape]:.0f}" for shape in shown))
    gc.enable()


def best_of(step: Callable[[str], object], text: str, rounds: int = 3) -> float:
    """The fewest seconds of processor time that a step took for a text."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        step(text)
        best = min(best, time.process_time() - began)
    return best


def main() -> int:
    """Runs all three parts, or one target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--seconds-per-target", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=(*_TEXT_TARGETS, *_FILE_TARGETS), help="this one alone")
    options = parser.parse_args()
    if options.target:
        return fuzz_target(options.target, options.seed, options.seconds_per_target)
    findings = Findings()
    fuzz_service(options.bodies, options.seed, findings)
    fuzz_core(options.seed, options.seconds_per_target, findings)
    time_shapes()
    print()
    findings.print()
    return 1 if findings.times else 0


if __name__ == "__main__":
    sys.exit(main())
