"""Processes that outlive their starter: started in a session of their own, recorded in a file, recognised by pid,
boot and start time, so that nothing is ever signalled because a pid was used again."""
import json
import os
import pathlib
import signal
import subprocess
import time

STOP_SECONDS = 5.0


def _boot_id():
    try:
        return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _stat(pid):
    """State letter and start time in clock ticks since boot, or None."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[19])


def is_paused(pid):
    stat = _stat(pid)
    return stat is not None and stat[0] in "Tt"


def heeds(pid, number):
    """Whether it blocks or handles the signal, so that it does not end by it."""
    try:
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    except OSError:
        return False
    return any(int(status[field], 16) >> (number - 1) & 1 for field in ("SigBlk", "SigCgt"))


class Process:
    def __init__(self, record):
        self.record = record
        self.child = None
        self.is_foreign = False  # of another user: we may not signal it

    @classmethod
    def start(cls, name, command, log, folder):
        with open(log, "ab") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                     cwd=folder, start_new_session=True)
        stat = _stat(child.pid)
        process = cls({"name": name, "pid": child.pid, "startTime": stat[1] if stat else 0, "bootId": _boot_id(),
                       "command": [str(part) for part in command], "log": str(log)})
        process.child = child
        return process

    @property
    def name(self):
        return self.record["name"]

    @property
    def pid(self):
        return self.record["pid"]

    def is_running(self):
        if self.child is not None and self.child.poll() is not None:
            return False
        stat = _stat(self.pid)
        return (stat is not None and stat[0] not in "ZX" and stat[1] == self.record["startTime"]
                and self.record["bootId"] == _boot_id())

    def ending(self):
        """How it ended, in words; only the starter knows more than that it did."""
        code = self.child.poll() if self.child is not None else None
        if code is None:
            return "is gone"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"exited with status {code}"

    def signal(self, number):
        if not self.is_running():
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass
        except PermissionError:
            self.is_foreign = True


def stop(processes, on_stopped=lambda process, forced: None):
    """SIGTERM to all, SIGKILL to what still runs after STOP_SECONDS. Returns those that survived both, and
    those of other users."""
    waiting = [process for process in processes if process.is_running()]
    for process in waiting:
        process.signal(signal.SIGTERM)
        process.signal(signal.SIGCONT)  # it may be paused
    foreign = [process for process in waiting if process.is_foreign]
    waiting = [process for process in waiting if not process.is_foreign]
    for forced in (False, True):
        deadline = time.monotonic() + STOP_SECONDS
        while waiting and time.monotonic() < deadline:
            for process in [each for each in waiting if not each.is_running()]:
                waiting.remove(process)
                on_stopped(process, forced)
            time.sleep(0.02)
        if not forced:
            for process in waiting:
                process.signal(signal.SIGKILL)
    return waiting + foreign


def save(path, processes):
    """Atomic: a reader sees the old list or the new one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps([process.record for process in processes], indent=1) + "\n")
    fresh.replace(path)


def load(path):
    try:
        return [Process(record) for record in json.loads(path.read_text())]
    except FileNotFoundError:
        return []


def tail(log, lines=25):
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - 16384))
            text = file.read().decode("utf-8", "replace").splitlines()
    except OSError as problem:
        return f"    ({problem})"
    return "\n".join("    " + line[:300] for line in text[-lines:]) or "    (empty)"
