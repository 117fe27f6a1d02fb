"""OpenID Connect Core 1.0: the authorization code flow with PKCE (RFC 7636), a state and a nonce, and discovery.

Authlib (with joserfc, its own) makes the challenge and checks the token; it is an extra, and imported where it is used.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from mingjian.base.errors import Forbidden, MingjianError
from mingjian.web._settings import Oidc

SECONDS: Final = 10.0  # that the provider may take for an answer
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")  # never "none", and none with a shared secret


@dataclass(frozen=True, slots=True)
class Journey:
    """What a browser keeps on the way to the provider and back. ``account`` is that to bind, "" to sign in."""

    state: str
    nonce: str
    verifier: str
    account: str
    back: str


class Provider:
    """A provider as it describes itself. Raises MingjianError where it does not answer, or as it should not."""

    def __init__(self, known: Oidc) -> None:
        self._known = known
        self.issuer = known.issuer
        self._told = self._discovered()

    def depart(self, redirect: str, account: str, back: str) -> tuple[Journey, str]:
        """A new journey, and the address at the provider where it leads."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        journey = Journey(state, nonce, verifier, account, back)
        asked = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self._known.client_id,
            "redirect_uri": redirect,
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": create_s256_code_challenge(journey.verifier),
            "code_challenge_method": "S256",
        }
        return journey, f"{self._told['authorization_endpoint']}?{urlencode(asked)}"

    def subject(self, journey: Journey, code: str, redirect: str) -> str:
        """For whom the provider vouches. Raises Forbidden for a token that is not its word to us about this journey."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": journey.verifier,
            "client_id": self._known.client_id,
            "client_secret": self._known.client_secret,
        }
        answer = _fetched(self._told["token_endpoint"], asked)
        return self._claimed(str(answer.get("id_token", "")), journey.nonce)

    def _claimed(self, token: str, nonce: str) -> str:
        from joserfc import jwk, jwt
        from joserfc.errors import JoseError

        keys = jwk.KeySet.import_key_set(_fetched(self._told["jwks_uri"]))  # type: ignore[arg-type]
        wanted = jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self._known.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError) as fault:
            raise Forbidden("not signed in", why="the provider's word does not hold", remedy="sign in again") from fault
        return str(claims["sub"])

    def _discovered(self) -> dict[str, Any]:
        told = _fetched(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if told.get("issuer") != self.issuer or not all(isinstance(told.get(place), str) for place in places):
            raise MingjianError("no sign-in by the provider", why="it does not describe itself as it should")
        return told


def _fetched(address: str, form: dict[str, str] | None = None) -> dict[str, Any]:
    import httpx

    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False) as client:
            answer = client.get(address) if form is None else client.post(address, data=form)
        said = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as fault:
        raise MingjianError("no sign-in by the provider", why="it does not answer", remedy="try again later") from fault
    if not isinstance(said, dict):
        raise MingjianError("no sign-in by the provider", why="its answer is none")
    return said
