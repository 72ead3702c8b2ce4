#!/usr/bin/env python3
"""The rules of CONTRIBUTING.md that a program can check. Prints file:line, the rule and the remedy.

house_rules.py [ROOT]   first proves on a planted example that every rule fires, then checks the tree
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "house_rules"))
from layers import includes_down_only  # noqa: E402
from one_meaning import one_meaning  # noqa: E402
from source import Source, source_files  # noqa: E402
from text_rules import (Rule, banned_names, bare_co_await, documents_name_files, file_length, pattern,  # noqa: E402
                        pragma_once)

CODE = r".*\.(cpp|h)"
PURE = r"(base|crypto|dkg|net|registry|node|sdk|cli|attest)/(?!.*\bio/|example/).*\.(cpp|h)"
MACHINES = r"(dkg|net|node)/(?!.*\bio/).*\.(cpp|h)"

RULES = [
    Rule("layers", "Include only what docs/ARCHITECTURE.md, \"Layers\", allows; move what is shared down.",
         includes_down_only,
         [("cli/a.cpp", '#include "node/node_core.h"'), ("net/a.h", '#include "dkg/ids.h"'),
          ("crypto/a.h", '#include "base/io/os_entropy.h"'), ("node/a.cpp", '#include "node/io/log.h"'),
          ("programs/kmsctl.cpp", '#include "node/config.h"')],
         [("node/io/a.cpp", '#include "net/io/tcp_host.h"'), ("dkg/a.cpp", '#include "crypto/point.h"'),
          ("programs/kms-node.cpp", '#include "node/io/log.h"')]),
    Rule("world", "Sockets, files, threads, clocks, randomness and logs live under io/; pass Now, Entropy& or bytes.",
         pattern(PURE, r'#\s*include\s*<(boost/(asio|beast)|sqlite3|spdlog|fstream|filesystem|iostream|thread|mutex|'
                 r'future|condition_variable|random|unistd|fcntl|poll|sys/|netinet/|openssl/rand)|'
                 r'(system|steady|high_resolution)_clock::now|\b(getenv|getrandom|RAND_bytes|fopen|gettimeofday|'
                 r'clock_gettime|std::this_thread|std::random_device)\b'),
         [("dkg/a.cpp", "#include <fstream>"), ("net/a.h", "#include <boost/asio/awaitable.hpp>"),
          ("node/a.cpp", "auto now = std::chrono::system_clock::now();"), ("crypto/a.cpp", "RAND_bytes(p, 3);")],
         [("node/io/a.cpp", "#include <fstream>"), ("net/a.h", "// clock: getenv is not used here")]),
    Rule("umbrella headers", "Include the narrow Asio or Beast header; the umbrella costs 9 s a file.",
         pattern(CODE, r'#\s*include\s*<boost/(asio|beast)\.hpp>'),
         [("net/io/a.cpp", "#include <boost/asio.hpp>")], [("net/io/a.cpp", "#include <boost/asio/write.hpp>")]),
    Rule("co_await stands alone", "g++ 12 destroys temporaries of such a statement twice: name them, then "
         "`auto x = co_await f(names, std::move(name));`.", bare_co_await,
         [("net/io/a.cpp", "auto x = co_await f(Options{1});"), ("net/io/a.cpp", "co_await f([x] { return x; });"),
          ("net/io/a.cpp", "if (ready && co_await f()) return;"), ("net/io/a.cpp", "co_await f(b ? p : q);"),
          ("net/io/a.cpp", "bool ok = co_await f(a) || g;"), ("net/io/a.cpp", "co_await f(\n    Plan{a,\n b});")],
         [("net/io/a.cpp", "for (;;) {\n  auto [e, n] = co_await f(g(x), std::move(y));\n}"),
          ("net/io/a.cpp", "if (a && b) {\n  co_await f(x);\n}")]),
    Rule("names", "Say what it is: manager, handler, helper, util, common, info, do, data and get_ say nothing.",
         banned_names,
         [("net/peer_manager.cpp", ""), ("net/a.h", "class StreamHandler {"), ("net/a.h", "struct PeerInfo {"),
          ("net/a.h", "  int get_port() const;"), ("net/a.h", "Bytes common_part(int a);")],
         [("net/a.h", "  const char* data() const;"), ("net/a.h", "struct Handshake {"), ("net/a.h", "int port();")]),
    Rule("iteration order", "Machines are deterministic: use std::map, std::set or a sorted vector.",
         pattern(MACHINES, r'\bunordered_(map|set|multimap|multiset)\b'),
         [("dkg/a.h", "std::unordered_map<int, int> m;")], [("node/io/a.h", "std::unordered_map<int, int> m;")]),
    Rule("no callbacks in machines", "Return effects; interfaces exist only for the world (Entropy, Store, Records).",
         pattern(r"(dkg|net)/(?!.*\bio/)(?!effects\.h).*\.(cpp|h)", r'\bstd::function\b|\bvirtual\b'),
         [("net/a.h", "std::function<void()> on_close;")], [("net/io/a.h", "virtual ~A() = default;")]),
    Rule("pragma once", "Start the header with its comment and #pragma once.", pragma_once,
         [("net/a.h", "int x;")], [("net/a.h", "// Why.\n#pragma once\nint x;")]),
    Rule("file length", "Split the file by noun.", file_length,
         [("net/a.cpp", "\n" * 601)], [("net/a.cpp", "\n" * 300)]),
    Rule("one meaning", "Release builds compile a folder's files together: share it in a header, or name it after what "
         "makes it different.", one_meaning,
         [("net/zz.cpp", "namespace {\nusing Type = int;\n}  // namespace\n"),
          ("net/zz.cpp", "namespace {\nint size_of(ByteView all) {\n}\n}  // namespace\n")],
         [("net/zz.cpp", "namespace {\nusing Type = ProtoReader::Type;\n}  // namespace\n"),
          ("net/zz.cpp", "namespace {\nint size_of(int all) {\n}\n}  // namespace\n")]),
    Rule("no leftovers", "Do it now or open an issue.",
         pattern(r".*\.(cpp|h|py|md|toml|proto|cmake|txt)|scripts/.*|\.ci/.*|testnet/.*|tests/run",
                 r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b", comments=True),
         [("net/a.cpp", "// TO" "DO: later"), ("docs/A.md", "FIX" "ME")], [("net/a.cpp", "// method")]),
    Rule("no machine paths", "Name files relative to the repository.",
         pattern(r".*\.(cpp|h|py|md|toml|proto|cmake|txt|json)|scripts/.*|\.ci/.*|testnet/.*|tests/run",
                 r"(?<![\w.~-])/(work|root|home/\w+)/", comments=True),
         [("docs/A.md", "see /wo" "rk/notes"), ("net/a.cpp", '// "/ro' 'ot/x"')], [("docs/A.md", "a/work/b")]),
    Rule("secret scalars", "secp256k1_ec_pubkey_tweak_mul branches on its scalar; crypto/point.cpp wraps it for public "
         "scalars and secp256k1_ecdh for secret ones.",
         pattern(r"(?!crypto/point\.cpp|tests/).*\.(cpp|h)", r"\bsecp256k1_ec_pubkey_tweak_mul\b"),
         [("dkg/a.cpp", "secp256k1_ec_pubkey_tweak_mul(c, p, s);")], [("crypto/point.cpp", "secp256k1_ec_pubkey_tweak_mul(c);")]),
    Rule("exposed secrets", "Only crypto/ and the places listed in tests/house_rules.py may take a secret's bytes out.",
         pattern(r"(?!crypto/|tests/|dkg/(dealing|shares|ceremony_restore|prekey_book|repair_(giver|parts|prekeys|requester))\.cpp|net/identity\.cpp|net/noise_cipher\.cpp|node/delegation/(jobs|partial|public_jobs)\.cpp|"
                 r"node/(keystore|settings)\.cpp|node/io/|sdk/|cli/|bench/client\.cpp).*\.(cpp|h)", r"(\.|->)expose\(\)"),
         [("net/router.cpp", "send(key.expose());")], [("crypto/a.cpp", "f(key.expose());")]),
    Rule("our own bugs", "Use KMS_ASSERT, which stays on in release builds.",
         pattern(CODE, r"(?<!static_)(?<!\w)assert\s*\(|#\s*include\s*<cassert>"),
         [("net/a.cpp", "assert(x);")], [("net/a.cpp", "static_assert(x);"), ("net/a.cpp", "KMS_ASSERT(x);")]),
    Rule("repeatable seeds", "std:: distributions differ between libraries; take what you need from the engine.",
         pattern(CODE, r"\bstd::(\w+_distribution|default_random_engine)\b|(?<![\w.:>])s?rand\(\)"),
         [("tests/sim/a.cpp", "std::uniform_int_distribution<int> d(0, 3);")],
         [("tests/sim/a.cpp", "Random random(seed);"), ("tests/net/a.cpp", "std::mt19937 engine(seed);")]),
    Rule("documents name files", "Mend the link or the path.", documents_name_files,
         [("docs/A.md", "see [x](missing.md)"), ("README.md", "in `node/no_such_file.h`")],
         [("README.md", "see [x](LICENSE), [y](https://example.org), `tests/run`")]),
]


def prove(root):
    """A rule that cannot fire is worse than none."""
    faults = []
    for rule in RULES:
        for planted, expected in [(each, True) for each in rule.bad] + [(each, False) for each in rule.good]:
            found = rule.check(Source(root, *planted))
            if bool(found) != expected:
                faults.append(f"rule '{rule.name}' {'misses' if expected else 'fires on'} {planted[0]}: {planted[1]!r}")
    return faults


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    faults = prove(root)
    for fault in faults:
        print(fault)
    count = 0
    for path in source_files(root):
        source = Source(root, path)
        count += 1
        for rule in RULES:
            for line, what in rule.check(source):
                faults.append(what)
                print(f"{path}:{line}: {rule.name}: {what}\n    {rule.remedy}")
    print(f"{len(RULES)} rules, {count} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
