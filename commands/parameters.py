"""Typed parameters of a command: what a person fills in for each `{{name}}` of its script.

ECS puts a value into the script as it stands, before any shell sees it. A value is therefore code
unless its characters say otherwise: that is what the kinds are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import patterns

MOST = 10  # pairs that one call takes
MOST_PLACES = 20  # placeholders in one script
LONGEST_NAME = 64
LONGEST_VALUE = 2000
LONGEST_PATTERN = 200
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
PLACE = re.compile(r"\{\{\s*([A-Za-z0-9_-]{1,64})\s*\}\}")
BUILT_IN = re.compile(r"\{\{\s*ACS::(\w+)[^{}]*\}\}", re.I)
NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,9})?")
HARMLESS = re.compile(r"[\w .,:/@%+=-]*")
SHOWN_SECRET = "\N{BULLET}" * 5


class Kind(TextChoices):
    TEXT = "text", gettext_lazy("text")
    NUMBER = "number", gettext_lazy("number")
    CHOICE = "choice", gettext_lazy("one of a list")
    REGEX = "regex", gettext_lazy("text of a pattern")
    SECRET = "secret", gettext_lazy("secret")


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: str = Kind.TEXT
    label: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    pattern: str = ""

    @classmethod
    def read(cls, kept: Mapping[str, object]) -> Parameter:
        """From a revision's JSON."""
        fields = {name: kept[name] for name in cls.__slots__ if name in kept}
        return cls(**{**fields, "choices": tuple(fields.get("choices", ()))})

    def kept(self) -> dict[str, object]:
        """As a revision's JSON: only what says something."""
        said = {name: value for name, value in asdict(self).items() if value}
        return said | ({"choices": list(self.choices)} if self.choices else {})

    @property
    def secret(self) -> bool:
        return self.kind == Kind.SECRET

    def check(self, value: str, *, any_text: bool) -> str:
        """The value as it is sent, or ValidationError that says what is allowed.

        `any_text`: the person may run free text, so a value may hold what a shell reads as code.
        """
        if len(value) > LONGEST_VALUE or "\0" in value:
            raise ValidationError(_("At most %d characters, and no NUL.") % LONGEST_VALUE)
        if self.kind == Kind.NUMBER and not NUMBER.fullmatch(value):
            raise ValidationError(_("A number, such as 10 or 2.5."))
        if self.kind == Kind.CHOICE and value not in self.choices:
            raise ValidationError(_("One of: %s.") % ", ".join(self.choices))
        if self.kind == Kind.REGEX:
            self._check_pattern(value)
        free = self.kind in (Kind.TEXT, Kind.SECRET)
        if free and not any_text and not HARMLESS.fullmatch(value):
            raise ValidationError(
                _(
                    "Letters, digits, spaces and . , : / @ % + = _ - are allowed. Anything else"
                    " may be read as code by the script, which takes the right to run free text."
                )
            )
        return value

    def _check_pattern(self, value: str) -> None:
        """An old revision may hold a pattern that is none any more: nothing matches it."""
        if problems := _pattern_problems(self.pattern):
            raise ValidationError(problems)
        if not patterns.read(self.pattern).is_whole(value):
            raise ValidationError(_("It must match the pattern %s.") % self.pattern)


def declared(kept: Iterable[Mapping[str, object]]) -> list[Parameter]:
    return [Parameter.read(row) for row in kept]


def places(script: str) -> list[str]:
    """The names that the script asks for, each once, spelled as they first stand."""
    names: dict[str, str] = {}
    for name in PLACE.findall(script):
        names.setdefault(name.lower(), name)
    return list(names.values())


def takes_parameters(script: str, parameters: Iterable[Parameter]) -> bool:
    """Whether ECS has to fill anything in. Otherwise braces are the script's own business."""
    return any(True for _parameter in parameters) or bool(BUILT_IN.search(script))


def filled(script: str, values: Mapping[str, str]) -> str:
    """The script with values in their places, as ECS will read it; built-ins stay."""
    known = {name.lower(): value for name, value in values.items()}
    return PLACE.sub(lambda place: known.get(place[1].lower(), place[0]), script)


def check_declared(script: str, parameters: list[Parameter]) -> None:
    """ValidationError for parameters that cannot be: each message names the parameter."""
    problems = []
    if len(parameters) > MOST:
        problems.append(_("ECS takes at most %d parameters.") % MOST)
    if len(PLACE.findall(script)) > MOST_PLACES and parameters:
        problems.append(_("ECS takes at most %d placeholders in one script.") % MOST_PLACES)
    names = [parameter.name.lower() for parameter in parameters]
    wanted = {name.lower() for name in places(script)}
    for parameter in parameters:
        problems += [f"{parameter.name}: {problem}" for problem in _problems(parameter)]
        if names.count(parameter.name.lower()) > 1:
            problems.append(_("%s is declared twice.") % parameter.name)
        if parameter.name.lower() not in wanted:
            problems.append(_("The script has no place {{%s}}.") % parameter.name)
    if parameters and (missing := wanted - set(names)):
        problems.append(_("Not declared: %s.") % ", ".join(sorted(missing)))
    if problems:
        raise ValidationError(list(dict.fromkeys(problems)))


def _problems(parameter: Parameter) -> list[str]:
    problems = []
    if not NAME.fullmatch(parameter.name):
        problems.append(_("a name is 1 to 64 letters, digits, _ and -"))
    if parameter.kind not in Kind.values:
        problems.append(_("the kind is one of: %s") % ", ".join(Kind.values))
    if parameter.kind == Kind.CHOICE and not parameter.choices:
        problems.append(_("give at least one choice"))
    if parameter.kind == Kind.REGEX:
        problems += _pattern_problems(parameter.pattern)
    if parameter.kind == Kind.SECRET and parameter.default:
        problems.append(_("a secret has no default: it would be stored for everybody to read"))
    elif parameter.default and not problems:
        try:
            parameter.check(parameter.default, any_text=True)
        except ValidationError as error:
            problems.append(_("default: %s") % " ".join(error.messages))
    return problems


def _pattern_problems(pattern: str) -> list[str]:
    if not 0 < len(pattern) <= LONGEST_PATTERN:
        return [_("the pattern has 1 to %d characters") % LONGEST_PATTERN]
    try:
        patterns.read(pattern)
    except patterns.BadPattern as error:
        return [_("the pattern is no regular expression: %s") % error]
    return []
