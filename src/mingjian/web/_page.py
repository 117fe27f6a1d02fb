"""Pages: templates filled for a visitor. All that is not our own markup is escaped, and a name nobody gave is a fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mingjian.base.errors import Finding, MingjianError
from mingjian.declare import Title
from mingjian.record.access import Refused
from mingjian.web._forms import NOTHING, SAFE
from mingjian.web._static import Static
from mingjian.web._visit import YEAR, Cookies, here, visit_of
from mingjian.web._words import LANGUAGES, Language, Words

FOLDER: Final = Path(__file__).parent / "templates"


class Speech:
    """The words in one language; templates call it ``t``."""

    def __init__(self, words: Words, language: Language) -> None:
        self._words, self.language = words, language

    def __call__(self, key: str, **values: object) -> str:
        """The word of a key."""
        return self._words.text(key, self.language, **values)

    def one_of(self, group: str, value: str) -> str:
        """The word of a value in a group of keys."""
        return self._words.one_of(group, value, self.language)

    def title(self, title: Title) -> str:
        """A declared name."""
        return title.text(self.language)

    def finding(self, found: Finding) -> Finding:
        """A finding with our own words for what is wrong and what to do, where there are any for its rule."""
        key = f"rule.{found.rule.replace('-', '_')}"
        return replace(found, message=self(key), remedy="") if key in self._words.keys else found

    def refusal(self, error: MingjianError) -> tuple[tuple[str, str], ...]:
        """What, why, where and the remedy of an error, each with its word; the decision's own words where it was one."""
        why = error.decision.reason.text(self.language) if isinstance(error, Refused) else error.why
        said = (
            (self("shell.what"), error.what),
            (self("shell.why"), why),
            (self("shell.where"), str(error.where)),
            (self("shell.whatnow"), error.remedy),
        )
        return tuple((word, text) for word, text in said if text)


class Pages:
    """Fills templates. ``zone`` is that in which days and times are written."""

    def __init__(self, words: Words, static: Static, cookies: Cookies, zone: str) -> None:
        self.words, self.static, self.cookies = words, static, cookies
        self._zone = ZoneInfo(zone)
        self._speech = {language: Speech(words, language) for language in LANGUAGES}
        self._parts: WeakKeyDictionary[object, dict[tuple[str, Language], Markup]] = WeakKeyDictionary()
        self._environments = {language: self._environment(language) for language in LANGUAGES}

    def speech(self, request: Request) -> Speech:
        """The words in the visitor's language."""
        return self._speech[visit_of(request).language]

    def html(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """The page that a template makes of these values, for the visitor of the request."""
        visit = visit_of(request)
        filled = self._environments[visit.language].get_template(template)
        text = filled.render(
            {
                "form": NOTHING,
                **values,
                "visit": visit,
                "path": request.url.path,
                "back": here(request) if request.method in SAFE else "/",
                "links": request.app.state.house.links(visit),
                "house": request.app.state.house,
            }
        )
        response = HTMLResponse(text, status, headers={**(headers or {}), "Vary": "Accept, Accept-Language, Cookie"})
        if visit.new:
            self.cookies.set(response, "visit", visit.token)
        if visit.said is not None:
            self.cookies.drop(response, "said")
        return response

    def part(self, request: Request, template: str, of: object, values: Callable[[], Mapping[str, Any]]) -> Markup:
        """A part of a page that says the same to everybody who may see ``of``: made once a language, and forgotten with it."""
        language = visit_of(request).language
        made = self._parts.setdefault(of, {})
        if (template, language) not in made:
            made[template, language] = Markup(self._environments[language].get_template(template).render(values()))
        return made[template, language]

    def keep_language(self, response: Response, language: Language) -> None:
        """Have the browser keep the language."""
        self.cookies.set(response, "language", language, seconds=YEAR)

    def _environment(self, language: Language) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(
            t=self._speech[language], language=language, static=self.static.address, languages=LANGUAGES
        )
        environment.filters.update(self._filters(language))
        return environment

    def _filters(self, language: Language) -> Mapping[str, Callable[..., str]]:
        def day(value: date) -> str:
            if isinstance(value, datetime):
                value = value.astimezone(self._zone).date()
            return f"{value.year}年{value.month}月{value.day}日" if language == "zh" else f"{value.day} {value:%b %Y}"

        def moment(value: datetime) -> str:
            local = value.astimezone(self._zone)
            return f"{day(local)} {local:%H:%M}"

        def number(value: int) -> str:
            return f"{value:,}"

        return {"day": day, "moment": moment, "number": number}
