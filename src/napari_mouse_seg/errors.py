"""Every error that a user can meet, under one root.

Each class is also the builtin exception it stands for, so that callers may catch either.
Messages state the fact, the actual value, the limit and the next step, in one or two sentences.
"""


class MouseSegError(Exception):
    """Root of all errors raised on purpose by this package."""


class ImageError(MouseSegError, ValueError):
    """An image cannot be used as asked."""


class ImageNotFoundError(ImageError, FileNotFoundError):
    """There is no image at the given path."""

    __str__ = Exception.__str__


class DamagedImageError(ImageError, OSError):
    """A file is truncated, damaged, or holds an unreadable level."""

    __str__ = Exception.__str__


class UnsupportedImageError(ImageError, TypeError):
    """A file is intact, but its dtype, axes or kind is not supported."""


class PlanError(MouseSegError, ValueError):
    """A parameter, or a combination of parameters, is out of bounds.

    Parameters
    ----------
    message
        In words for users.
    field
        The plan's field that must change; empty if it is not one alone. A form shows the message there.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ModelError(MouseSegError, ValueError):
    """A model file or card is damaged or does not fit."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """There is no model of that name or at that path."""

    __str__ = Exception.__str__


class ModelNotSavedError(ModelError, OSError):
    """A model file could not be written."""

    __str__ = Exception.__str__


class DeviceError(MouseSegError, RuntimeError):
    """The compute device asked for is missing or does not work."""


class ExportError(MouseSegError, OSError):
    """A result could not be written."""

    __str__ = Exception.__str__


class ProjectError(MouseSegError, OSError):
    """An annotation project cannot be read, changed or locked."""

    __str__ = Exception.__str__


class OutOfMemoryError(MouseSegError, MemoryError):
    """The smallest tile on the last device still does not fit in memory."""


class TrainingError(MouseSegError, RuntimeError):
    """Training cannot start, or did not converge to finite numbers."""
