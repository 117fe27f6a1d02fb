"""Subjects as lists and names show them."""

from __future__ import annotations

from datetime import timedelta

from mingjian.declare import Subject, Title
from mingjian.workspace import Now


def subject_title(now: Now, subject: str) -> Title:
    """A subject's name as it is today, or was last; the id of one that nobody knows."""
    known = now.hierarchy.at(subject, now.day) or now.hierarchy.subject(subject)
    return known.title if known is not None else Title(subject, subject)


def subjects_today(now: Now, kind: str) -> tuple[Subject, ...]:
    """The subjects of a type that there are today."""
    return now.hierarchy.alive(kind, now.day, now.day + timedelta(days=1))
