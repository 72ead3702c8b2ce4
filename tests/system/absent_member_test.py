#!/usr/bin/env python3
"""Members that are away, late or killed while the key is made."""
import unittest

import client
from network import Network, wait_until

PHASES = ["closed", "idle", "collect", "decided", "active", "activated", "released"]


def phase(network, index):
    return client.fetch(network.port(index), "/v1/network")["ceremony"]["phase"]


class AbsentMember(unittest.TestCase):
    def test_four_of_five_make_the_key_and_the_late_one_serves_as_an_entry(self):
        with Network("late") as network:
            network.start(1, 2, 3, 4)
            network.wait_ready()
            made = network.key(1)
            for index in (1, 2, 3, 4):
                network.delegate(index)
            ready = network.ready(1)
            self.assertEqual([text.split()[0] for text in ready.json["missing"]], ["node-5"])
            network.start(5)
            wait_until(lambda: network.keys(5), "node-5 learning the key", 20)
            self.assertEqual(network.key(5)["transcript"], made["transcript"])
            self.assertEqual(network.key(5)["members"], made["members"])
            wait_until(lambda: network.ready(5).status == 200, "node-5 reaching the others", 10)
            for _ in range(5):
                network.delegate(5)
            self.check_honesty(network, 5)

    def check_honesty(self, network, index):
        """Either it got its share after all, or it says that it has none."""
        state = phase(network, index)
        if state == "released":
            network.end(1, 2)  # now its share is needed
            network.delegate(index)
            return
        self.assertEqual(state, "need repair")
        self.assertIn("without an own share", network.log(index))
        network.end(1, 2)  # two shares are left, which it must not count as three
        ready = wait_until(lambda: (lambda said: said.status == 503 and said)(network.ready(index)), "the refusal", 5)
        self.assertIn("2 of the 3 shares", " ".join(ready.json["reasons"]))

    def test_two_of_five_absent_is_too_many_and_the_nodes_say_whom_they_wait_for(self):
        with Network("few") as network:
            network.start(1, 2, 3)
            for index in (1, 2, 3):
                def names_all():
                    said = network.ready(index)
                    missing = sorted(text.split()[0] for text in said.json["missing"])
                    return said.status == 503 and missing == ["node-4", "node-5"]
                wait_until(names_all, f"node-{index} naming who is missing", 10)
                self.assertEqual(network.keys(index), [])
                answer = client.ask(network.port(index), f"/v0/public-key?chain_id={client.CHAIN_ID}")
                self.assertEqual(answer.status, 503)
            network.start(4)
            network.wait_ready(1, 2, 3, 4)
            network.delegate(4)


class KilledMember(unittest.TestCase):
    """SIGKILL when the member is seen in the named phase or a later one, and a restart at once."""

    def kill_in(self, wanted, victims):
        with Network("killed") as network:
            network.start()
            seen = {}
            for victim in victims:
                def reached():
                    seen[victim] = phase(network, victim)
                    return PHASES.index(seen[victim]) >= PHASES.index(wanted)
                wait_until(reached, f"node-{victim} in phase {wanted}", 30, pause=0.002)
                network.end(victim)
                network.start(victim)
            print(f"killed in phase {seen}", flush=True)
            network.wait_ready()
            keys = [network.key(index) for index in network.members]
            for key in keys:
                self.assertEqual((key["publicKey"], key["transcript"], key["members"]),
                                 (keys[0]["publicKey"], keys[0]["transcript"], keys[0]["members"]))
            for index in network.members:
                network.delegate(index)
                self.assertNotIn("blame", network.log(index))
                self.assertNotIn("quivocat", network.log(index))
            others = [index for index in network.members if index not in victims]
            network.end(*others[:2])  # three are left: the victims' shares are needed
            for index in network.running():
                wait_until(lambda: network.delegate(index), f"an answer of node-{index}", 5)

    def test_killed_when_it_has_just_started(self):
        self.kill_in("idle", [3])

    def test_killed_while_it_collects(self):
        self.kill_in("collect", [2])

    def test_killed_after_the_decision(self):
        self.kill_in("decided", [5])

    def test_two_killed_one_after_the_other(self):
        self.kill_in("collect", [1, 4])

    def test_all_killed_at_once(self):
        with Network("blackout") as network:
            network.start()
            wait_until(lambda: phase(network, 1) in PHASES[2:], "the ceremony", 30, pause=0.002)
            network.end(*network.members)
            network.start()
            network.wait_ready()
            keys = {network.key(index)["transcript"] for index in network.members}
            self.assertEqual(len(keys), 1)
            for index in network.members:
                network.delegate(index)


if __name__ == "__main__":
    unittest.main(verbosity=2)
