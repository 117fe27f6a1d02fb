from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
import typst

from mingjian.base.errors import Fault, MingjianError, Misuse
from mingjian.base.typeset import Typesetter, check_fonts, qr_svg

AT = datetime(2021, 9, 7, 8, tzinfo=UTC)
TEMPLATE = """
#import "@mingjian/house:1.0.0": *
#show: house.with(title: data.name, issuer: "Office 办公室", number: "urn:1")
#title-block(data.name, kicker: "画像", subtitle: "Portrait", facts: (("期间", "2021Q3"), ("Ledger", "12")))
#key-figures(((value: "85.00", label: "得分", unit: "分", note: "+2"), (value: "60,000,000,000", unit: "kWh")))
= 方面
#radar((("政治", "92.00"), ("Renewal", 78.5), ("服务", 0)), behind: (("a", 50), ("b", 60), ("c", "70.0")))
#bars((("Wulong", "52.08", "52.08 %"), ("Fengjie", 0, "—")))
== 明细
#sheet(("任务", "分"), (("班列", "18.50"), ("CO₂", "3")), numeric: (1,))
#notice("少于 10 人", tone: warning)
#proof-box(data.qr, heading: "核验", body: "mingjian verify", facts: (("摘要", "sha256:" + "0" * 64),))
"""


def given(**changes: Any) -> dict[str, Any]:
    return {"name": "龘靐齉办公室", "qr": qr_svg("https://verify.example/1"), **changes}


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_same_data_and_time_give_the_same_bytes(typesetter: Typesetter, lang: str) -> None:
    first = typesetter.pdf(TEMPLATE, given(lang=lang), at=AT)
    assert first.startswith(b"%PDF-")
    assert first == Typesetter().pdf(TEMPLATE, given(lang=lang), at=AT.astimezone())
    assert first != typesetter.pdf(TEMPLATE, given(lang=lang), at=AT + timedelta(days=1))


def test_synthetic_data_is_marked(typesetter: Typesetter) -> None:
    plain = typesetter.png(TEMPLATE, given(), at=AT, ppi=40)
    marked = typesetter.png(TEMPLATE, given(synthetic=True), at=AT, ppi=40)
    assert plain[0].startswith(b"\x89PNG")
    assert plain == typesetter.png(TEMPLATE, given(synthetic=False), at=AT, ppi=40)
    assert plain != marked


@pytest.mark.parametrize("name", ["龘靐齉" * 40, "Office of " * 30, "Donaudampfschifffahrtsgesellschaft" * 5])
def test_a_very_long_name_stays_on_the_page(typesetter: Typesetter, name: str) -> None:
    assert len(typesetter.png(TEMPLATE, given(name=name), at=AT, ppi=40)) == 1
    assert typesetter.pdf(TEMPLATE, given(name=name), at=AT)


def test_each_outline_of_a_radar_has_its_name(typesetter: Typesetter) -> None:
    items, behind = '(("a", 90), ("b", 50), ("c", 70))', '(("a", 60), ("b", 60), ("c", 60))'
    template = '#import "@mingjian/house:1.0.0": *\n#show: house\n#radar({}, behind: {}, names: ("{}", "{}"))'
    plain = typesetter.png(template.format(items, "()", "own", "team"), {}, at=AT, ppi=40)
    both = typesetter.png(template.format(items, behind, "own", "team"), {}, at=AT, ppi=40)
    other = typesetter.png(template.format(items, behind, "own", "peers"), {}, at=AT, ppi=40)
    assert len({*plain, *both, *other}) == 3


def test_the_document_says_that_it_is_pdf_a_2b(typesetter: Typesetter) -> None:
    drawn = typesetter.pdf(TEMPLATE, given(), at=AT)
    start, end = drawn.index(b"<?xpacket begin"), drawn.index(b"<?xpacket end")
    about = fromstring(drawn[drawn.index(b"?>", start) + 2 : end])
    said = {e.tag.partition("}")[2]: "".join(e.itertext()).strip() for e in about.iter()}
    said |= {k.partition("}")[2]: v for e in about.iter() for k, v in e.attrib.items()}
    assert (said["part"], said["conformance"]) == ("2", "B")
    assert said["title"] == "龘靐齉办公室"
    assert said["CreateDate"].startswith("2021-09-07T08:00:00")


