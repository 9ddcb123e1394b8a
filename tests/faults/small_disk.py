"""A file system of a few megabytes in a mount namespace of its own, for a state directory. It goes
away with the process that holds the namespace, whatever becomes of the test."""
import os
import pathlib
import shutil
import subprocess
import tempfile

HOLD = 'mount -t tmpfs -o "$1" state "$2" && mkdir "$2/state" && echo held && exec sleep 86400'


class SmallDisk:
    """`prefix` are the words that start a program inside; paths are those inside, seen() outside."""

    def __init__(self, options="size=24m"):
        self._mount = tempfile.mkdtemp(prefix="gateway-disk-")
        self.directory = f"{self._mount}/state"
        self._user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self._holder = subprocess.Popen(
            ["unshare", *self._user, "--mount", "--propagation", "private",
             "sh", "-c", HOLD, "sh", options, self._mount],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        self.why_not = "" if self._holder.stdout.readline() else self._holder.stderr.read()
        enter = ["--preserve-credentials", "--user"] if self._user else []
        self.prefix = ["nsenter", f"--target={self._holder.pid}", *enter, "--mount", "--"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._holder.kill()
        self._holder.communicate()
        shutil.rmtree(self._mount, ignore_errors=True)

    def seen(self, name=""):
        """A path inside, as this process reaches it."""
        return pathlib.Path(f"/proc/{self._holder.pid}/root{self.directory}", name)

    def run(self, *words):
        subprocess.run([*self.prefix, *words], check=True)

    def remount(self, option):
        self.run("mount", "-o", f"remount,{option}", self._mount)

    def free_bytes(self):
        found = os.statvfs(self.seen())
        return found.f_bavail * found.f_frsize

    def fill(self, leave_bytes):
        """Another program's file takes everything but so much."""
        path = self.seen().parent / "filler"
        taken = path.stat().st_size if path.exists() else 0
        with open(path, "ab") as file:
            os.posix_fallocate(file.fileno(), 0, taken + max(self.free_bytes() - leave_bytes, 0))

    def empty(self):
        self.seen().parent.joinpath("filler").unlink(missing_ok=True)


def why_not():
    """Why there can be no such disk here; empty if there can."""
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        return "no unshare and nsenter"
    try:
        with SmallDisk("size=1m") as disk:
            return disk.why_not.strip()
    except OSError as error:
        return str(error)
