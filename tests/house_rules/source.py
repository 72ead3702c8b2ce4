"""One file of the tree, with and without its comments and literals."""
import functools
import os
import pathlib
import re

SKIPPED = {".git", "build", "node_modules", "__pycache__"}
SUFFIXES = {".cpp", ".h", ".py", ".md", ".toml", ".proto", ".cmake", ".txt", ".json"}
SCRIPTS = {"tests/run", "testnet/up", "testnet/down", ".ci/run", "scripts/packages", "scripts/steps.sh"}

_TOKENS = re.compile(r'R"(?P<tag>[^()\s\\]*)\(.*?\)(?P=tag)"|//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'
                     r"(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'", re.S)


def source_files(root):
    for folder, folders, names in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        folders[:] = sorted(each for each in folders if each not in SKIPPED and str(here / each) != "testnet/run")
        for name in sorted(names):
            path = str(here / name)
            if pathlib.Path(name).suffix in SUFFIXES or path in SCRIPTS:
                yield path


class Source:
    def __init__(self, root, path, text=None):
        self.root, self.path = root, path
        self.text = (root / path).read_text("utf-8", "replace") if text is None else text

    @functools.cached_property
    def code(self):
        """Comments and the content of literals blanked, lines kept; includes keep their names."""
        if not self.path.endswith((".cpp", ".h")):
            return self.text

        def blank(match):
            token = match.group()
            if token.startswith('"') and self.text[:match.start()].rpartition("\n")[2].strip() == "#include":
                return token
            return '""' + "\n" * token.count("\n") if token[0] in "\"'R" else "\n" * token.count("\n")

        return _TOKENS.sub(blank, self.text)

    def line_of(self, offset, text):
        return text.count("\n", 0, offset) + 1
