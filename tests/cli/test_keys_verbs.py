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
    under_second = issued_under_the_key_of_the_day(run, copy, tmp_path / "second")
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
    held = verified(run, issued, packages)  # their key was replaced before the one that was stolen
    assert (held.code, held.json["good"]) == (0, True)
    assert {one["signature"]["outcome"] for one in held.json["packages"]} == {"good"}
    refused = verified(run, issued, under_second)
    assert (refused.code, refused.json["good"]) == (1, False)
    (signature,) = (one["signature"] for one in refused.json["packages"])
    assert (signature["outcome"], signature["code"]) == ("key not in force", "key-revoked")
    assert "stolen" in signature["why"]
    assert "2021-01-01" in signature["why"]
    assert "KEY NOT IN FORCE" in run("verify", *under_second, *beside(issued)).out
    under_third = issued_under_the_key_of_the_day(run, copy, tmp_path / "third")
    assert verified(run, issued, under_third).code == 0  # the office goes on with the key that followed


def issued_under_the_key_of_the_day(run, workspace, folder):
    """A portrait issued now, into a folder of its own."""
    written = run("issue", "portrait", "2021Q3", "--subject", "U1", "--into", folder, "-w", workspace, "--json").json
    return list(written["statements"])


def verified(run, issued, packages):
    """What a reader is told who has all that the office gives out."""
    return run("verify", *packages, *beside(issued), "--json")


def beside(issued):
    return [part for name in ("trust", "status", "keys") for part in (f"--{name}", issued / f"{name}.json")]
