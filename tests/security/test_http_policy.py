"""Who is let in, as one table: the same heads are judged by the pure function and sent to a real gateway.

`{port}` stands for the gateway's real port. Every case says what is sent beyond the defaults and what must come back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from multidict import CIMultiDict

from llamero.gateway.policy import check_keyed, gateway_policy
from llamero.http.policy import AccessPolicy, check_content_type, check_sender
from llamero.models.errors import InvalidRequest, LlameroError
from llamero.models.settings import GatewaySettings
from tests.gateway.harness import CHAT, exchange, request_bytes, running_gateway

PLAIN = GatewaySettings()
KEY = "correct horse battery staple"
LISTED = GatewaySettings(
    allowed_hosts=("mybox.local", "192.168.1.5", "proxy.example:443", "fd00::5"),
    allowed_origins=("https://app.example", "http://localhost:3000/"),
)
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Case:
    """One request and the status it gets. A header of None is left out."""

    name: str
    status: int
    headers: Mapping[str, str | None] = field(default_factory=dict)
    method: str = "POST"
    target: str = "/v1/chat/completions"
    settings: GatewaySettings = PLAIN
    key: str | None = None


def host(value: str | None, status: int, settings: GatewaySettings = PLAIN) -> Case:
    return Case(f"host {value}", status, {"Host": value}, settings=settings)


def browser(name: str, status: int, settings: GatewaySettings = PLAIN, **headers: str) -> Case:
    sent: dict[str, str | None] = {"Content-Type": JSON}
    sent |= {header.replace("_", "-"): value for header, value in headers.items()}
    return Case(f"browser {name}", status, sent, settings=settings)


def content(value: str | None, status: int, **headers: str) -> Case:
    sent: dict[str, str | None] = {"Content-Type": value}
    sent |= {header.replace("_", "-"): text for header, text in headers.items()}
    return Case(f"content {value} {headers}", status, sent)


def token(name: str, status: int, key: str | None = KEY, target: str = "/v1/chat/completions", **headers: str) -> Case:
    sent = {header.replace("_", "-"): value for header, value in headers.items()}
    return Case(f"token {name}", status, sent, target=target, key=key)


CASES = [
    # The host, exactly and with the port.
    host("127.0.0.1:{port}", 200),
    host("localhost:{port}", 200),
    host("LOCALHOST:{port}", 200),
    host("[::1]:{port}", 200),
    host("127.0.0.1", 403),
    host("localhost", 403),
    host("127.0.0.1:80", 403),
    host("127.0.0.1:{port}0", 403),
    host("localhost.:{port}", 403),
    host("127.1:{port}", 403),
    host("2130706433:{port}", 403),
    host("0.0.0.0:{port}", 403),
    host("127.0.0.2:{port}", 403),
    host("evil.example:{port}", 403),
    host("localhost.evil.example:{port}", 403),
    host("evil.example#localhost:{port}", 403),
    host("user@localhost:{port}", 403),
    host("localhost:{port},evil.example", 403),
    host("", 403),
    host("mybox.local:{port}", 403),
    host("mybox.local:{port}", 200, LISTED),
    host("192.168.1.5:{port}", 200, LISTED),
    host("proxy.example:443", 200, LISTED),
    host("[fd00::5]:{port}", 200, LISTED),
    host("mybox.local", 403, LISTED),
    host("proxy.example:{port}", 403, LISTED),
    host("evil.mybox.local:{port}", 403, LISTED),
    # The origin.
    browser("own origin", 200, Origin="http://127.0.0.1:{port}"),
    browser("own origin by name", 200, Origin="http://localhost:{port}"),
    browser("own origin and site", 200, Origin="http://localhost:{port}", Sec_Fetch_Site="same-origin"),
    browser("other port", 403, Origin="http://127.0.0.1:1"),
    browser("no port", 403, Origin="http://localhost"),
    browser("https", 403, Origin="https://localhost:{port}"),
    browser("foreign", 403, Origin="https://evil.example"),
    browser("null", 403, Origin="null"),
    browser("empty", 403, Origin=""),
    browser("file", 403, Origin="file://"),
    browser("extension", 403, Origin="chrome-extension://abcdefghijklmnop"),
    browser("prefix of ours", 403, Origin="http://localhost:{port}.evil.example"),
    browser("listed", 200, LISTED, Origin="https://app.example"),
    browser(
        "listed, cross-site as browsers say", 200, LISTED, Origin="https://app.example", Sec_Fetch_Site="cross-site"
    ),
    browser("listed with a slash in the settings", 200, LISTED, Origin="http://localhost:3000"),
    browser("listed, other scheme", 403, LISTED, Origin="http://app.example"),
    browser("listed, subdomain", 403, LISTED, Origin="https://x.app.example"),
    browser("a star lists nobody", 403, GatewaySettings(allowed_origins=("*",)), Origin="https://evil.example"),
    browser("null cannot be listed", 403, GatewaySettings(allowed_origins=("null",)), Origin="null"),
    # The site.
    browser("same-origin", 200, Sec_Fetch_Site="same-origin"),
    browser("typed by the user", 200, Sec_Fetch_Site="none"),
    browser("same-site is another port", 403, Sec_Fetch_Site="same-site"),
    browser("cross-site", 403, Sec_Fetch_Site="cross-site"),
    browser("unknown site", 403, Sec_Fetch_Site="whatever"),
    browser("own origin but cross-site", 403, Origin="http://localhost:{port}", Sec_Fetch_Site="cross-site"),
    browser("fetch of Node, which names only the mode", 200, Sec_Fetch_Mode="cors"),
    # The type of a body: tools may say what they like, browsers may not.
    content(JSON, 200),
    content(None, 200),
    content(FORM, 200),
    content("text/plain", 200),
    content(JSON, 200, Origin="http://localhost:{port}"),
    content(JSON + "; charset=utf-8", 200, Origin="http://localhost:{port}"),
    content("APPLICATION/JSON", 200, Origin="http://localhost:{port}"),
    content(None, 415, Origin="http://localhost:{port}"),
    content(FORM, 415, Origin="http://localhost:{port}"),
    content("text/plain", 415, Origin="http://localhost:{port}"),
    content("multipart/form-data; boundary=x", 415, Origin="http://localhost:{port}"),
    content("text/plain; application/json", 415, Origin="http://localhost:{port}"),
    content("application/jsonp", 415, Origin="http://localhost:{port}"),
    content("text/plain", 415, Sec_Fetch_Site="none"),
    content("text/plain", 415, Sec_Fetch_Mode="no-cors"),
    content("text/plain", 415, Sec_Fetch_Dest="empty"),
    # The key.
    token("none needed", 200, key=None),
    token("none needed, any accepted", 200, key=None, Authorization="Bearer not-needed"),
    token("none needed, strange one accepted", 200, key=None, Authorization="whatever"),
    token("bearer", 200, Authorization=f"Bearer {KEY}"),
    token("bearer in lower case", 200, Authorization=f"bearer {KEY}"),
    token("x-api-key", 200, X_Api_Key=KEY),
    token("either of two", 200, X_Api_Key=KEY, Authorization="Bearer wrong"),
    token("missing", 401),
    token("wrong", 401, Authorization="Bearer wrong"),
    token("prefix", 401, Authorization=f"Bearer {KEY[:-1]}"),
    token("longer", 401, Authorization=f"Bearer {KEY}x"),
    token("empty bearer", 401, Authorization="Bearer "),
    token("empty x-api-key", 401, X_Api_Key=""),
    token("other scheme", 401, Authorization=f"Basic {KEY}"),
    token("no scheme", 401, Authorization=KEY),
    token("not ASCII", 401, Authorization="Bearer \xff\xfe"),
    token("in the query", 401, target=f"/v1/chat/completions?api_key=x&key={KEY.replace(' ', '%20')}"),
    token("in a cookie", 401, Cookie=f"api_key={KEY}"),
    Case("token not needed for health", 200, method="GET", target="/health", key=KEY),
    Case("token needed beside health", 401, method="GET", target="/health/", key=KEY),
    Case("token needed for what only looks like health", 401, method="GET", target="/v1/models/..%2fhealth", key=KEY),
    Case("token needed for reading", 401, method="GET", target="/v1/models", key=KEY),
    Case("token needed before a route is said not to exist", 401, method="GET", target="/nothing", key=KEY),
    # Requests that are not for us at all.
    Case("target with another host", 400, method="GET", target="http://evil.example/health"),
    Case("target with our host", 400, method="GET", target="http://127.0.0.1/health"),
    # Reading from a page is refused like writing.
    Case("reading from another site", 403, {"Sec-Fetch-Site": "cross-site"}, method="GET", target="/v1/models"),
    Case("health from another site", 403, {"Sec-Fetch-Site": "cross-site"}, method="GET", target="/health"),
    Case("preflight from anywhere", 403, {"Origin": "https://evil.example"}, method="OPTIONS"),
    Case("preflight from our own origin", 405, {"Origin": "http://localhost:{port}"}, method="OPTIONS"),
    Case("options without origin", 405, method="OPTIONS"),
]
EXPECTED_TYPE = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "forbidden_error",
    405: "method_not_allowed_error",
    415: "unsupported_media_type_error",
}


def test_cases_have_different_names() -> None:
    assert len({case.name + str(case.settings) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace("{port}", "PORT"))
async def test_gateway_answers_head_as_the_table_says(case: Case) -> None:
    async with running_gateway(settings=case.settings, key=case.key) as gateway:
        sent: dict[str, str | None] = {"Host": gateway.host, **case.headers}
        pairs = [
            (name, value.replace("{port}", str(gateway.port))) for name, value in sent.items() if value is not None
        ]
        body = json.dumps(CHAT).encode() if case.method == "POST" else None
        response = await exchange(gateway.port, request_bytes(case.method, case.target, pairs, body))
        asked = len(gateway.inference.requests)
    assert response.status == case.status
    assert asked == (1 if case.status == 200 and case.method == "POST" else 0)
    if case.status != 200:
        assert response.error()["type"] == EXPECTED_TYPE[case.status]
        assert KEY.encode() not in response.body
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert ("www-authenticate" in response.headers) == (case.status == 401)
    listed = case.headers.get("Origin") in ("https://app.example", "http://localhost:3000") and case.status == 200
    assert response.headers.get("access-control-allow-origin") == (case.headers["Origin"] if listed else None)
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.key is None], ids=lambda case: case.name.replace("{port}", "PORT")
)
def test_policy_judges_head_as_the_table_says(case: Case) -> None:
    policy = gateway_policy(case.settings, port=5526)
    sent: dict[str, str | None] = {"Host": "127.0.0.1:5526", **case.headers}
    pairs = ((name, value.replace("{port}", "5526")) for name, value in sent.items() if value is not None)
    path = case.target.partition("?")[0]
    expected = 200 if case.status == 405 else case.status  # methods are the router's
    assert judge(policy, case.method, case.target, path, CIMultiDict(pairs)) == expected


def judge(policy: AccessPolicy, method: str, target: str, path: str, headers: CIMultiDict[str]) -> int:
    try:
        check_sender(policy, target, headers)
        check_content_type(policy, method, path, headers)
    except LlameroError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    "name", ["Host", "Authorization", "X-Api-Key", "Origin", "Sec-Fetch-Site", "Content-Type", "Content-Encoding"]
)
async def test_header_sent_twice_is_refused(name: str) -> None:
    values = {
        "Host": "127.0.0.1:{port}",
        "Authorization": f"Bearer {KEY}",
        "X-Api-Key": KEY,
        "Origin": "http://127.0.0.1:{port}",
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": JSON,
        "Content-Encoding": "identity",
    }
    async with running_gateway(key=KEY) as gateway:
        pairs = [(header, value.replace("{port}", str(gateway.port))) for header, value in values.items()]
        body = json.dumps(CHAT).encode()
        once = await exchange(gateway.port, request_bytes("POST", "/v1/chat/completions", pairs, body))
        assert once.status == 200
        twice = [*pairs, *(pair for pair in pairs if pair[0] == name)]
        response = await exchange(gateway.port, request_bytes("POST", "/v1/chat/completions", twice, body))
    assert response.status == 400
    assert response.error()["type"] == "invalid_request_error"


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "::", "fd00::5", "mybox.local", ""])
def test_listening_beyond_loopback_needs_a_key(address: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_keyed(["127.0.0.1", address], keyed=False)
    assert refusal.value.code == "key_error-required_beyond_loopback"
    check_keyed([address], keyed=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "[::1]", "localhost", "127.0.0.2"])
def test_listening_on_loopback_needs_no_key(address: str) -> None:
    check_keyed([address], keyed=False)


@pytest.mark.parametrize(("version", "status"), [("1.0", 403), ("1.1", 400)])
async def test_request_without_host_is_refused(version: str, status: int) -> None:
    async with running_gateway() as gateway:
        response = await exchange(gateway.port, f"GET /health HTTP/{version}\r\n\r\n".encode())
    assert response.status == status
    assert judge(gateway_policy(PLAIN, port=1), "GET", "/health", "/health", CIMultiDict()) == 403


def test_host_without_port_is_ours_on_port_80_only() -> None:
    assert "localhost" in gateway_policy(GatewaySettings(), port=80).hosts
    assert "localhost" not in gateway_policy(GatewaySettings(), port=8080).hosts


def test_second_port_has_the_same_names_and_no_other_port_does() -> None:
    hosts = gateway_policy(LISTED, port=5526, ollama_port=11434).hosts
    assert {"127.0.0.1:5526", "127.0.0.1:11434", "[::1]:11434", "mybox.local:11434"} <= hosts
    assert not {"127.0.0.1:11435", "127.0.0.1", "evil.example:11434"} & hosts


class TestStricterSwitches:
    """The window's own origin uses the same policy with more asked of everybody."""

    policy = AccessPolicy(
        hosts=frozenset({"127.0.0.1:7"}),
        own_origins=frozenset({"http://127.0.0.1:7"}),
        json_writes_only=True,
        upload_paths=frozenset({"/upload"}),
    )

    @pytest.mark.parametrize(
        ("method", "path", "content_type", "status"),
        [
            ("POST", "/command", JSON, 200),
            ("POST", "/command", FORM, 415),
            ("POST", "/command", None, 415),
            ("PUT", "/command", "text/plain", 415),
            ("PUT", "/upload", "application/octet-stream", 200),
            ("GET", "/command", None, 200),
        ],
    )
    def test_write_of_any_client_must_be_json(
        self, method: str, path: str, content_type: str | None, status: int
    ) -> None:
        headers = CIMultiDict({"Host": "127.0.0.1:7"})
        if content_type is not None:
            headers["Content-Type"] = content_type
        assert judge(self.policy, method, path, path, headers) == status