@pytest.mark.parametrize(
    "line",
    ['#import "@preview/cetz:0.3.0"', '#import "@pre" + "view/cetz:0.3.0": *', '#include "@local/own:1.0.0"'],
)
def test_nothing_is_ever_fetched(typesetter: Typesetter, tmp_path: Path, line: str) -> None:
    (tmp_path / "part.typ").write_text(line)
    template = tmp_path / "main.typ"
    template.write_text('#import "part.typ": *')
    for source in (template, line):
        with pytest.raises(Fault, match=r"wants a package that is not here.*nothing is"):
            typesetter.pdf(source, {}, at=AT)


def test_many_threads_draw_what_one_would(typesetter: Typesetter, tmp_path: Path) -> None:
    template = tmp_path / "main.typ"
    template.write_text(TEMPLATE)
    names = [f"单位{n}" for n in range(12)]
    alone = [typesetter.pdf(template, given(name=name), at=AT) for name in names]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda name: typesetter.pdf(template, given(name=name), at=AT), names)) == alone


def test_a_template_that_was_changed_is_drawn_as_it_is_now(typesetter: Typesetter, tmp_path: Path) -> None:
    template = tmp_path / "main.typ"
    template.write_text("one")
    first = typesetter.png(template, {}, at=AT, ppi=40)
    template.write_text("two")
    assert typesetter.png(template, {}, at=AT, ppi=40) != first


def test_the_header_keeps_to_one_line(typesetter: Typesetter) -> None:
    template = '#import "@mingjian/house:1.0.0": *\n#show: house.with(title: data.title)\ntext'
    long, longer = (typesetter.png(template, {"title": "龘靐齉" * times}, at=AT, ppi=40) for times in (40, 50))
    assert long == longer


def test_pages_come_one_by_one(typesetter: Typesetter) -> None:
    pages = typesetter.png("one #pagebreak() two", {}, at=AT, ppi=40)
    assert len(set(pages)) == 2


def test_what_cannot_be_shown_is_named_and_never_left_blank(typesetter: Typesetter) -> None:
    assert typesetter.missing_glyphs("龘靐齉 Chongqing 重庆，\n\t50 %·CO₂ 令狐") == set()
    assert typesetter.missing_glyphs("龘😀a\ue000𠀀") == {"😀", "\ue000", "𠀀"}
    assert typesetter.missing_glyphs("") == set()
    with pytest.raises(Fault, match="could not be displayed"):
        typesetter.pdf(TEMPLATE, given(name="😀"), at=AT)


def test_fonts_that_do_not_serve_name_the_package_to_install() -> None:
    bare = typst.Fonts(include_system_fonts=False)
    with pytest.raises(MingjianError, match="apt-get install fonts-noto-cjk") as refusal:
        check_fonts(bare)
    assert "Noto Sans CJK SC is not installed" in str(refusal.value)


def test_fonts_that_lack_characters_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mingjian.base.typeset._fonts._SAMPLE", "明😀")
    with pytest.raises(MingjianError, match="lack 😀"):
        Typesetter()


def test_a_template_in_a_file_reads_its_neighbours_and_nothing_above(typesetter: Typesetter, tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "part.typ").write_text("#let part = [part]")
    (tmp_path / "secret.txt").write_text("secret")
    template = folder / "main.typ"
    template.write_text('#import "part.typ": part\n#set document(title: "t")\n#part')
    assert typesetter.pdf(template, {}, at=AT)
    template.write_text('#read("../secret.txt")')
    with pytest.raises(Fault, match="cannot be drawn") as refusal:
        typesetter.pdf(template, {}, at=AT)
    assert refusal.value.where == str(template)


def test_wrong_calls_are_refused(typesetter: Typesetter, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="no zone"):
        typesetter.pdf(TEMPLATE, given(), at=AT.replace(tzinfo=None))
    with pytest.raises(Misuse, match="no such template"):
        typesetter.png(tmp_path / "absent.typ", given(), at=AT)
    with pytest.raises(Fault, match="unknown variable"):
        typesetter.pdf("#nothing-of-the-kind", {}, at=AT)


def test_a_qr_code_keeps_its_quiet_zone() -> None:
    svg = qr_svg("https://verify.example/1")
    assert svg.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in svg
    assert 'd="M4 4.5h7' in svg  # the first dark module stands 4 modules in
    assert svg == qr_svg("https://verify.example/1")
    with pytest.raises(Misuse, match="too much text"):
        qr_svg("x" * 2400)
