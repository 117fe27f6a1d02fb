"""The keys of a workspace and a witness of its ledger, from the command line."""

from __future__ import annotations

import shutil


def test_a_statement_goes_through_rotation_and_witness(run, there, tmp_path):
    copy, seat, asked, answer = (tmp_path / name for name in ("copy", "seat", "asked", "answer"))
    shutil.copytree(there / "w", copy)
    issued = copy / "issued"
    packages = sorted(issued.glob("portrait*.json"))
    assert run("keys", "rotate", "ledger", "-w", copy, "--into", issued).code == 0
    assert run("keys", "rotate", "office", "-w", copy, "--into", issued).code == 0
    assert run("keys", "rotate", "issuer", "-w", copy, "--into", issued).code == 0
    found = run("keys", "list", "-w", copy, "--json").json
    assert [(key["role"], key["to"] is None) for key in found] == [
        (role, last) for role in ("issuer", "ledger", "office") for last in (False, True)
    ]
    vkey = run("ledger", "witness", "new", seat, "--name", "w.example/1", "--json").json["vkey"]
    head = run("ledger", "head", "-w", copy, "--json").json
    assert run("ledger", "witness", "trust", seat, head["key"]).code == 0
    assert run("ledger", "request", asked, "-w", copy).code == 0
    answer.write_text(run("ledger", "witness", "cosign", seat, asked, "--json").json["line"] + "\n")
    assert run("ledger", "cosigned", asked, answer, "--witness", vkey, "-w", copy, "--into", issued).code == 0
    assert run("verify", *packages, "--witness", vkey).code == 0
    assert run("keys", "revoke", "ledger", "--since", "2021-01-01", "--reason", "x", "-w", copy).code == 2
    assert run("keys", "revoke", "issuer", "--since", "2099-01-01", "--reason", "x", "-w", copy).code == 2
    revoked = run(
        "keys",
        "revoke",
        "issuer",
        "--since",
        "2021-01-01",
        "--reason",
        "stolen",
        "-w",
        copy,
        "--into",
        issued,
        "--json",
    )
    assert revoked.json["old"] == found[1]["key"]
    assert "REVOKED" in run("keys", "list", "-w", copy).out
    refused = run("verify", *packages)
    assert (refused.code, "KEY NOT IN FORCE" in refused.out) == (0, False)  # replaced before the key that was stolen
