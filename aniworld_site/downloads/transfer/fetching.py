"""From an address to a whole, verified file under its temporary name."""

from __future__ import annotations

import errno
import http.client
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from aniworld_site.downloads.providers.base import ProviderError, Trouble
from aniworld_site.downloads.providers.cleaning import MAX_SIZE_BYTES
from aniworld_site.downloads.transfer.connections import (
    Answer,
    Target,
    ask,
    tell_failure,
)
from aniworld_site.downloads.transfer.contents import (
    HEAD_BYTES,
    check_encoding,
    check_head,
    check_type,
    compute,
    find_extension,
)
from aniworld_site.downloads.transfer.pacing import LARGEST_CHUNK, Pacer
from aniworld_site.downloads.transfer.parts import Origin, Part

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LARGEST_UNKNOWN_BYTES = 64 << 30
"""More than any episode has: what sends as much without saying how much it is has no end."""


class DiskFullError(Exception):
    """There is no room for more bytes."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one child is to do. Goes over its standard input as JSON."""

    target: Target
    path: Path
    """Of the partial file."""
    size_bytes: int | None = None
    """Exactly so many, as the source says; None where it does not say or is not to be relied on."""
    checksum: str = ""
    """Like `sha256:9f86…`."""
    most_bytes: int = 1 << 50
    """More than that there is no room for."""
    extensions: frozenset[str] = field(default_factory=frozenset)
    """How a video's name may end, with the dot."""


