"""What all configs share: frozen, no unknown keys, a JSON form for the artifact and errors that name the option."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from fercli.errors import UsageError


class Config(BaseModel):
    """Base of every config. Fields are what can change a result; seconds, jobs and host do not belong here.

    options: field -> option, for fields that are not called like their option; errors name the option.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    options: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def of(cls, **values: Any) -> Self:
        """The config with `values`, or a UsageError that names the first option out of bounds."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0]) if first["loc"] else ""
            option = cls.options.get(field, "--" + field.replace("_", "-"))
            message = first["msg"].removeprefix("Value error, ")
            literal = first["type"] == "literal_error"
            raise UsageError(
                f"{option}: {message[0].lower() + message[1:]}" if field else message,
                where=f"{option} {first['input']}" if field else None,
                next_step="give one of these" if literal else _next_step(option, cls._bounds(field)),
            ) from None

    @classmethod
    def _bounds(cls, field: str) -> dict[str, float]:
        """The bounds of a number: any of ge, gt, le and lt."""
        known = cls.model_fields[field].metadata if field in cls.model_fields else []
        return {
            name: getattr(bound, name) for bound in known for name in ("ge", "gt", "le", "lt") if hasattr(bound, name)
        }

    def stored(self) -> dict[str, Any]:
        """The values in force, defaults included, as JSON types; hashed into the artifact's key."""
        return self.model_dump(mode="json")


def _next_step(option: str, bounds: Mapping[str, float]) -> str:
    """`give --lr more than 0, at most 100`."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    told = ", ".join(f"{word} {bounds[name]}" for name, word in words.items() if name in bounds)
    return f"give {option} {told}" if told else "see what it takes with --help"
