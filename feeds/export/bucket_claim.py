"""A claim on a bucket: as long as it is renewed, nobody else writes there.

A claim is an unfinished manifest, put in place by compare-and-swap, and renewed
the same way several times within its lease. Who finds one watches it for as
long as its lease: is it renewed, its publisher is at work; if not, it is dead,
and the claim is taken over. No clocks of two machines are compared. No request
is begun that could outlive the lease, so that whoever takes over is alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

from feeds.errors import FeedsError
from feeds.export.bucket_manifest import MANIFEST, Held, Manifest, parsed, written
from feeds.export.bucket_store import Conflict, Store, Version
from feeds.export.manifest import DamagedError

ATTRIBUTES = {
    "Content-Type": "text/tab-separated-values; charset=utf-8",
    "Cache-Control": "no-store",
}
# A swap is tried so often, beside the store's own retries.
_TRIES = 2
# In seconds: how often it is looked whether a claim has been renewed.
_LOOK = 0.05
# In seconds, of a claim as a whole.
_LONGEST = 3600

# One that goes on while a machine sleeps, where there is such a clock.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

Found = tuple[Manifest, Version | None]


class LostError(FeedsError):
    """Another publisher is at work."""


def _lost(store: Store) -> LostError:
    return LostError(
        f"{store.address}: another publish is at work there, and wins;"
        " publish again if this one is newer"
    )


def read(store: Store, *, force: bool = False) -> Found:
    """Give the manifest and its version; one without objects or a version where there is none.

    Raises FeedsError where it is damaged; with `force` it then counts as empty.
    """
    found = store.read(MANIFEST)
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


def read_settled(store: Store, told: Callable[[str, float], None], *, force: bool) -> Found:
    """Read the manifest when nobody is at work; raises FeedsError where somebody is."""
    found, version = read(store, force=force)
    begun = _now()
    while found.lease and (passed := _now() - begun) < found.lease:
        told("wait", passed / found.lease)
        time.sleep(min(store.bound / 4, found.lease - passed))
        again, _ = read(store, force=force)
        if again.mark != found.mark:
            raise _lost(store)
    return found, version


class Claim:
    """What one publisher holds on a bucket, and what it knows of its objects.

    `objects` may be changed by any thread: each renewal tells what is there, for
    whoever takes over.
    """

    def __init__(
        self,
        store: Store,
        version: Version | None,
        objects: Mapping[str, Held],
        unpurged: Sequence[str] = (),
    ) -> None:
        self.objects = {**objects}
        self._unpurged = unpurged
        self._store = store
        self._version = version
        self._lease = 1.5 * store.bound
        self._until = 0.0
        self._longest = _now() + _LONGEST
        self._marks: set[str] = set()
        self._broken: FeedsError | None = None
        self._over = Event()
        self._heart = Thread(target=self._beat, name="feeds-claim", daemon=True)

    def take(self) -> None:
        """Claim the bucket, and renew the claim from now on; raises FeedsError where another did."""
        self._renew(_TRIES)
        self._heart.start()

    def may_begin(self) -> None:
        """Wait until a request that begins now ends within the lease; raises FeedsError if none can."""
        while _now() + self._store.bound > self._until:
            if self._broken:
                raise self._broken
            time.sleep(_LOOK)
        if _now() > self._longest:
            raise FeedsError(
                f"{self._store.address}: this takes over an hour, and was broken off;"
                " publish again to go on"
            )

    def finish(self, objects: Mapping[str, Held]) -> tuple[Manifest, Version | None]:
        """Put the manifest of what is there in place, and return it with its version.

        Raises FeedsError where another took over.
        """
        self._stop()
        if self._broken:
            raise self._broken
        manifest = Manifest(objects=objects, unpurged=self._unpurged)
        self._swap(manifest, _TRIES)
        return manifest, self._version

    def give_up(self) -> None:
        """Leave the bucket to the next, who then need not wait, as far as the store lets it.

        Raises FeedsError where it is another's already.
        """
        self._stop()
        if self._broken is None:
            try:
                self._swap(
                    Manifest(objects=self.objects, finished=False, unpurged=self._unpurged), 1
                )
            except FeedsError as error:
                self._broken = error
        if isinstance(self._broken, LostError):
            raise self._broken

    def _stop(self) -> None:
        self._over.set()
        self._heart.join()

    def _beat(self) -> None:
        while not self._over.wait(self._store.bound / 8):
            try:
                self._renew(1)
            except FeedsError as error:
                # What fails is tried again, as long as the claim is still ours.
                if isinstance(error, LostError) or _now() > self._until:
                    self._broken = error
                    return

    def _renew(self, tries: int) -> None:
        begun = _now()
        claim = Manifest(
            objects={**self.objects}, finished=False, lease=self._lease, unpurged=self._unpurged
        )
        self._swap(claim, tries)
        self._until = begun + self._lease

    def _swap(self, manifest: Manifest, tries: int) -> None:
        """Replace the manifest that this publisher put there; raises FeedsError.

        The answer to a swap can be lost, and then its like conflicts with it: so
        who finds a mark of its own there has lost nothing.
        """
        body = written(manifest)
        self._marks.add(manifest.mark)
        for left in reversed(range(tries + 1)):
            try:
                self._version = self._store.swap(MANIFEST, body, ATTRIBUTES, self._version)
            except Conflict:
                found, version = read(self._store, force=True)
                if found.mark == manifest.mark:
                    self._version = version
                    return
                if not left or (version != self._version and found.mark not in self._marks):
                    raise _lost(self._store) from None
                self._version = version
            except FeedsError:
                if left <= 1:
                    raise
            else:
                return


def _now() -> float:
    return time.clock_gettime(_CLOCK)
