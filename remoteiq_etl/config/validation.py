"""How settings are checked: what a value must be, in words, and the one place where pydantic's errors become ours.

Belongs here: what every table of settings has in common, and the text of a fault: what was expected, what was found, where,
what to do. Does not belong here: any setting. No text holds the password of a URL.
"""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import ConfigurationError

PREFIX = "REMOTEIQ_"
_NOT_SHOWN = "another one, which is not shown: a password may stand in it"

T = TypeVar("T")


class SettingsTable(BaseModel):
    """A table of settings. A setting that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    #: What may stand in its place.
    shape: ClassVar[str] = "a table"
    #: Said with the names that it knows.
    hint: ClassVar[str] = ""
    #: Whether a message may quote what stands in its place; else it names the type of that.
    is_shown: ClassVar[bool] = True


@dataclass(frozen=True)
class Expected:
    """Annotates the type of a setting: what it must be, and what to do else, in the words of its error message."""

    text: str
    advice: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Every error of the type is this one."""
        return core_schema.custom_error_schema(
            handler(source), "expected", custom_error_message="{text}", custom_error_context=vars(self)
        )


@dataclass(frozen=True)
class Where:
    """Where settings stand: a file, a table of it (none: its top), and which of them the environment sets instead."""

    file: str
    table: str | None = None
    in_environment: Collection[str] = ()

    def of_table(self, path: Iterable[str] = ()) -> str:
        """The place of a table below this one."""
        names = [*([self.table] if self.table else []), *path]
        return f"{self.file}: [{'.'.join(names)}]" if names else self.file

    def of_key(self, path: tuple[str, ...]) -> str:
        """The place of a setting."""
        if not path:
            return self.of_table()
        *tables, key = path
        if self.table or tables:
            return f"{self.of_table(tables)} {key}"
        return f"{'environment' if key in self.in_environment else self.file}: {key}"

    def advice(self, path: tuple[str, ...]) -> str:
        """What to do about a setting that the environment sets."""
        key = ".".join(path)
        return f" Set {PREFIX}{key.upper()} to that, or unset it." if key in self.in_environment else ""


def checked(kind: type[T], given: object, where: Where) -> T:
    """What is given, as this kind. Raises ConfigurationError, with one line for each fault."""
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        texts = [_text(kind, fault, where) for fault in error.errors(include_url=False)]
    # Outside of the handler: an error that goes along as the context would hold the values, passwords too.
    raise ConfigurationError("\n".join(dict.fromkeys(texts)))


def contradiction(text: str) -> PydanticCustomError:
    """The error of settings that do not go together, for validators of a whole table."""
    return PydanticCustomError("contradiction", "{text}", {"text": text})


def expected(text: str, advice: str = "") -> PydanticCustomError:
    """The error of one value, for validators that know more than its type."""
    return PydanticCustomError("expected", "{text}", {"text": text, "advice": advice})


def hidden(text: str, advice: str = "") -> PydanticCustomError:
    """The error of one value of which nothing may be shown."""
    return PydanticCustomError("hidden", "{text}", {"text": text, "advice": advice})


def is_table(shape: str) -> BeforeValidator:
    """Annotates a table whose keys are names that the operator chooses: what must stand there."""

    def check(value: object) -> object:
        if not isinstance(value, Mapping):
            raise expected(shape)
        return value

    return BeforeValidator(check)


def unknown_setting(where: str, name: str, known: Collection[str], hint: str = "") -> str:
    """The text for a setting that does not exist."""
    meant = difflib.get_close_matches(name, known, n=1)
    suggestion = f" {meant[0]!r} is meant?" if meant else ""
    return f"{where}: unknown setting {name!r}.{suggestion} Known: {', '.join(known)}.{hint}"


def _text(kind: type[Any], fault: ErrorDetails, where: Where) -> str:
    # The place of a fault in a list is the list.
    path = tuple(step for step in fault["loc"] if isinstance(step, str))
    context = fault.get("ctx", {})
    match fault["type"]:
        case "extra_forbidden":
            table = _table_at(kind, path[:-1])
            return unknown_setting(where.of_table(path[:-1]), path[-1], list(_fields(table)), table.hint)
        case "missing":
            words = next(
                one for one in _fields(_table_at(kind, path[:-1]))[path[-1]].metadata if isinstance(one, Expected)
            )
            return f"{where.of_key(path)}: expected {words.text}, found nothing. It has no default."
        case "contradiction":
            return f"{where.of_table(path)}: {context['text']}" if where.table else str(context["text"])
        case "expected" | "hidden":
            advice = f" {context['advice']}" if context["advice"] else ""
            found = _found(fault["input"]) if fault["type"] == "expected" else _NOT_SHOWN
            return f"{where.of_key(path)}: expected {context['text']}, found {found}.{where.advice(path)}{advice}"
        case _:
            return _text_of_table(kind, path, fault["input"], where)


def _text_of_table(kind: type[Any], path: tuple[str, ...], found: object, where: Where) -> str:
    """Something else stands where a table belongs."""
    table = _table_at(kind, path)
    shown = _found(found) if table.is_shown else type(found).__name__
    return f"{where.of_table(path)}: expected {table.shape}, found {shown}."


def _found(value: object) -> str:
    return repr(redact_url(value)) if isinstance(value, str) else redact_url(repr(value))


def _table_at(kind: type[Any], path: Iterable[str]) -> type[SettingsTable]:
    """The table that belongs at a path; one of no special kind where keys are names that the operator chooses."""
    for step in path:
        field = _fields(kind).get(step)
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        kind = next((one for one in kinds if isinstance(one, type) and issubclass(one, SettingsTable)), SettingsTable)
    return kind if issubclass(kind, SettingsTable) else SettingsTable


def _fields(kind: type[Any]) -> dict[str, FieldInfo]:
    """The settings of a table, as the operator names them."""
    fields = kind.model_fields.items() if issubclass(kind, SettingsTable) else ()
    return {field.alias or name: field for name, field in fields}
