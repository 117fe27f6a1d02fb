"""Work: what reporters and assessors have to do, each case with its proof, and whole lists by sheet."""

from mingjian.web.work._area import work

__all__ = ["work"]
