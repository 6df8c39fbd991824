"""Common behaviour of all plans: frozen, no unknown fields, changed by copy."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from napari_mouse_seg.errors import PlanError


class Plan(BaseModel):
    """A frozen recipe; every parameter's default, bounds, unit and description stand here once.

    ``build`` and ``replace`` say in words what is wrong with a value (``PlanError``); the constructor raises pydantic's
    ``ValidationError``, a ``ValueError`` too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def replace(self, **changes: Any) -> Self:  # Any: the fields of the subclass
        """Return a copy with some fields changed, checked again.

        Parameters
        ----------
        **changes
            New values by field name.

        Returns
        -------
        Plan
            A new plan of the same type.

        Raises
        ------
        PlanError
            If a name is unknown or a value is out of bounds.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return self.build(**(fields | changes))

    @classmethod
    def build(cls, **values: Any) -> Self:  # Any: user input, checked by pydantic
        """Make a plan from user input.

        Raises
        ------
        PlanError
            In words for users: which field, what was given, what is allowed.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or cls.__name__
            raise PlanError(f"{place}: {first['msg']} (got {first.get('input')!r}).") from error
