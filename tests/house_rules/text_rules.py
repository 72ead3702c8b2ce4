"""Checks that look at one file; each returns [(line, what)]."""
import pathlib
import re

LINES_MAX = 600
TOP_FOLDERS = ("base", "crypto", "dkg", "net", "registry", "node", "sdk", "cli", "attest", "bench", "programs", "proto",
               "tests", "testnet", "scripts", "docs", "cmake", ".ci")


class Rule:
    def __init__(self, name, remedy, check, bad, good):
        self.name, self.remedy, self.check, self.bad, self.good = name, remedy, check, bad, good


def pattern(paths, forbidden, comments=False):
    """Fires where the forbidden expression stands in a file whose path matches."""
    where, what = re.compile(paths), re.compile(forbidden)

    def check(source):
        if not where.fullmatch(source.path):
            return []
        text = source.text if comments else source.code
        return [(source.line_of(match.start(), text), match.group().strip()) for match in what.finditer(text)]

    return check


def pragma_once(source):
    if source.path.endswith(".h") and not re.search(r"^#pragma once$", source.text, re.M):
        return [(1, "no #pragma once")]
    return []


def file_length(source):
    lines = source.text.count("\n")
    if source.path.endswith((".cpp", ".h", ".py")) and lines > LINES_MAX:
        return [(LINES_MAX, f"{lines} lines; at most {LINES_MAX}, better 300")]
    return []


# ---- co_await

def _statement_around(code, offset):
    """From the end of the statement before to this one's `;`, or to the bracket that closes around it."""
    begin = max(code.rfind(mark, 0, offset) for mark in ";{}") + 1
    depth, end = 0, offset
    while end < len(code):
        if code[end] in "([":
            depth += 1
        elif code[end] in ")]":
            depth -= 1
        elif code[end] == ";" and depth <= 0:
            break
        elif code[end] == "{" and depth < 0:  # the body of if (co_await ..) {
            break
        end += 1
    return code[begin:end]


def bare_co_await(source):
    if not source.path.endswith((".cpp", ".h")):
        return []
    found = []
    for match in re.finditer(r"\bco_await\b", source.code):
        statement = _statement_around(source.code, match.start())
        mark = re.search(r"[{?]|&&|\|\|", statement)
        if mark:
            what = f"{mark.group()} in a statement with co_await"
            found.append((source.line_of(match.start(), source.code), what))
    return found


# ---- names

_BANNED = {"manager", "handler", "helper", "helpers", "util", "utils", "common", "info", "do", "data"}
# Where the word is somebody else's: yamux's Data frame, libp2p's AddressInfo, the setting data_dir.
_TAKEN_WORDS = {"net/yamux": "data", "net/peer_record": "info", "node/io/data_lock": "data"}
_TYPE = re.compile(r"\b(?:class|struct|enum(?: class)?)\s+([A-Z]\w*)")
_FUNCTION = re.compile(r"^\s*(?:\[\[nodiscard\]\]\s*)?(?:(?:static|inline|virtual|constexpr|explicit|friend)\s+)*"
                       r"(?!return\b|co_return\b|throw\b|else\b|new\b|delete\b|case\b|using\b|goto\b)"
                       r"[A-Za-z_][\w:<>,*& ]*[\s*&]([a-z]\w*)\s*\(", re.M)


def _words(name):
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def _is_banned(name, allowed=frozenset()):
    if name == "data":  # as containers have it
        return False
    return bool((_BANNED - allowed).intersection(_words(name))) or name.startswith("get_")


def banned_names(source):
    path = pathlib.PurePath(source.path)
    if path.suffix not in {".cpp", ".h", ".py", ".proto"}:
        return []
    allowed = {word for prefix, word in _TAKEN_WORDS.items() if source.path.startswith(prefix)}
    found = []
    if any(_is_banned(part.partition(".")[0], allowed) for part in path.parts):
        found.append((1, f"file or folder name {source.path}"))
    if path.suffix in {".cpp", ".h"}:
        for expression in (_TYPE, _FUNCTION):
            found += [(source.line_of(match.start(1), source.code), match.group(1))
                      for match in expression.finditer(source.code) if _is_banned(match.group(1), allowed)]
    return found


# ---- documents

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)")
_PATH = re.compile(r"`((?:%s)/[\w./-]+\w)`" % "|".join(re.escape(each) for each in TOP_FOLDERS))


def documents_name_files(source):
    if not source.path.endswith(".md"):
        return []
    found = []
    here = (source.root / source.path).parent
    for match in _LINK.finditer(source.text):
        target = match.group(1)
        if not re.match(r"[a-z]+:", target) and not (here / target).exists():
            found.append((source.line_of(match.start(), source.text), f"link to {target}, which is not there"))
    for match in _PATH.finditer(source.text):
        path = match.group(1)
        if path.startswith("testnet/run"):  # made by testnet/up
            continue
        if not (source.root / path).exists() and not list(source.root.glob(path + "*")):
            found.append((source.line_of(match.start(), source.text), f"{path}, which is not there"))
    return found
