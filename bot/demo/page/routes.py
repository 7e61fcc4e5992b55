"""Serves the demo page and its files, and nothing else."""

from pathlib import Path

from aiohttp import web

_STATIC = Path(__file__).parent / "static"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def mount(app: web.Application) -> None:
    """Add the page, also where links to its messages lead; call once, before the application
    is frozen."""
    page = _Page(_STATIC)
    app.router.add_get("/", page.index)
    app.router.add_get("/archives/{channel}/{message}", page.index)
    app.router.add_get("/static/{name:.+}", page.static)


class _Page:
    """Serves only files that were there at start, so no path can lead outside."""

    def __init__(self, root: Path) -> None:
        self._files = {
            path.relative_to(root).as_posix(): path
            for path in root.rglob("*")
            if path.suffix in _TYPES
        }

    async def index(self, request: web.Request) -> web.FileResponse:
        return self._send("index.html")

    async def static(self, request: web.Request) -> web.FileResponse:
        return self._send(request.match_info["name"])

    def _send(self, name: str) -> web.FileResponse:
        path = self._files.get(name)
        if path is None:
            raise web.HTTPNotFound(text="There is no such file", headers=_HEADERS)
        kind = {"Content-Type": _TYPES[path.suffix]}
        return web.FileResponse(path, headers=_HEADERS | kind)
