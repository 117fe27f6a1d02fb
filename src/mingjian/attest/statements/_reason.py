"""Why something is as it is: a stable code with what fills its sentence, said in English and in Chinese.

A program reads the code; a person reads the sentence. Codes keep their meaning for good; sentences may be worded better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_RETURN: Final = (
    "ask whoever gave it to you for the file as it was issued",
    "请向提供者重新索取签发时的原文件",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. ``params`` fill the sentence of ``code``; a reason among them is the reason behind this one."""

    code: str
    params: tuple[tuple[str, str | Reason], ...] = ()

    def text(self, language: str = "en") -> str:
        """The sentence in "en" or "zh"."""
        filled = {name: said.text(language) if isinstance(said, Reason) else said for name, said in self.params}
        return _SENTENCES[self.code][language == "zh"].format_map(filled)

    def remedy(self, language: str = "en") -> str:
        """What can be done about it, in "en" or "zh"; "" where there is nothing to be done."""
        behind = (said.remedy(language) for _, said in self.params if isinstance(said, Reason))
        own = _REMEDIES[self.code][language == "zh"] if self.code in _REMEDIES else ""
        return next(filter(None, behind), own)

    def said(self, language: str = "en") -> str:
        """The sentence and the remedy."""
        remedy = self.remedy(language)
        return self.text(language) + (f" → {remedy}" if remedy else "")

    def __str__(self) -> str:
        return self.said()


def because(code: str, **params: object) -> Reason:
    """The reason of that code; what is no reason itself fills its sentence as text."""
    return Reason(code, tuple((name, said if isinstance(said, Reason) else str(said)) for name, said in params.items()))


