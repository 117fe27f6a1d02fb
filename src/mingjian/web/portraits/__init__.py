"""Portraits: those within one's reach, why each number is what it is, what those described answer, what they were used for."""

from mingjian.web.portraits._area import portraits

__all__ = ["portraits"]
