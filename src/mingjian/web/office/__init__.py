"""The office: everybody at a glance, tables, published figures, the ledger, who read what, erasure, supervision items."""

from mingjian.web.office._area import overview

__all__ = ["overview"]
