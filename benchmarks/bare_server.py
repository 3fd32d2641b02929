"""What the server itself costs: answers "not modified" to whatever it is asked, by no application.

python benchmarks/bare_server.py PORT
"""

import sys

import uvicorn
from starlette.types import Receive, Scope, Send

from micrograph.web.serve import OPTIONS


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An answer, or to the end of the server that one may end."""
    while scope["type"] == "lifespan":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
    status = 304 if any(name == b"if-none-match" for name, _ in scope["headers"]) else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"etag", b'"-"')]})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(nothing, host="127.0.0.1", port=int(sys.argv[1]), **OPTIONS)
