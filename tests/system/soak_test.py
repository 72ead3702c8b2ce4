#!/usr/bin/env python3
"""A short run of soak.py: four reshares to drawn committees with nodes killed meanwhile, under delegations."""
import types
import unittest

import soak

soak.load_network()


class ShortSoak(unittest.TestCase):
    def test_the_key_stays_no_delegation_fails_and_erased_shares_are_gone(self):
        summary = soak.soak(types.SimpleNamespace(reshares=4, seed=3, clients=1, patience=20), lambda line: print(line, flush=True))
        print(summary, flush=True)
        self.assertEqual((summary["failed"], summary["wrong"], summary["boxesLeft"], summary["blamed"]), ([], [], [], []))
        self.assertEqual(summary["reshares"], 4)
        self.assertGreater(summary["kills"], 0)
        self.assertGreater(summary["boxesSought"], 0, "no share of an erased epoch was ever seen on a disk")


if __name__ == "__main__":
    unittest.main(verbosity=2)
