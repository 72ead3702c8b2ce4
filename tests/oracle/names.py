"""The enumerations of docs/TRANSCRIPTS.md section 1, and how a check refuses."""
from curve import Refused

DKG, RESHARE, REFRESH, IMPORT = 1, 2, 3, 4
GENERATED, IMPORTED = 1, 2
SIMPLEX = 1
BASE_G, BASE_H = 1, 2
SLOT, FATE = 1, 2
NOTARIZE, NULLIFY, FINALIZE = 1, 2, 3
RELEASE, VOID = 1, 2
CANDIDATE, NOTAR, NULL, FINAL, ACTIVATION, EMERGENCY, VOID_APPROVALS = range(1, 8)
ZERO32 = bytes(32)


def need(condition, reason):
    if not condition:
        raise Refused(reason)
