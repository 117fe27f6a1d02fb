import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mingjian.base.errors import Misuse
from mingjian.base.keys import PublicKey, SigningKey, derive


def test_a_saved_key_is_its_owners_alone_and_signs_as_before(tmp_path: Path) -> None:
    key, path = SigningKey.generate(), tmp_path / "office.pem"
    before = os.umask(0)
    try:
        key.save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load(path).sign(b"text") == key.sign(b"text")
    assert [file.name for file in tmp_path.iterdir()] == ["office.pem"]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "office.pem"
    SigningKey.generate().save(path)
    kept = path.read_bytes()
    with pytest.raises(Misuse, match="never overwritten"):
        SigningKey.generate().save(path)
    assert path.read_bytes() == kept
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "office.pem"
    SigningKey.generate().save(path)
    path.chmod(mode)
    with pytest.raises(Misuse, match=f"chmod 600 {path}"):
        SigningKey.load(path)


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(Misuse, match="cannot read"):
        SigningKey.load(path)
    with pytest.raises(Misuse, match="cannot write"):
        SigningKey.generate().save(tmp_path / "absent" / "key.pem")
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content, why in ((b"nothing", "no unencrypted PEM"), (other, "not Ed25519")):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(Misuse, match=why):
            SigningKey.load(path)


def test_a_signature_holds_for_its_message_and_key_only() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(b"text")
    assert key.public.verify(signature, b"text")
    assert not key.public.verify(signature, b"test")
    assert not other.public.verify(signature, b"text")
    assert not key.public.verify(signature[:-1], b"text")


def test_a_public_key_returns_from_its_text() -> None:
    public = SigningKey.generate().public
    assert PublicKey.from_multibase(public.multibase) == public
    assert public.did_key == "did:key:" + public.multibase
    assert public.multibase.startswith("z6Mk")
    for text in ("", "z", "z6Mk0", public.multibase[:-1], public.multibase[1:], public.multibase + " "):
        with pytest.raises(Misuse):
            PublicKey.from_multibase(text)
    for make in (lambda: PublicKey(b"short"), lambda: SigningKey.from_seed(b"short")):
        with pytest.raises(Misuse, match="instead of 32"):
            make()


def test_a_key_does_not_show_its_secret() -> None:
    key = SigningKey.from_seed(b"s" * 32)
    assert repr(key) == f"SigningKey(public={key.public.multibase})"


def test_derived_secrets_differ_wherever_a_label_does() -> None:
    secret = b"s" * 32
    inputs = [(), ("",), ("", ""), ("abc",), ("ab", "c"), ("a", "bc"), ("甲",)]
    assert len({derive(secret, *labels) for labels in inputs}) == len(inputs)
    assert derive(secret, "a") == derive(secret, "a") != derive(b"t" * 32, "a")
    assert len(derive(secret, "a", length=16)) == 16
    with pytest.raises(Misuse, match="too short"):
        derive(b"short", "a")