@dataclass(kw_only=True)
class Progress:
    """What is told on the way."""

    bytes_done: int
    size_bytes: int | None
    is_verifying: bool = False


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A whole file."""

    size_bytes: int
    extension: str


def fetch(job: Job, pacer: Pacer, tell: Callable[[Progress], None]) -> Fetched:
    """Fetch what is not there yet, verify the whole, and return what it is. May be interrupted and called again at any time.

    Raises:
        ProviderError: The source does not give it, or the file system takes no such file.
        DiskFullError: No room is left; what came is kept.
        PartBusyError: Another process writes the same file.
    """
    try:
        with closing(Part(job.path)) as part:
            extension = _receive(job, part, pacer, tell)
            part.sync()
            _verify(job, part, tell)
            return Fetched(size_bytes=part.size, extension=extension)
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError from error
        if error.errno == errno.EFBIG:
            # FAT32 takes 4 GiB. No room that anybody makes helps.
            raise ProviderError(
                "The file system takes no file that large.", trouble=Trouble.PERMANENT
            ) from error
        raise


def _receive(
    job: Job, part: Part, pacer: Pacer, tell: Callable[[Progress], None]
) -> str:
    """Ask until all of it is there: some servers send less at once than they are asked for."""
    while True:
        had = part.size
        answer = _ask_for_rest(job, part)
        try:
            extension = _take(job, part, answer, pacer, tell)
        finally:
            answer.close()
        total = part.origin.total
        if total is None or part.size >= total:
            return extension
        if part.size <= had:
            raise _tell_early_end(answer, part, total)


def _take(
    job: Job,
    part: Part,
    answer: Answer,
    pacer: Pacer,
    tell: Callable[[Progress], None],
) -> str:
    host = answer.connection.host
    if answer.status == 416:
        # All of it was there already.
        extension = _find_extension(job, part, answer)
        tell(Progress(bytes_done=part.size, size_bytes=part.size))
        return extension
    end = _begin(job, part, answer, tell)
    tell(Progress(bytes_done=part.size, size_bytes=part.origin.total))
    check_type(host, answer.header("Content-Type"))
    check_encoding(host, answer.header("Content-Encoding"))
    if part.size >= HEAD_BYTES:
        _find_extension(job, part, answer)
    _copy(job, part, answer, end, pacer, tell)
    return _find_extension(job, part, answer)


def _ask_for_rest(job: Job, part: Part) -> Answer:
    """Ask for what is missing, and for the whole where what is there cannot be continued."""
    origin = part.origin
    may_resume = (
        part.size > 0
        and origin.url == job.target.url
        and bool(origin.validator or job.checksum)
    )
    if not may_resume:
        return _ask_for_all(job, part)
    headers = {"Range": f"bytes={part.size}-"}
    if origin.validator:
        headers["If-Range"] = origin.validator
    answer = ask(job.target, headers)
    if answer.status == 200:
        return answer
    if answer.status == 206:
        if _continues(answer, part) and _has_same_version(answer, origin):
            return answer
    elif (
        part.size == origin.total
        and job.size_bytes in (None, part.size)
        and _has_same_size(answer, part.size)
    ):
        return answer
    # Another version, or a server that does not do what it says.
    answer.close()
    return _ask_for_all(job, part)


def _continues(answer: Answer, part: Part) -> bool:
    """Tell whether a part begins where the bytes end that are there, and is of as large a file, whose size is known by now."""
    piece, known = answer.piece, part.origin.total
    if piece is None or piece.first != part.size:
        return False
    if piece.total is None:
        return known is not None and piece.end <= known
    return known in (None, piece.total)


def _has_same_version(answer: Answer, origin: Origin) -> bool:
    """Tell whether a part is of what is there: some servers send one of whatever they have by now."""
    said = (answer.header("ETag")[:200], answer.header("Last-Modified")[:100])
    known = (origin.etag, origin.last_modified)
    return all(
        not now or not before or now == before
        for now, before in zip(said, known, strict=True)
    )


def _has_same_size(answer: Answer, size: int) -> bool:
    return answer.header("Content-Range") in ("", f"bytes */{size}")


def _ask_for_all(job: Job, part: Part) -> Answer:
    part.begin(Origin(url=job.target.url), at=0)
    answer = ask(job.target, {})
    if answer.status == 200:
        return answer
    host, status = answer.connection.host, answer.status
    answer.close()
    said = "has no such bytes" if status == 416 else "answers with a part"
    raise ProviderError(
        f"{host} {said} ({status}) though the whole was asked for.",
        trouble=Trouble.PERMANENT,
    )


def _begin(
    job: Job, part: Part, answer: Answer, tell: Callable[[Progress], None]
) -> int | None:
    """Note of what the bytes to come are; return how many will be there after this answer, None where nobody knows."""
    at, host, known = 0, answer.connection.host, Origin()
    end = total = answer.length
    if answer.status == 206 and (piece := answer.piece) is not None:
        at, known = part.size, part.origin
        # Not the whole, and no more than both say.
        end = piece.end if end is None else min(piece.end, at + end)
        total = known.total if piece.total is None else piece.total
    if total is not None and total > MAX_SIZE_BYTES:
        raise ProviderError(
            f"{host} says that it has more than {MAX_SIZE_BYTES >> 40} TiB, which no video has.",
            trouble=Trouble.PERMANENT,
        )
    if None not in (job.size_bytes, total) and total != job.size_bytes:
        raise ProviderError(
            f"The source lists {job.size_bytes} bytes, {host} has {total}: it is not the same file.",
            trouble=Trouble.PERMANENT,
        )
    if total is not None and total > job.most_bytes:
        # Whoever waits for room has to know for how much.
        tell(Progress(bytes_done=at, size_bytes=total))
        raise DiskFullError
    part.begin(
        Origin(
            url=job.target.url,
            # Of a piece not all servers say the version again.
            etag=answer.header("ETag")[:200] or known.etag,
            last_modified=answer.header("Last-Modified")[:100] or known.last_modified,
            total=total,
        ),
        at=at,
    )
    return end


def _copy(
    job: Job,
    part: Part,
    answer: Answer,
    end: int | None,
    pacer: Pacer,
    tell: Callable[[Progress], None],
) -> None:
    response, host = answer.response, answer.connection.host
    total = part.origin.total
    most = min(job.most_bytes, total or job.size_bytes or LARGEST_UNKNOWN_BYTES)
    buffer = memoryview(bytearray(LARGEST_CHUNK))
    is_checked = part.size >= HEAD_BYTES
    while end is None or part.size < end:
        # Not beyond the end: what is buffered is only returned without waiting for more where no more is asked for.
        room = pacer.chunk if end is None else min(pacer.chunk, end - part.size)
        count = _read_into(response, buffer[:room], host)
        if not count:
            break
        if part.size + count > most:
            raise _tell_too_much(job, part, host)
        part.write(buffer[:count])
        if not is_checked and part.size >= HEAD_BYTES:
            _find_extension(job, part, answer)
            is_checked = True
        pacer.spend(count)
        if pacer.is_stuck(count):
            raise ProviderError(f"{host} sends less than 1 KiB a second.")
        tell(Progress(bytes_done=part.size, size_bytes=total or job.size_bytes))
    expected = job.size_bytes if end is None else end
    if expected is not None and part.size < expected:
        raise _tell_early_end(answer, part, expected if total is None else total)


def _tell_early_end(answer: Answer, part: Part, total: int) -> ProviderError:
    return ProviderError(
        f"{answer.connection.host} ended after {part.size} of {total} bytes; the rest is asked for later."
    )


def _read_into(
    response: http.client.HTTPResponse, buffer: memoryview, host: str
) -> int:
    try:
        if response.chunked:
            data = response.read1(len(buffer))
            buffer[: len(data)] = data
            return len(data)
        # One call of the system, as soon as there is anything: `readinto` would wait until the buffer is full.
        if response.isclosed():
            return 0
        return response.fp.readinto1(buffer)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise tell_failure(host, error) from error


def _tell_too_much(job: Job, part: Part, host: str) -> Exception:
    if job.most_bytes < (job.size_bytes or LARGEST_UNKNOWN_BYTES):
        return DiskFullError()
    if job.size_bytes is None:
        # Nobody needs a piece of what has no end, and others need the room.
        part.begin(Origin(url=job.target.url), at=0)
        return ProviderError(
            f"{host} sent {LARGEST_UNKNOWN_BYTES >> 30} GiB without saying how much there is: it may have no end.",
            trouble=Trouble.PERMANENT,
        )
    return ProviderError(
        f"{host} sends more than the {job.size_bytes} bytes that the source lists.",
        trouble=Trouble.PERMANENT,
    )


def _find_extension(job: Job, part: Part, answer: Answer) -> str:
    with part.path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    host = answer.connection.host
    if not head:
        raise ProviderError(f"{host} sends nothing.", trouble=Trouble.PERMANENT)
    check_head(host, head)
    return find_extension(
        job.target.url,
        mime=answer.header("Content-Type"),
        disposition=answer.header("Content-Disposition"),
        head=head,
        known=job.extensions,
    )


def _verify(job: Job, part: Part, tell: Callable[[Progress], None]) -> None:
    if not job.checksum:
        return
    verifying = Progress(bytes_done=part.size, size_bytes=part.size, is_verifying=True)
    algorithm, _, expected = job.checksum.partition(":")
    found = compute(part.path, algorithm, lambda: tell(verifying))
    if found != expected:
        size = part.size
        part.begin(Origin(), at=0)
        raise ProviderError(
            f"Its {size} bytes arrived with another checksum than {algorithm} {expected[:16]}…: they are thrown away and fetched anew."
        )
