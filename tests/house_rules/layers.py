"""Who may include whom: docs/ARCHITECTURE.md, "Layers"."""
import re

# Direct and indirect: everything below a library may be included by it.
BELOW = {
    "base": set(),
    "base/io": {"base"},
    "crypto": {"base"},
    "crypto/io": {"base", "base/io", "crypto"},
    "net": {"base", "crypto"},
    "net/io": {"base", "base/io", "crypto", "net"},
    "dkg": {"base", "crypto"},
    "registry": {"base", "crypto"},
    "attest": {"base", "crypto"},
    "node/delegation": {"base", "crypto", "dkg", "registry"},
    "node": {"base", "crypto", "dkg", "net", "registry", "attest", "node/delegation"},
    "node/io": {"base", "base/io", "crypto", "crypto/io", "dkg", "net", "net/io", "registry", "attest", "node",
                "node/delegation"},
    "sdk": {"base", "crypto"},
    "sdk/io": {"base", "base/io", "crypto", "sdk"},
    "cli": {"base", "crypto", "registry", "sdk"},
    "cli/io": {"base", "base/io", "crypto", "crypto/io", "registry", "sdk", "sdk/io", "cli"},
}
# A program is a thin main() over one io library.
PROGRAMS = {"programs/kms-node.cpp": "node/io", "programs/kmsctl.cpp": "cli/io", "programs/p2p-peer.cpp": "net/io"}

_INCLUDE = re.compile(r'^#\s*include\s*"([^"]+)"', re.M)


def _library_of(path):
    folder = path.rpartition("/")[0]
    while folder and folder not in BELOW:
        folder = folder.rpartition("/")[0]
    return folder or None


def includes_down_only(source):
    if not source.path.endswith((".cpp", ".h")) or source.path.startswith(("tests/", "bench/")):
        return []
    own = PROGRAMS.get(source.path) or _library_of(source.path)
    if own is None:
        return []
    found = []
    for match in _INCLUDE.finditer(source.code):
        theirs = _library_of(match.group(1))
        if theirs is None:
            what = f'"{match.group(1)}" names no folder of the tree'
        elif theirs == own or theirs in BELOW[own]:
            continue
        else:
            what = f"{own} includes {theirs}"
        found.append((source.line_of(match.start(), source.code), what))
    return found
