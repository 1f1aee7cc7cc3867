"""A claim on a bucket: as long as it is renewed, nobody else writes there.

A claim is an unfinished manifest, put in place by compare-and-swap, and renewed
the same way several times within its lease. Who finds one watches it for as
long as its lease: is it renewed, its publisher is at work; if not, it is dead,
and the claim is taken over. No clocks of two machines are compared. No request
is begun that could outlive the lease, so that whoever takes over is alone.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from feeds.errors import FeedsError
from feeds.export.bucket_manifest import MANIFEST, Held, Manifest, parsed, written
from feeds.export.bucket_store import Conflict, Store, Version
from feeds.export.manifest import DamagedError

_ATTRIBUTES = {
    "Content-Type": "text/tab-separated-values; charset=utf-8",
    "Cache-Control": "no-store",
}
# So often is a swap tried whose answer was lost.
_TRIES = 3
# In seconds, how often it is looked whether a claim has been renewed.
_LOOK = 0.05

Found = tuple[Manifest, Version | None]


async def read(store: Store, *, force: bool = False) -> Found:
    """Give the manifest and its version; one without objects or a version where there is none.

    Raises FeedsError where it is damaged; with `force` it then counts as empty.
    """
    found = await store.read(MANIFEST)
    if found is None:
        return Manifest(objects={}, finished=False), None
    body, version = found
    try:
        return parsed(body), version
    except DamagedError:
        if force:
            return Manifest(objects={}, finished=False), version
        raise FeedsError(
            f"{store.address}: {MANIFEST} is damaged; with --force a new one is written,"
            " and what only the old one knew is left alone"
        ) from None


async def read_settled(store: Store, told: Callable[[str, float], None], *, force: bool) -> Found:
    """Read the manifest when nobody is at work; raises FeedsError where somebody is."""
    found, version = await read(store, force=force)
    begun = time.monotonic()
    while found.lease and (passed := time.monotonic() - begun) < found.lease:
        told("wait", passed / found.lease)
        await asyncio.sleep(min(store.bound / 4, found.lease - passed))
        again, _ = await read(store, force=force)
        if again.mark != found.mark:
            raise lost(store)
    return found, version


def lost(store: Store) -> FeedsError:
    """Give the error of the one of two publishers that does not win."""
    return FeedsError(
        f"{store.address}: another publish is at work there, and wins;"
        " publish again if this one is newer"
    )


class Claim:
    """What one publisher holds on a bucket, and what it knows of its objects."""

    def __init__(self, store: Store, version: Version | None, objects: Mapping[str, Held]) -> None:
        self.objects = {**objects}
        self._store = store
        self._version = version
        self._lease = 1.5 * store.bound
        self._until = 0.0
        self._marks: set[str] = set()
        self._lock = asyncio.Lock()
        self._broken: FeedsError | None = None
        self._heart: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Claim the bucket, and renew the claim from now on; raises FeedsError where another did."""
        await self._renew()
        self._heart = asyncio.create_task(self._beat())

    async def may_begin(self) -> None:
        """Wait until a request that begins now ends within the lease; raises FeedsError if none can."""
        while time.monotonic() + self._store.bound > self._until:
            if self._broken:
                raise self._broken
            await asyncio.sleep(_LOOK)

    async def finish(self, objects: Mapping[str, Held]) -> None:
        """Put the manifest of what is there now in place; raises FeedsError where another took over."""
        await self._stop()
        if self._broken:
            raise self._broken
        await self._swap(Manifest(objects=objects))

    async def give_up(self) -> None:
        """Leave the bucket to the next, which need not wait, as far as the store lets it."""
        await self._stop()
        with suppress(FeedsError, TimeoutError):
            left = Manifest(objects=self.objects, finished=False)
            await asyncio.wait_for(self._swap(left), self._store.bound)

    async def _stop(self) -> None:
        if self._heart:
            async with self._lock:
                self._heart.cancel()
            with suppress(asyncio.CancelledError):
                await self._heart

    async def _beat(self) -> None:
        while not self._broken:
            await asyncio.sleep(self._store.bound / 4)
            async with self._lock:
                try:
                    await self._renew()
                except FeedsError as error:
                    self._broken = error

    async def _renew(self) -> None:
        begun = time.monotonic()
        await self._swap(Manifest(objects=self.objects, finished=False, lease=self._lease))
        self._until = begun + self._lease

    async def _swap(self, manifest: Manifest) -> None:
        """Replace the manifest that this publisher knows; raises FeedsError where it is another.

        An answer can be lost whose question was heard: then it is looked what is there.
        """
        body = written(manifest)
        self._marks.add(manifest.mark)
        failed: FeedsError | None = None
        for _ in range(_TRIES):
            try:
                self._version = await self._store.swap(MANIFEST, body, _ATTRIBUTES, self._version)
            except (Conflict, FeedsError) as error:
                failed = error if isinstance(error, FeedsError) else failed
                found, version = await read(self._store, force=True)
                if found.mark == manifest.mark:
                    self._version = version
                    return
                if version != self._version and found.mark not in self._marks:
                    raise lost(self._store) from None
                self._version = version
            else:
                return
        raise failed or lost(self._store)
