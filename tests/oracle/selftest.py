#!/usr/bin/env python3
"""Checks the oracle against published values and the vector files against the oracle: python3 tests/oracle/selftest.py

Every file is made again and compared byte by byte; then its statements are checked from the file's own text: signatures,
proofs, hashes, interpolation, and every case that must be refused. KMS_SHARED names a folder with published vectors (BIP-374).
"""
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import checks_ceremony
import checks_published
import checks_rest

failures, count, skipped = [], 0, []
shared = pathlib.Path(os.environ.get("KMS_SHARED", pathlib.Path(__file__).resolve().parents[2] / ".." / "shared"))
for module in (checks_published, checks_ceremony, checks_rest):
    for name, check in sorted(vars(module).items()):
        if name.startswith("check_"):
            count += 1
            try:
                said = check(shared)
                if said:
                    skipped.append(f"{name}: {said}")
            except Exception as problem:  # every check is reported, not only the first
                failures.append(f"{name}: {type(problem).__name__}: {problem}")
for line in failures:
    print("FAILED", line)
for line in skipped:
    print("skipped", line)
print(f"oracle selftest: {count - len(failures) - len(skipped)} of {count} checks passed" + (f", {len(skipped)} skipped" if skipped else ""))
sys.exit(1 if failures else 0)
