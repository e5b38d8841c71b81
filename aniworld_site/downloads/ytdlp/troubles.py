"""What went wrong in yt-dlp, as a sentence and as what it means for another try."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

PERMANENT, LOGIN, THROTTLED, PASSING = "permanent", "login", "throttled", "passing"
DISK = "disk"
DISK_FULL = "The disk is full."
REFUSED = "X-AniWorld-Refused"
"""Header of the proxy's own refusals."""

_NOISE = re.compile(
    r"\x1b\[[0-9;]*m|;? *please report this issue.*|\(caused by.*|;? *Confirm you are on the latest.*",
    re.IGNORECASE | re.DOTALL,
)
_PREFIX = re.compile(r"^(?:ERROR:\s*)?(?:\[[^\]]{1,80}\]\s*)?(?:[^\s:]{1,80}:\s)?")
_TUNNEL = re.compile(r"Tunnel connection failed: 403 ?([^)'\"]*)")
# ffmpeg's own words, which reach yt-dlp as text.
_FULL = re.compile("No space left on device|Disk quota exceeded")
_PATTERNS = [
    (
        re.compile(r"too many requests|rate.?limit|not a bot|captcha", re.IGNORECASE),
        THROTTLED,
    ),
    (
        re.compile(
            r"will begin|premieres|not started|live event|is live|timed out",
            re.IGNORECASE,
        ),
        PASSING,
    ),
    (
        re.compile(
            r"sign in|log ?in|cookies|registered|members|subscri|private video|password|premium",
            re.IGNORECASE,
        ),
        LOGIN,
    ),
]


class Refused(Exception):  # noqa: N818 - it is no fault
    """Something that is not done here; the text is a sentence."""

    def __init__(self, message: str, trouble: str = PERMANENT) -> None:
        super().__init__(message)
        self.trouble = trouble


def describe(error: BaseException) -> tuple[str, str]:
    """Return a sentence and the trouble, one of the five above, of whatever yt-dlp raised."""
    chain = list(_walk(error))
    for each in chain:
        if found := _read_disk(each):
            return found
        if isinstance(each, Refused):
            return str(each), each.trouble
        if found := _read_status(each):
            return found
        if type(each).__name__ == "CookieLoadError":
            return "Its file of cookies is not in Netscape's format.", LOGIN
        if tunnel := _TUNNEL.search(str(each)):
            said = tunnel[1].strip()
            return said or "The address is refused.", PERMANENT
    said = _clean(str(error))
    return said, _judge(said, chain)


def _walk(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it: yt-dlp keeps that in attributes of its own."""
    left: list[object] = [error]
    seen: set[int] = set()
    while left and len(seen) < 30:
        each = left.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        info = getattr(each, "exc_info", None) or (None, None)
        left += [
            info[1],
            getattr(each, "cause", None),
            each.__cause__,
            each.__context__,
        ]


def _read_disk(error: BaseException) -> tuple[str, str] | None:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "PostProcessingError" in names and _FULL.search(str(error)):
        return DISK_FULL, DISK
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK_FULL, DISK
    if error.errno == errno.EFBIG:
        return "The file system takes no file that large.", PERMANENT
    return None


def _read_status(error: BaseException) -> tuple[str, str] | None:
    status, response = getattr(error, "status", None), getattr(error, "response", None)
    if not isinstance(status, int) or response is None:
        return None
    if status == 403 and (said := response.headers.get(REFUSED)):
        return str(said), PERMANENT
    said = f"{status} {getattr(error, 'reason', '') or ''}".strip()
    if status in (401, 403, 407):
        return f"It wants a login, or another one ({said}).", LOGIN
    if status == 429:
        return f"It is asked too often ({said}).", THROTTLED
    if status >= 500 or status == 408:
        return f"It has a fault of its own ({said}).", PASSING
    return f"There is nothing at this address ({said}).", PERMANENT


def _clean(text: str) -> str:
    said = _PREFIX.sub("", _NOISE.sub("", text).strip(), count=1).strip(" ;.")[:300]
    return f"{said or 'yt-dlp ended without saying why'}."


def _judge(said: str, chain: list[BaseException]) -> str:
    for pattern, trouble in _PATTERNS:
        if pattern.search(said):
            return trouble
    names = {kind.__name__ for each in chain for kind in type(each).__mro__}
    if names & {"TransportError", "OSError", "IncompleteRead"}:
        return PASSING
    # An extractor says so itself where the site said no; all else is its own fault, which a newer version may not have.
    expected = any(getattr(each, "expected", False) for each in chain)
    is_final = names & {"UnsupportedError", "GeoRestrictedError"}
    is_final |= {"format"} if "Requested format" in said else set()
    return PERMANENT if expected or is_final else PASSING
