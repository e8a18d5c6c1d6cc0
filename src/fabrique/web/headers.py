"""The headers that every answer carries: what a page may load, and who may frame or read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar.datastructures import MutableScopeHeaders

if TYPE_CHECKING:
    from litestar.types import Message

    from fabrique.settings import Settings
    from fabrique.web.visit import Visit

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}


def content_policy(nonce: str | None) -> str:
    """Nothing from elsewhere, no inline script or style; scripts by this answer's nonce."""
    script = f"'nonce-{nonce}' 'strict-dynamic'" if nonce else "'none'"
    return (
        f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def secure(message: Message, visit: Visit | None, settings: Settings) -> None:
    """Add the headers to an answer that starts."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    # A 304 would replace the policy of the page that the browser kept, whose scripts carry that page's nonce.
    if message["status"] != 304:  # noqa: PLR2004 - Not Modified
        headers.setdefault("Content-Security-Policy", content_policy(visit.nonce if visit else None))
    if settings.secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
