"""What one process of a site answers another, as it goes over a channel."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from micrograph.errors import MicrographError

_LOG = logging.getLogger("micrograph.web")


def told_of(make: Callable[[], Any]) -> dict[str, Any]:
    """What `make` gives or raises."""
    try:
        return {"answer": make()}
    except MicrographError as error:
        return {"error": str(error), "status": error.status}
    except Exception as error:  # a mistake of ours: told like one in the process that asked
        _LOG.error("what works for the site failed", exc_info=error)
        return {"error": "the site failed; its log says where", "status": 500}


def answer_in(told: Mapping[str, Any]) -> Any:
    """The answer that was told; raises what was told in its place."""
    if "error" in told:
        error = MicrographError(str(told["error"]))
        error.status = int(told["status"])
        raise error
    return told["answer"]
