"""Accounts: coming in and going out, and who holds which role."""

from mingjian.web.accounts._area import accounts

__all__ = ["accounts"]
