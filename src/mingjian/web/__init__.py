"""The web face: pages over a workspace for each person in the programme. No logic of its own."""

from mingjian.web._app import create_app
from mingjian.web._settings import Oidc, Settings

__all__ = ["Oidc", "Settings", "create_app"]
