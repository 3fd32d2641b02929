"""A function by its name: how a card names code that needs torch without importing it."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from micrograph.errors import BadInput, short


@dataclass(frozen=True)
class Function:
    """A function that is imported when it is first called.

    `name` is "package.module:function", as in an entry point. It stands wherever a card takes a
    function, and equals another of the same name.

    >>> Function("math:sqrt")(9)
    3.0
    """

    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives. Raises BadInput as `load`."""
        return self.load()(*args, **kwargs)

    def load(self) -> Callable[..., Any]:
        """The function itself. Raises BadInput if there is none of that name."""
        module, _, function = self.name.partition(":")
        try:
            if not (module and function):
                raise ValueError("it names no module and function")
            found = pkgutil.resolve_name(self.name)
        except (ImportError, AttributeError, ValueError) as error:
            raise BadInput(
                f"{short(self.name, 200)} names no function: {error}; "
                "expected package.module:function"
            ) from error
        if not callable(found):
            raise BadInput(f"{short(self.name, 200)} is no function; expected one")
        return found  # type: ignore[no-any-return]