_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    # -- a document of another shape
    "not-a-package": ("not a package of this format: {where}: {why}", "不是本格式的声明文件：{where}：{why}"),
    "not-a-status-list": ("not a status list: {where}: {why}", "不是状态列表：{where}：{why}"),
    "not-a-key-history": ("the history of keys does not hold: {why}", "密钥沿革不成立：{why}"),
    "keys-bad": ("{detail}", "其证明或格式有误：{detail}"),
    "unknown-format": ("its format is {format}, and {known} is read here", "其格式为 {format}，本版本只读 {known}"),
    "too-large": ("{size} bytes; {most} are the most that is read", "共 {size} 字节，最多读取 {most} 字节"),
    "not-json": ("not JSON: {detail}", "不是 JSON：{detail}"),
    "other-type": ("{wanted} is wanted, not {found}", "应为{wanted}，实为 {found}"),
    "too-many": ("{count} members; {most} are the most that is read", "共 {count} 项，最多读取 {most} 项"),
    "object": ("an object", "对象"),
    "list": ("a list", "列表"),
    "text": ("a text", "文本"),
    "flag": ("true or false", "true 或 false"),
    "whole-number": ("a whole number", "整数"),
    "hash": ("64 hexadecimal digits", "64 位十六进制数字"),
    "salt": ("32 hexadecimal digits", "32 位十六进制数字"),
    "hashes": ("hashes in hexadecimal", "十六进制散列"),
    "row-list": ("row numbers with commas between them", "以逗号分隔的行号"),
    "instant": ("an instant with its zone", "带时区的时刻"),
    "period": ("a period", "期间"),
    "fraction": ("a fraction in lowest terms", "最简分数"),
    "double": ("the text of a double", "双精度数的文本"),
    "part": ("a part of a number", "数字的组成部分"),
    "other-choice": ("{found} is none of {allowed}", "{found} 不在 {allowed} 之中"),
    "other-writing": ("{found} is not {wanted}", "{found} 不是{wanted}"),
    "not-an-entry": ("not the header of an entry: {detail}", "不是账本条目的头：{detail}"),
    "not-a-row": ("not a row with its proof: {detail}", "不是带证明的证据行：{detail}"),
    "status-and-number": ("a number and the status {status} do not go together", "数值与状态 {status} 不相容"),
    "two-numbers": ("either an exact number or a double is wanted", "应为精确数或双精度数，二者取一"),
    "peers-and-subject": (
        "a statistic of peers is a number and about nobody, any other figure is about somebody",
        "同类统计须为数值且不涉及任何对象，其他数字须有其对象",
    ),
    "somebody-else": ("a number of somebody else", "含有其他对象的数字"),
    "other-document": ("its context and type are not those of a statement", "其上下文与类型不是声明的"),
    "not-a-bitstring": ("{detail}", "状态位串不能读取：{detail}"),
    "list-unsigned": ("it is not what its issuer signed: {detail}", "与其签发者所签不符：{detail}"),
    # -- who signed
    "signature-bad": ("{detail}", "签名与内容或与签发者的密钥不符：{detail}"),
    "issuer-unknown": ("signed by {issuer}, whom the reader does not know", "由 {issuer} 签名，阅读者不认识该签发者"),
    "not-issued": (
        "the ledger does not have that this statement was issued as it is",
        "账本中没有按现有内容签发此声明的记录",
    ),
    "key-of-its-day": (
        "by the key of its day, which was replaced at {at}",
        "由当时有效的密钥签名，该密钥已于 {at} 更换",
    ),
    "key-replaced": (
        "its key was replaced at {at}, and the statement was issued at {issued}",
        "其密钥已于 {at} 更换，而声明签发于 {issued}",
    ),
    "key-revoked": (
        "its key is revoked since {since} ({why}), and the statement was issued at {issued}",
        "其密钥自 {since} 起吊销（{why}），而声明签发于 {issued}",
    ),
    "key-not-yet": (
        "its key is in force since {at}, and the statement was issued at {issued}",
        "其密钥自 {at} 起生效，而声明签发于 {issued}",
    ),
    # -- who saw the ledger
    "not-witnessed": (
        "the package has no checkpoint that a witness cosigned",
        "文件中没有见证者会签的检查点",
    ),
    "witnesses-missing": (
        "{count} of {wanted} witnesses cosigned the ledger at size {size}",
        "{wanted} 位见证者中有 {count} 位会签了大小为 {size} 的账本",
    ),
    "witnessed": (
        "{count} of {wanted} witnesses cosigned the ledger at size {size}, the first of them at {at}",
        "{wanted} 位见证者中有 {count} 位会签了大小为 {size} 的账本，最早于 {at}",
    ),
    "witnessed-other": (
        "the cosigned checkpoint is not of the ledger that the statement stands in",
        "会签的检查点不属于声明所在的账本",
    ),
    # -- whether it stands
    "expired": ("it held until {until}", "有效期至 {until}"),
    "not-yet": ("it holds from {start}", "自 {start} 起有效"),
    "no-status-list": ("no status list {list} of its issuer is at hand", "手头没有其签发者的状态列表 {list}"),
    "status-list-short": ("the status list of {at} does not reach so far", "{at} 的状态列表不含此声明"),
    "revoked": ("by the status list of {at}", "据 {at} 的状态列表"),
    "replaced": ("by the status list of {at}: {by} stands for it", "据 {at} 的状态列表：已由 {by} 取代"),
    "valid": ("by the status list of {at}", "据 {at} 的状态列表"),
    # -- whether it is the ledger's
    "ledger-unknown": (
        "the reader has no key of this ledger: the issuer alone vouches for its head",
        "阅读者没有此账本的密钥：账本头仅由签发者担保",
    ),
    "entry-twice": ("two entries have one index", "两个账本条目序号相同"),
    "entry-not-in-ledger": (
        "entry {entry} is not in the ledger at size {size}",
        "账本条目 {entry} 不在大小为 {size} 的账本中",
    ),
    "checkpoint-other": (
        "the checkpoint is not the head that the statement names",
        "检查点不是声明所指的账本头",
    ),
    "checkpoint-bad": ("the checkpoint does not hold: {detail}", "检查点不成立：{detail}"),
    "row-twice": ("a row is shown twice", "同一证据行出现两次"),
    "row-not-in-entry": ("row {row} is not in entry {entry}", "证据行 {row} 不在账本条目 {entry} 中"),
    "row-not-evidence": (
        "row {row} of entry {entry} is not evidence that the statement was measured from",
        "账本条目 {entry} 的行 {row} 不是计算此声明所用的证据",
    ),
    "snapshot-other": (
        "the snapshot is not the one that the statement names",
        "快照不是声明所指的那一份",
    ),
    "value-not-in-snapshot": ("attested row {row} is not in the snapshot", "已证实数值 {row} 不在快照中"),
    "contents-other": (
        "its list of contents is not the one that was signed for this level",
        "其内容清单不是为此级别签名的那一份",
    ),
    "row-beyond-contents": (
        "row {row} of entry {entry} does not belong to this package",
        "账本条目 {entry} 的行 {row} 不属于此文件",
    ),
    # -- whether it is whole
    "rows-missing": (
        "the package is incomplete: {rows} of {all_rows} rows are missing",
        "文件不完整：{all_rows} 行证据中缺 {rows} 行",
    ),
    "values-missing": (
        "the package is incomplete: {values} of {all_values} attested values are missing",
        "文件不完整：{all_values} 个已证实数值中缺 {values} 个",
    ),
    "rows-and-values-missing": (
        "the package is incomplete: {rows} of {all_rows} rows and {values} of {all_values} attested values are missing",
        "文件不完整：{all_rows} 行证据中缺 {rows} 行，{all_values} 个已证实数值中缺 {values} 个",
    ),
    # -- under which rules
    "scheme-unreadable": ("its scheme cannot be read: {detail}", "其方案不能读取：{detail}"),
    "scheme-digest": (
        "the scheme's data has another digest than the one signed",
        "方案数据的摘要与签名时不同",
    ),
    "scheme-fingerprint": ("its formulas have the fingerprint {found}", "其公式的指纹为 {found}"),
    "scheme-other": ("it is {found}, not {signed}", "方案是 {found}，而非 {signed}"),
    "scheme-statement": (
        "a {statement} is a {kind} of a {of}",
        "方案中 {statement} 是关于 {of} 的 {kind}",
    ),
    # -- each number
    "ground-tampered": ("what it stands on was tampered with", "其依据已被篡改"),
    "not-of-statement": ("a {statement} does not show {measure}", "{statement} 不含 {measure}"),
    "incomplete": (
        "the package is incomplete, and what is there does not tell",
        "文件不完整，现有内容不足以判断",
    ),
    "value-missing": ("the snapshot's row of it is not in the package", "文件中没有快照里的这一数值"),
    "snapshot-differs": ("the snapshot in the ledger says otherwise", "账本中的快照与此不同"),
    "withheld": ("it is withheld: it was counted from too few ballots", "不予公布：所据选票过少"),
    "misprinted": ("it is not printed as it is", "打印值与数值不符"),
    "no-ballots": (
        "of no ballots there is no value, and how many there were is not shown",
        "没有选票便没有数值，而票数未予显示",
    ),
    "given-sealed": (
        "it is counted from ballots or sealed rows, which are not shown; the snapshot in the ledger says the same",
        "由不予显示的选票或密封证据得出；账本中的快照与之一致",
    ),
    "given-others": (
        "it draws on rows about others, which only an auditor sees; the snapshot in the ledger says the same",
        "用到仅审计员可见的他人证据；账本中的快照与之一致",
    ),
    "given-level": (
        "this package carries no evidence for it; the snapshot in the ledger says the same",
        "此文件不含其证据；账本中的快照与之一致",
    ),
    "given-peers": (
        "it is relative to peers, whose values are not shown; the snapshot in the ledger says the same",
        "相对同类得出，而同类的数值不予显示；账本中的快照与之一致",
    ),
    "given-erased": (
        "rows that it was counted from may have been erased since they were recorded, and it was made from what is left;"
        " the snapshot in the ledger says the same",
        "所据证据中或有已依法删除的，此数由余下的证据得出；账本中的快照与之一致",
    ),
    "figures-differ": ("the figures under it say otherwise", "其下的数字得出不同结果"),
    "evidence-differs": ("the evidence says otherwise", "证据得出不同结果"),
    "unreckonable": ("the evidence cannot be reckoned with: {detail}", "无法用所附证据计算：{detail}"),
}

