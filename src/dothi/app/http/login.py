"""Signing in with a one-time link, and out."""

import asyncio
import base64
import hashlib
import html
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.app.config.sections import AccessSettings
from dothi.app.http.identity import COOKIE, Identity, Known
from dothi.app.http.refusals import Refusals
from dothi.model.problem import Problem

# A page that merely loads (a prefetch, a preview in a chat) must not use the link up, so the
# link opens a page that posts its token; a prerendered page waits until somebody looks at it.
_SCRIPT = """
const post = () => {
  history.replaceState(null, '', '/login');
  document.querySelector('form').submit();
};
if (document.prerendering) document.addEventListener('prerenderingchange', post, {once: true});
else post();
"""
_PAGE = """<!doctype html>
<html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>dothi</title>
<body style="font:18px/1.6 'Noto Sans',sans-serif;background:#d9dcdf;color:#1f2327;
display:grid;place-items:center;min-height:90vh;text-align:center">
<form method="post" action="/login"><p>Đang đăng nhập… / Signing in…</p>
<input type="hidden" name="token" value="{token}"><input type="hidden" name="to" value="{to}">
<noscript><button>Đăng nhập / Sign in</button></noscript></form><script>{script}</script>"""
_HELP = """<!doctype html>
<html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>dothi</title>
<body style="font:18px/1.6 'Noto Sans',sans-serif;background:#d9dcdf;color:#1f2327;
display:grid;place-items:center;min-height:90vh"><main style="max-width:34em;padding:1em">
{notice}
<p>Mở liên kết đăng nhập do <code>dothi up</code> in ra, hoặc tạo liên kết mới trên máy chủ:
<code>dothi login-link</code></p>
<p lang="en">Open the sign-in link that <code>dothi up</code> prints, or make a new one on the
server: <code>dothi login-link</code></p></main>"""
_USED = """<p><strong>Liên kết này đã dùng, đã hết hạn hoặc không đúng.</strong><br>
<span lang="en">This link has been used, has expired or is wrong.</span></p>"""
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; script-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    + "'"
)
_HEADERS = {"content-security-policy": _POLICY, "cache-control": "no-store"}
_MAX_FORM_BYTES = 4096
_LANDINGS = {"duty": "/duty"}
"""Where else than to the first screen a link may lead: the console is heavy for a phone."""


class Login:
    """The endpoints `/login` and `/api/v1/logout`."""

    def __init__(self, known: Known, identity: Identity, settings: AccessSettings) -> None:
        self._sessions = known.sessions
        self._refusals = Refusals(known.audit)
        self._identity = identity
        self._settings = settings

    def endpoints(self) -> list[Endpoint]:
        public = Permission.PUBLIC
        tags = ("access",)
        return [
            Endpoint("GET", "/login", public, self.show, "Sign in with a one-time link", tags=tags),
            Endpoint("POST", "/login", public, self.enter, "Use a one-time link up", tags=tags),
            Endpoint("POST", "/api/v1/logout", Permission.READ, self.leave, "Sign out", tags=tags),
        ]

    async def show(self, request: Request) -> Response:
        """A page that posts the token of the link."""
        token = request.query_params.get("token")
        if token:
            to = html.escape(request.query_params.get("to", ""))
            page = _PAGE.format(token=html.escape(token), to=to, script=_SCRIPT)
            return HTMLResponse(page, headers=_HEADERS)
        return HTMLResponse(_HELP.format(notice=""), headers=_HEADERS)

    async def enter(self, request: Request) -> Response:
        """Open a session and go to the console."""
        self._identity.check_origin(request)
        token, to = await _token_of(request)
        lifetime_s = self._settings.session_lifetime_s
        session = await asyncio.to_thread(self._sessions.redeem, token, lifetime_s)
        if session is None:
            await self._refusals.tell(request.client.host if request.client else "")
            return HTMLResponse(_HELP.format(notice=_USED), 403, headers=_HEADERS)
        response = RedirectResponse(_LANDINGS.get(to, "/"), 303)
        response.set_cookie(
            COOKIE,
            session,
            max_age=round(lifetime_s),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def leave(self, request: Request) -> Response:
        """End the session."""
        session = request.cookies.get(COOKIE)
        if session:
            await asyncio.to_thread(self._sessions.end, session)
            self._identity.forget(session)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response


async def _token_of(request: Request) -> tuple[str, str]:
    """Token, and where to go with it."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            raise Problem("body_too_large", "Too much at once", "a form with one token", 413)
    form = parse_qs(body.decode("utf-8", "replace"))
    return form.get("token", [""])[0], form.get("to", [""])[0]
