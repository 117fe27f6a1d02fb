"""What is decided when the web face starts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID provider with which people may sign in: ``issuer`` is its address, the rest what it gave this office."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the face is served.

    ``scheme`` is the programme shown, "" where the workspace runs only one. ``base_url`` is the address under which people
    reach it (``https://office.example``), from which links that leave the face are made. ``secure_cookies`` says that they
    reach it by HTTPS only. ``setup_token`` opens the first-run page, "" keeps it shut. ``public_only`` leaves out all that
    wants an account.
    """

    scheme: str = ""
    base_url: str = "http://127.0.0.1:8000"
    secure_cookies: bool = False
    setup_token: str = field(default="", repr=False)
    public_only: bool = False
    oidc: Oidc | None = None
