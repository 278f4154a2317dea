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
            raise UsageError(
                f"{option}: {message[0].lower() + message[1:]}" if field else message,
                where=f"{option} {first['input']}" if field else None,
                next_step="see the bounds with --help",
            ) from None

    def stored(self) -> dict[str, Any]:
        """The values in force, defaults included, as JSON types; hashed into the artifact's key."""
        return self.model_dump(mode="json")
