"""Starting yt-dlp's child and hearing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import monotonic
from types import TracebackType
from typing import Any, Literal

from aniworld_site.downloads import children
from aniworld_site.downloads.ytdlp.troubles import PASSING

LISTEN_S = 0.25
LONGEST_LIST_S = 3600.0


class ChildError(Exception):
    """What the child was asked for did not come about; the text is a sentence."""

    def __init__(self, message: str, trouble: str = PASSING) -> None:
        super().__init__(message)
        self.trouble = trouble
        """`permanent`, `login`, `throttled`, `disk` or `passing`."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the child is asked for."""

    do: Literal["list", "fetch"]
    url: str
    proxy: str
    """With its credential."""
    target: str = ""
    """Absolute path of the file without extension; for a fetch."""
    cookies: str = ""
    format: str = ""
    rate_limit: int = 0
    """Bytes per second."""
    library: str = ""
    """Folder of a newer yt-dlp."""


class Child(children.Child):
    """One run of yt-dlp. Ended when the block is left; leaving it in the middle keeps the part that is there."""

    # A list is one line.
    longest_line = 16 * 1024 * 1024

    def __init__(self, request: Request) -> None:
        # A fetch beats every second; of a list nothing is heard before it is whole.
        self.silent_s = 30.0 if request.do == "fetch" else LONGEST_LIST_S
        super().__init__(
            "aniworld_site.downloads.ytdlp.child",
            asdict(request),
            environment={"YTDLP_NO_PLUGINS": "1", "PYTHONUTF8": "1"},
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def hear(self, *, timeout_s: float | None = None) -> Iterator[dict[str, Any]]:
        """Yield what the child says, each within a moment; ends with its `listing` or `done`.

        Raises:
            ChildError: It says that it failed, ends without a word, says nothing for 30 s of a fetch, or takes too long.
        """
        until = None if timeout_s is None else monotonic() + timeout_s
        for message in self.listen(every_s=LISTEN_S):
            if message is None:
                if until is not None and monotonic() > until:
                    raise ChildError(f"yt-dlp was not through after {timeout_s:g} s.")
                continue
            if "error" in message:
                raise ChildError(
                    str(message["error"]), str(message.get("trouble", PASSING))
                )
            yield message
            if "listing" in message or "done" in message:
                return
        raise ChildError("yt-dlp ended without a word.")
