"""Release → folder: each file whole, old or new; identical ones untouched; what is not ours left alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from feeds.errors import FeedsError
from feeds.export import manifest
from feeds.export.exchange import Exchange
from feeds.export.interruption import interrupted_once
from feeds.export.lock import locked
from feeds.export.manifest import Manifest, beside
from feeds.export.ownership import MANIFEST, admit, owned, refuse_others
from feeds.export.plan import add_compressed, make_plan
from feeds.export.report import Options, Report
from feeds.export.staging import Put, stage
from feeds.export.sweeping import NEW, sweep
from feeds.export.tree import OURS, Tree, let_in, usual_umask
from feeds.model import Document
from feeds.paths import is_for_hosts
from feeds.workshop import Workshop

_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_USUAL = Options()
# What makes a server read its configuration again; others read theirs by themselves.
_RELOADS = {"nginx.conf": "reload nginx", "Caddyfile": "reload caddy"}


def export_folder(
    release: Mapping[str, Document], folder: Path, options: Options = _USUAL
) -> Report:
    """Write a release into a folder; see `opened` and `write_release`."""
    with opened(folder, options) as tree:
        return write_release(tree, release, options)


@contextmanager
def opened(folder: Path, options: Options) -> Iterator[Tree]:
    """Give a folder, made where it is missing, for this export alone.

    Raises FeedsError with the path where the folder cannot be written, belongs
    to somebody else, or is being written.
    """
    if not options.dry_run:
        _make(folder)
    with closing(Tree(folder)) as tree:
        admit(tree, force=options.force)
        if options.dry_run:
            yield tree
            return
        tree.make(OURS)
        with locked(tree):
            yield tree


def write_release(  # noqa: PLR0913  # each is named, and has its default
    tree: Tree,
    release: Mapping[str, Document],
    options: Options = _USUAL,
    *,
    extra: Mapping[str, bytes] = _NOTHING,
    workshop: Workshop | None = None,
    owe: Callable[[Sequence[str]], None] = lambda _: None,
) -> Report:
    """Write each document whose bytes differ from the file's, and the extra files after them.

    A written file's time is the document's `modified`, from which a plain web
    server makes its validators. All files are written and brought to rest under
    other names before the first is put in place; where a step fails, what was
    there is there again. Before anything is changed, `owe` is given the paths that
    will be. Raises FeedsError with the path that was refused.
    """
    workshop = workshop or Workshop()
    before, finished = owned(tree, force=options.force)
    plan = make_plan(tree, release, extra, workshop)
    if options.compress:
        add_compressed(tree, plan, release, before, workshop)
    if not options.force:
        refuse_others(tree, plan.puts, before)
    stale = sorted(before.keys() - plan.wanted.keys())
    # Beside a document nothing old may stay: it would be sent in its place.
    gone = [path for path in stale if options.prune or beside(path) in plan.wanted]
    files = {**before, **plan.wanted}
    after = {path: files[path] for path in files.keys() - {*gone}}
    report = Report(
        written=tuple(put.path for put in plan.puts),
        unchanged=tuple(plan.unchanged),
        removed=tuple(path for path in gone if tree.holds(path)),
        files=files,
        dry_run=options.dry_run,
        remarks=(*_uncompressed(gone, options), *_reconfigured(plan.puts, extra, options)),
    )
    if not options.dry_run:
        sweep(tree)
        if plan.puts or not finished or before != after:
            owe(report.changed)
            manifests = _manifests(tree, claim=report.files, final=after)
            _carry_out(tree, plan.puts, gone, manifests, workshop.told)
    return report


def _uncompressed(gone: Sequence[str], options: Options) -> Iterator[str]:
    """Yield a remark where an earlier export put compressed files there, and this one does not."""
    count = 0 if options.compress else sum(beside(path) is not None for path in gone)
    if count:
        verb = "would be removed" if options.dry_run else "removed"
        yield f"{count} compressed files {verb}: keep them with --compress"


def _reconfigured(
    puts: Sequence[Put], extra: Mapping[str, bytes], options: Options
) -> Iterator[str]:
    """Yield a remark for each file of the host's configuration that is replaced."""
    for put in puts:
        if put.replaces and put.path in extra and is_for_hosts(put.path):
            name = put.path.rpartition("/")[2]
            remedy = f": {_RELOADS[name]}" if name in _RELOADS else ""
            yield f"{name} would change" if options.dry_run else f"{name} changed{remedy}"


def _manifests(tree: Tree, *, claim: Manifest, final: Manifest) -> list[Put]:
    """Give the manifest as it is to be while an export is at work, and after it.

    The first names what there was and what there will be: so, if this process
    is killed, nothing is left that the next export does not know as ours.
    """
    body = manifest.written(claim, finished=False)
    return [
        Put(MANIFEST, body, replaces=tree.holds(MANIFEST)),
        Put(MANIFEST, manifest.written(final), replaces=True),
    ]


def _carry_out(
    tree: Tree,
    puts: Sequence[Put],
    stale: Sequence[str],
    manifests: Sequence[Put],
    told: Callable[[str, float], None],
) -> None:
    exchange = Exchange(tree)
    with interrupted_once() as ignore_interrupts:
        try:
            stage(tree, [*puts, *manifests], told)
            _place(tree, exchange, puts, stale, told)
        except BaseException as error:
            ignore_interrupts()
            whole = exchange.undo()
            with suppress(FeedsError):
                sweep(tree)
            if whole or not isinstance(error, FeedsError | KeyboardInterrupt):
                raise
            reason = error if isinstance(error, FeedsError) else "interrupted"
            raise FeedsError(f"{reason}; not all could be put back: export again") from None
    sweep(tree)


def _place(
    tree: Tree,
    exchange: Exchange,
    puts: Sequence[Put],
    stale: Sequence[str],
    told: Callable[[str, float], None],
) -> None:
    """Put all that is staged in place, between the two manifests, and take away what is stale."""
    claim, final = range(len(puts), len(puts) + 2)
    tree.rename(f"{NEW}/{claim}", MANIFEST)
    tree.sync(OURS)
    for number, put in enumerate(puts):
        told("place", number / len(puts))
        exchange.put(number, put.path, replaces=put.replaces)
    exchange.sync()
    for path in stale:
        exchange.take(path)
    exchange.put(final, MANIFEST, replaces=True)
    exchange.sync()


def _make(folder: Path) -> None:
    """Make a folder that lasts, with those around it; raises FeedsError."""
    try:
        missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
        for path in reversed(missing):
            with usual_umask():
                path.mkdir(exist_ok=True)
            let_in(path)
    except OSError as error:
        raise FeedsError(f"{folder}: {error.strerror or 'cannot be made'}") from None
    for path in missing:
        with closing(Tree(path.parent)) as around:
            around.sync("")
