"""Who may reach the window's origin: this machine's own pages of it, and nobody else. The gateway's rules, stricter."""

from __future__ import annotations

from llamero.http.limits import MEBIBYTE, Limits
from llamero.http.policy import LOOPBACK_NAMES, AccessPolicy, host_values

COMMANDS = "/bridge/"
BLOBS = "/bridge/blob"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

# A text of four million characters may take six bytes for each of them in JSON.
BRIDGE_LIMITS = Limits(max_body_bytes=32 * MEBIBYTE)


def bridge_policy(port: int) -> AccessPolicy:
    """Build the policy for the port that the page is served on. The token is not part of it: see `tokens`."""
    hosts = frozenset(host for name in LOOPBACK_NAMES for host in host_values(name, port))
    return AccessPolicy(
        hosts=hosts,
        own_origins=frozenset(f"http://{host}" for host in hosts),
        json_writes_only=True,
        upload_paths=frozenset({BLOBS}),
        content_security_policy=CONTENT_SECURITY_POLICY,
    )
