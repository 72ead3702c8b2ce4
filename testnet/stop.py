"""testnet/down: stops the recorded processes of one testnet folder."""
import argparse
import pathlib
import shutil
import sys

import layout
import processes


def main():
    parser = argparse.ArgumentParser(prog="testnet/down", description="Stops exactly the processes that testnet/up "
                                     "recorded: SIGTERM, and SIGKILL after 5 s. Keys and shares stay, so that "
                                     "testnet/up continues the same network.")
    parser.add_argument("--root", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--dir", type=pathlib.Path, help="the testnet's folder (default: testnet/run)")
    parser.add_argument("--erase", action="store_true", help="then delete the folder: the next up makes new keys")
    options = parser.parse_args()
    folder = layout.Folder(options.dir or options.root / "testnet" / "run")
    if not folder.settings.exists():
        print(f"testnet/down: there is no testnet in {folder.path}")
        return 0 if not folder.path.exists() else 1
    recorded = [each for each in processes.load(folder.processes) if each.is_running()]

    def stopped(process, forced):
        print(f"   {process.name} (pid {process.pid}) stopped{' by SIGKILL' if forced else ''}")

    survivors = processes.stop(recorded, stopped)
    for process in survivors:
        why = ": it belongs to another user; run testnet/down as the one who started it" if process.is_foreign else ""
        print(f"testnet/down: {process.name} (pid {process.pid}) could not be stopped{why}", file=sys.stderr)
    if survivors:
        return 1
    processes.save(folder.processes, [])
    print(f"{len(recorded)} stopped" if recorded else "nothing was running")
    if options.erase:
        shutil.rmtree(folder.path)
        print(f"{folder.path} deleted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