_REMEDIES: Final[dict[str, tuple[str, str]]] = {
    "not-a-package": _RETURN,
    "not-a-status-list": (
        "fetch the status list anew from its issuer",
        "请从签发者处重新获取状态列表",
    ),
    "unknown-format": (
        "verify it with a version of mingjian that reads its format, or ask for it to be issued anew",
        "请用能读该格式的明鉴版本核验，或请签发者重新签发",
    ),
    "rows-missing": _RETURN,
    "values-missing": _RETURN,
    "rows-and-values-missing": _RETURN,
    "issuer-unknown": (
        "get the issuer's key by another way than the statement, and name it in a trust file",
        "请从声明以外的途径取得签发者公钥，并写入信任文件",
    ),
    "not-issued": (
        "ask the office whether it issued it; who holds a stolen key can sign, but not issue",
        "请向签发机关核实；窃得密钥者可以签名，但不能签发入账",
    ),
    "key-revoked": (
        "ask the office for a statement under its present key",
        "请签发机关用现行密钥重新签发",
    ),
    "key-replaced": (
        "ask the office for a statement under its present key",
        "请签发机关用现行密钥重新签发",
    ),
    "not-witnessed": (
        "ask the office for the file after its witnesses cosigned, or verify without --witness",
        "请在见证者会签后向签发机关重新索取文件，或不加 --witness 核验",
    ),
    "no-status-list": (
        "fetch it from the issuer and name it with --status",
        "请向签发者获取，并用 --status 指明",
    ),
    "replaced": ("use the statement that stands for it", "请改用取代它的声明"),
}
