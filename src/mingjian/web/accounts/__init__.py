"""Accounts: coming in and going out, one's own account, and who holds which role."""

from mingjian.web.accounts._area import accounts

__all__ = ["accounts"]
