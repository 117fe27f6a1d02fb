"""Issuing: a run's values are committed once, signed as statements, packed for their readers, and revoked when wrong."""

from mingjian.attest.issue._disclosure import Run
from mingjian.attest.issue._issue import Issue, file_name, file_stem, issue
from mingjian.attest.issue._pack import pack
from mingjian.attest.issue._register import Change, Register, revoke, status_list

__all__ = ["Change", "Issue", "Register", "Run", "file_name", "file_stem", "issue", "pack", "revoke", "status_list"]
