"""An area of the face: pages for one kind of person, with their router, templates and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi import APIRouter

from mingjian.declare import Scheme
from mingjian.web._visit import Visit

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])

_FILES: Final = "__mingjian_takes_files__"


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation: where it leads, the key of its word, and the key of the sentence about it on the first page."""

    path: str
    word: str
    about: str


@dataclass(frozen=True, slots=True)
class Area:
    """``name`` is that of its folder of templates and its file of words; ``links`` are what a visitor is offered of it."""

    name: str
    router: APIRouter
    links: Callable[[Visit, Scheme], Iterable[Link]]


def takes_files(endpoint: Endpoint) -> Endpoint:
    """Mark the endpoint of a form with files: its body may be larger."""
    setattr(endpoint, _FILES, True)
    return endpoint


def files_taken(endpoint: object) -> bool:
    """Whether an endpoint was marked so."""
    return getattr(endpoint, _FILES, False) is True
