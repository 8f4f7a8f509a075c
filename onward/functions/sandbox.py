"""How a runner is started: Deno's own part of the sandbox, and the operating system's around it.

Two layers that stand alone: Deno gets no permission but to read its own code and the libraries; the box
(`box.py`) takes files, sockets and programs from the process whatever Deno thinks. V8 runs without its
compiler (`--jitless`), which is where most of its memory bugs are; code that maps events loses nothing.

`--deny-import`, `--no-remote` and `--no-npm` matter: by default Deno lets programs import from some hosts.
"""

import os
import platform
import stat
import sys
from importlib.resources import files
from pathlib import Path

import deno
import msgspec

RUNNER = Path(str(files(__package__))) / "runner"
BOX = Path(str(files(__package__))) / "box.py"

NOBODY = 65534
DEVICES = (
    *("/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/sys/devices/system/cpu", "/sys/fs/cgroup"),
    *("/usr/share/zoneinfo", "/etc/localtime", "/dev/null", "/dev/urandom"),
)
LIBRARIES = ("/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache")
LOADERS = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}
STARTING_DATA_MB = 128
"""What RLIMIT_DATA may count of the first runner that starts here (40 MB with Deno 2.9, without JIT)."""
_idle_data_mb = [STARTING_DATA_MB]
"""What it may count of the next."""


class Confinement(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner may take, and which of its two layers are on (both, but in the self-test)."""

    libraries: Path
    """The folder that `install.py` makes; a runner does without if there is none."""
    heap_mb: int = 128
    """Of JavaScript objects; beyond it the process ends."""
    memory_mb: int = 256
    """Beyond the idle process: heap, typed arrays, buffers, threads' stacks."""
    permissions: bool = True
    """False: Deno allows everything."""
    box: bool = True


def command(confinement: Confinement, main: Path | None = None) -> list[str]:
    """The command line; `main` is another program than the runner, for the self-test."""
    program = [
        *(deno.find_deno_bin(), "run", "--quiet", "--no-prompt", "--no-remote", "--no-npm", "--deny-import"),
        *("--no-config", "--no-lock", "--cached-only", "--no-check"),
        f"--v8-flags=--max-old-space-size={confinement.heap_mb},--jitless",
        f"--allow-read={RUNNER},{bundles(confinement.libraries)}" if confinement.permissions else "-A",
        *(str(main or RUNNER / "main.js"), "function", str(bundles(confinement.libraries))),
    ]
    if not confinement.box or sys.platform != "linux":
        return program
    uid = NOBODY if os.geteuid() == 0 and _others_can_read(Path(program[0]), RUNNER) else None
    folders = (RUNNER, bundles(confinement.libraries), cache(confinement.libraries))
    config = [
        *(f"read {path}" for path in (*DEVICES, *LIBRARIES, *folders, *([] if main is None else [main]))),
        *(f"execute {path}" for path in (program[0], LOADERS.get(platform.machine(), "/lib64"))),
        f"data_mb {_idle_data_mb[0] + confinement.memory_mb}",
        *([] if uid is None else [f"uid {uid}"]),
    ]
    return [sys.executable, "-I", "-S", str(BOX), "\n".join(config), "--", *program]


def environment(confinement: Confinement) -> dict[str, str]:
    """All that a runner has of one."""
    return {
        "DENO_DIR": str(cache(confinement.libraries)),
        "DENO_NO_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
        "HOME": "/nonexistent",
        "PATH": "/usr/bin",
        "TZ": "UTC",
    }


def bundles(libraries: Path) -> Path:
    return libraries / "bundles"


def cache(libraries: Path) -> Path:
    """What Deno has found out about the runner's code; written at installation, read ever after."""
    return libraries / ".cache"


def resident(pid: int) -> int:
    """Bytes of memory of a process, 0 if that can't be known."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def learn_idle_data(pid: int) -> None:
    """See what RLIMIT_DATA counts of a runner that has done nothing; runners that start later may have
    `memory_mb` beyond that, whatever the version of Deno and the machine."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        idle = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData:"))
    except (OSError, StopIteration, ValueError):
        return
    _idle_data_mb[0] = min(STARTING_DATA_MB, -(-idle // 1024) + 2)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, to a hundredth of a second; 0 if that can't be known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def _others_can_read(*paths: Path) -> bool:
    """Whether another user could run these: every folder above them open, the thing itself readable."""
    try:
        return all(
            stat.S_IMODE(path.stat().st_mode) & 0o004
            and all(stat.S_IMODE(above.stat().st_mode) & 0o001 for above in path.resolve().parents)
            for path in paths
        )
    except OSError:
        return False


def libraries_folder() -> Path:
    """Where the libraries are installed: beside Onward, in its environment."""
    return Path(sys.prefix) / "share" / "onward" / "functions"
