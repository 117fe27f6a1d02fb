"""`serve`: the verb that the command line finds by its entry point. What it needs is imported once it runs."""

from __future__ import annotations

import gc
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from mingjian.base.errors import Misuse
from mingjian.web._settings import Oidc, Settings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from mingjian.workspace import Office

_SWITCH = 0.001  # seconds: a page that takes 5 ms does not wait long for one that takes 200
_KEEP_ALIVE = 75  # seconds: longer than people take to read a page
_GRACE = 10  # seconds to answer in what was asked, once told to end: nobody who stopped asking halfway holds it up

_OIDC = "MINGJIAN_OIDC_ISSUER", "MINGJIAN_OIDC_CLIENT_ID", "MINGJIAN_OIDC_CLIENT_SECRET"


def serve(
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", help="The workspace's directory.", envvar="MINGJIAN_WORKSPACE")
    ] = Path(),
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at (0: any that is free).", min=0, max=65535)] = 8000,
    scheme: Annotated[str, typer.Option("--scheme", "-s", help="The scheme, where the workspace runs several.")] = "",
    base_url: Annotated[
        str,
        typer.Option(
            help="The address under which people reach it (default: that of host and port). "
            "With https:// cookies are sent by HTTPS only."
        ),
    ] = "",
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="The address of a proxy in front, which is believed when it says (X-Forwarded-For) for whom it asks. "
            "May be given several times.",
        ),
    ] = None,
    public_only: Annotated[
        bool, typer.Option("--public-only", help="Only what anyone may see; nobody can sign in.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Open a workspace in the browser, until interrupted."""
    import logging

    import uvicorn

    from mingjian.cli import face
    from mingjian.web._app import create_app
    from mingjian.workspace import Workspace

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("mingjian.web").setLevel(logging.INFO)
    opened, listening = Workspace.open(workspace), _listening(host, port)
    address = base_url.rstrip("/") or f"http://{_written(listening)}"
    settings = Settings(
        scheme=scheme,
        base_url=address,
        secure_cookies=address.startswith("https://"),
        setup_token=secrets.token_urlsafe(24),
        public_only=public_only,
        oidc=oidc_in(os.environ),
    )
    app = create_app(opened, settings)
    fresh = not public_only and not app.state.house.accounts.accounts()
    first = f"{address}/setup?token={settings.setup_token}" if fresh else ""
    face(json).lines({"address": address, "setup": first or None}, [address, *([f"→ {first}"] if first else [])])
    Thread(target=_make_ready, args=[app.state.house.office], daemon=True).start()
    sys.setswitchinterval(_SWITCH)
    uvicorn.Server(configured(app, proxy or [])).run(sockets=[listening])


def _make_ready(office: Office) -> None:
    """Have at hand what people ask first. What was imported and what is at hand stays: looking through it for garbage again and
    again would take 0.4 s each time, in which nobody is answered.
    """
    gc.freeze()
    office.make_ready()
    gc.freeze()


def configured(app: FastAPI, proxies: Sequence[str]) -> uvicorn.Config:
    """How the application is served. Addresses that are counted and noted are those that these proxies forward."""
    import uvicorn

    return uvicorn.Config(
        app,
        workers=1,
        access_log=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        log_config=None,
        log_level="warning",
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )


def _listening(host: str, port: int) -> socket.socket:
    """The socket. Raises Misuse where nothing can listen."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # Those that are accepted inherit it. Without it the end of an answer waits 40 ms for the reader to confirm its beginning.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as fault:
        raise Misuse(
            f"nothing can listen at {host}, port {port}", why=fault.strerror or str(fault), remedy="name another port"
        ) from fault


def _written(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def oidc_in(environment: Mapping[str, str]) -> Oidc | None:
    """The OpenID provider that the environment names: all three of its variables, or none. Raises Misuse for some."""
    given = [environment.get(name, "") for name in _OIDC]
    if not any(given):
        return None
    if not all(given):
        raise Misuse("half an OpenID provider", remedy=f"set {', '.join(_OIDC)}, or none of them")
    return Oidc(*given)
