"""What the command line says, in English and Chinese."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["en", "zh"]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "measure": ("measure", "指标"),
    "subject": ("subject", "对象"),
    "member": ("part", "分项"),
    "period": ("period", "期间"),
    "value": ("value", "数值"),
    "unit": ("unit", "单位"),
    "withheld": ("withheld", "不予公布"),
    "none": ("no value", "无数值"),
    "formula": ("formula", "公式"),
    "parameter": ("parameter", "参数"),
    "source": ("source", "依据"),
    "since": ("in force from", "生效日期"),
    "rows": ("rows", "证据行"),
    "row": ("row", "行"),
    "line": ("line", "行号"),
    "entry": ("entry", "账本条目"),
    "proof": ("proof", "证明"),
    "ballots": ("ballots, single ones are not shown", "选票，不显示单张选票"),
    "few": ("too few to say", "人数过少，不予说明"),
    "weight": ("weight", "权重"),
    "contribution": ("contributes", "贡献"),
    "taken": ("taken in", "已收录"),
    "left_out": ("left out", "未收录"),
    "known": ("this file was taken in before: nothing changed", "此文件已收录过，未作任何更改"),
    "adopted": ("scheme recorded", "方案已登记"),
    "findings": ("findings", "问题"),
    "holds": ("everything holds", "全部无误"),
    "good": ("good", "有效"),
    "cases": ("cases", "用例"),
    "written": ("written", "已写出"),
    "size": ("entries", "条目数"),
    "root": ("root", "根"),
    "origin": ("origin", "账本"),
    "step": ("what", "内容"),
    "where": ("where", "位置"),
    "seconds": ("seconds", "秒"),
    "synthetic": ("SYNTHETIC DATA", "合成数据"),
    "statements": ("statements", "份声明"),
    "portraits": ("statements", "份画像"),
    "certificates": ("statements", "份证书"),
    "do_not_hold": ("do not hold", "份有误"),
    "recomputed from evidence": ("numbers recomputed from evidence", "个数字由证据重算一致"),
    "recomputed from attested values": ("numbers recomputed from attested values", "个数字由已证实数值重算一致"),
    "differs": ("differs", "不一致"),
    "cannot": ("cannot be recomputed", "不能重算"),
    "bad": ("bad", "无效"),
    "unknown issuer": ("unknown issuer", "签发者未知"),
    "valid": ("valid", "有效"),
    "expired": ("expired", "已过期"),
    "unknown": ("unknown", "未知"),
    "proven": ("proven", "已证明"),
    "tampered": ("tampered", "被篡改"),
    "same": ("same", "相同"),
    "signature": ("signature", "签名"),
    "status": ("status", "状态"),
    "inclusion": ("inclusion", "入账证明"),
    "contents": ("contents", "内容"),
    "complete": ("complete", "完整"),
    "incomplete": ("INCOMPLETE", "不完整"),
    "scheme": ("scheme", "方案"),
    "numbers": ("numbers", "数字"),
    "claim": ("claim", "已公布数字"),
    "verdict": ("verdict", "结论"),
    "consistent": ("consistent", "相符"),
    "contradicted": ("CONTRADICTED", "相矛盾"),
    "unsupported": ("unsupported", "无从核对"),
    "why": ("why", "理由"),
    "revoked": ("revoked", "已撤销"),
    "process": ("process", "流程"),
    "case": ("case", "事项"),
    "state": ("state", "状态"),
    "due": ("due", "期限"),
    "overdue": ("OVERDUE", "逾期"),
    "erased": ("erased", "已销毁"),
    "audited": ("the ledger audits clean", "账本审计无误"),
}

_UNITS: Final[dict[str, tuple[str, str]]] = {
    "percent": ("%", "%"),
    "count": ("", ""),
    "case": ("cases", "件"),
    "certificate": ("certificates", "张"),
    "firm": ("firms", "家"),
    "item": ("items", "条"),
    "month": ("months", "个月"),
    "person": ("people", "人"),
    "plant": ("plants", "座"),
    "point": ("points", "分"),
    "task": ("tasks", "项"),
    "unit": ("units", "个单位"),
    "vote": ("votes", "票"),
    "year": ("years", "年"),
    "day": ("days", "天"),
    "hour": ("hours", "小时"),
    "yuan": ("yuan", "元"),
    "fen": ("fen", "分钱"),
}


def unit_word(unit: str, language: Language) -> str:
    """A unit as a person reads it; symbols are the same in every language."""
    return _UNITS.get(unit, (unit, unit))[language == "zh"]


def word(key: str, language: Language) -> str:
    """A word or phrase in a language."""
    return _WORDS[key][language == "zh"]
