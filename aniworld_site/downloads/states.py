"""What a person may do with a download, by its state. The writer of states and the pages both ask here."""

from __future__ import annotations

from aniworld_site.downloads.models import Download

State = Download.State

ENDED_STATES = (State.DONE, State.FAILED, State.CANCELLED)
MAY_PAUSE = (State.QUEUED, State.WAITING, State.ACTIVE, State.VERIFYING)
MAY_RESUME = (State.PAUSED,)
MAY_CANCEL = (*MAY_PAUSE, State.PAUSED)
MAY_RETRY = (State.FAILED, State.CANCELLED, State.WAITING)
MAY_FORCE = (State.QUEUED, State.WAITING, State.PAUSED)
MAY_MOVE = MAY_CANCEL
WISHES = {
    "pause": MAY_PAUSE,
    "resume": MAY_RESUME,
    "cancel": MAY_CANCEL,
    "retry": MAY_RETRY,
    "force": MAY_FORCE,
    "move": MAY_MOVE,
    "remove": ENDED_STATES,
}


def list_wishes(state: str, *, is_settled: bool) -> frozenset[str]:
    """Return what a person may wish for a download in a state: names of `WISHES`.

    `is_settled` says that it has ended and its episode has its file or is in the queue: it is then not tried again.
    """
    return frozenset(
        wish
        for wish, states in WISHES.items()
        if state in states and not (is_settled and wish == "retry")
    )
