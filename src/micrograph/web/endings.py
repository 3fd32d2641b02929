"""What the log says of a site that is told to end."""

import asyncio
import logging


class _Cancelled(logging.Filter):
    """Leaves out that requests under way were given up: whoever ended the site knows."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, asyncio.CancelledError) or "graceful" in str(record.msg))


def end_quietly() -> None:
    """Have uvicorn tell nothing of requests that it gives up because the site ends."""
    logging.getLogger("uvicorn.error").addFilter(_Cancelled())
