"""What an export has for itself while it works, and what a killed one leaves of that."""

from feeds.export.safe_folder import OURS, Tree

# Files that are not in place yet, and second names of those that are no longer.
NEW = f"{OURS}/new"
OLD = f"{OURS}/old"


def swept(tree: Tree) -> bool:
    """Tell whether there is nothing to sweep."""
    return not {"new", "old"} & {*tree.names(OURS)}


def sweep(tree: Tree) -> None:
    """Take it all away; raises FeedsError."""
    if swept(tree):
        return
    for folder in (NEW, OLD):
        for name in tree.names(folder):
            tree.unlink(f"{folder}/{name}")
        tree.rmdir(folder)
