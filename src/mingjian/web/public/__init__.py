"""What anyone may see: the public area."""

from mingjian.web.public._area import public

__all__ = ["public"]
