"""What went wrong on the way to a remote server, as an error that names the host and nothing secret."""

from __future__ import annotations

import aiohttp

from llamero.models.errors import UpstreamFailed

BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


def failure(error: BaseException, host: str, *, connect_timeout_s: float, silence_limit_s: float) -> UpstreamFailed:
    """Return the error that one of `BROKEN` stands for. Texts of libraries may quote requests, so few are passed on."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return UpstreamFailed("remote_error-connect_timeout", host=host, seconds=round(connect_timeout_s, 1))
        case TimeoutError():
            return UpstreamFailed("remote_error-silent", host=host, seconds=round(silence_limit_s, 1))
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "") or type(error.certificate_error).__name__
            return UpstreamFailed("remote_error-certificate", host=host, reason=reason)
        case aiohttp.ClientSSLError():
            return UpstreamFailed("remote_error-tls", host=host, reason=_system_reason(error))
        case aiohttp.ClientConnectorDNSError():
            return UpstreamFailed("remote_error-unknown_host", host=host)
        case aiohttp.ClientConnectorError():
            return UpstreamFailed("remote_error-unreachable", host=host, reason=_system_reason(error))
    return UpstreamFailed("remote_error-broken", host=host, reason=type(error).__name__)


def _system_reason(error: aiohttp.ClientConnectorError) -> str:
    return error.os_error.strerror or type(error.os_error).__name__
