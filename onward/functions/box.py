"""The operating system's part of the sandbox: rlimits, no_new_privs, Landlock, seccomp. Then it becomes Deno.

A launcher, started as `python -I -S box.py CONFIG -- PROGRAM …`. It is on the way of every start, so it
imports next to nothing: `typing`, `json` and `platform` alone would double the 17 ms that it takes. It needs
no rights. As root it gives them up: another user, no capabilities.

It is a program and not a function called between fork and exec because there the parent's open files and
threads get in the way. It says on stderr which layers are on, a line `box: LAYER: STATE` for each, and starts
the program in any case: whether what is missing may be missing is for the one who started it to judge.

CONFIG has a line `NAME VALUE` for each: `read` (a path that may be read), `execute` (a file that may be
executed), `data_mb` (RLIMIT_DATA, which also bounds typed arrays and WebAssembly), and `uid`.
Numbers of system calls: Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

import ctypes
import os
import resource
import struct
import sys

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SIGKILL = 9

_ACCESS_EXECUTE, _ACCESS_READ_FILE, _ACCESS_READ_DIR = 1, 1 << 2, 1 << 3


class _Calls:
    """Numbers of an architecture: its own (audit), of calls that are judged by their flags, and of those that
    are refused altogether: connect, ptrace, mount, umount2, unshare, setns, bpf, perf_event_open, io_uring_*,
    userfaultfd, add_key, request_key, keyctl, process_vm_*, kexec_load, init_module, finit_module,
    pivot_root, chroot, fork, vfork, *_handle_at, pidfd_getfd, pidfd_open, execveat; and what changes a
    file's mode, owner, times or attributes, of which Landlock knows nothing: *chmod*, *chown*, *utime*,
    *setxattr, *removexattr. Signals to others are Landlock's (scope).
    """

    def __init__(self, audit: int, socket: int, clone: int, clone3: int, refused: tuple[int, ...]) -> None:
        self.audit = audit
        self.socket = socket
        self.clone = clone
        self.clone3 = clone3
        self.refused = refused


_CALLS = {
    "x86_64": _Calls(
        *(0xC000003E, 41, 56, 435),
        (
            *(42, 101, 165, 166, 272, 308, 321, 298, 425, 426, 427, 323, 248, 249, 250, 310, 311, 246),
            *(175, 313, 155, 161, 57, 58, 304, 303, 438, 434, 322),
            *(90, 91, 268, 452, 92, 93, 94, 260, 132, 235, 280, 261, 188, 189, 190, 197, 198, 199),
        ),
    ),
    "aarch64": _Calls(
        *(0xC00000B7, 198, 220, 435),
        (
            *(203, 117, 40, 39, 97, 268, 280, 241, 425, 426, 427, 282, 217, 218, 219, 270, 271, 104),
            *(105, 273, 41, 51, 265, 264, 438, 434, 281),
            *(52, 53, 452, 55, 54, 88, 5, 6, 7, 14, 15, 16),
        ),
    ),
}
_CLONE_THREAD = 0x0001_0000
_X32 = 0x4000_0000
_ALLOW, _KILL = 0x7FFF_0000, 0x8000_0000
_EPERM, _EACCES, _ENOSYS = 0x5_0001, 0x5_000D, 0x5_0026


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _filter(calls: _Calls) -> bytes:
    """A program of classic BPF: 0x20 loads a word of the call's data, 0x15 is equal, 0x35 at least,
    0x45 any bit set, 0x06 returns (linux/filter.h)."""
    parts = [
        _instruction(0x20, 0, 0, 4),
        _instruction(0x15, 1, 0, calls.audit),
        _instruction(0x06, 0, 0, _KILL),
        _instruction(0x20, 0, 0, 0),
        _instruction(0x35, 0, 1, _X32),
        _instruction(0x06, 0, 0, _EPERM),
        _instruction(0x15, 0, 1, calls.socket),
        _instruction(0x06, 0, 0, _EACCES),
        _instruction(0x15, 0, 1, calls.clone3),
        _instruction(0x06, 0, 0, _ENOSYS),  # the C library then uses clone, whose flags can be judged
        _instruction(0x15, 0, 4, calls.clone),
        _instruction(0x20, 0, 0, 16),
        _instruction(0x45, 1, 0, _CLONE_THREAD),
        _instruction(0x06, 0, 0, _EPERM),  # a process of its own
        _instruction(0x06, 0, 0, _ALLOW),
    ]
    for number in calls.refused:
        parts += [_instruction(0x15, 0, 1, number), _instruction(0x06, 0, 0, _EPERM)]
    return b"".join([*parts, _instruction(0x06, 0, 0, _ALLOW)])


def _seccomp() -> str:
    machine = os.uname().machine
    calls = _CALLS.get(machine)
    if calls is None:
        return f"off: no table of system calls for {machine}"
    code = _filter(calls)
    held = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held)), struct.calcsize("HxxxxxxP")
    )
    filtered = ctypes.c_ulong(2)
    if _libc.prctl(
        _PR_SET_SECCOMP, filtered, ctypes.c_void_p(ctypes.addressof(program)), ctypes.c_ulong(0), 0
    ):
        return f"off: {os.strerror(ctypes.get_errno())}"
    return "on"


def _landlock(read: list[str], execute: list[str]) -> str:
    """Nothing of the file system but these, no TCP, no signals to processes outside (Landlock ABI 6)."""
    create, add, restrict = 444, 445, 446
    abi = _libc.syscall(create, 0, 0, 1)
    if abi < 1:
        return f"off: {os.strerror(ctypes.get_errno())}"
    rights = (1 << 13) - 1
    for least, right in ((2, 1 << 13), (3, 1 << 14), (5, 1 << 15)):
        if abi >= least:
            rights |= right
    attributes = struct.pack("QQQ", rights, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    rules = _libc.syscall(create, attributes, 24 if abi >= 6 else 16 if abi >= 4 else 8, 0)
    if rules < 0:
        return f"off: {os.strerror(ctypes.get_errno())}"
    reading = _ACCESS_READ_FILE | _ACCESS_READ_DIR
    for paths, allowed in ((read, reading), (execute, reading | _ACCESS_EXECUTE)):
        for path in paths:
            try:
                opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # it can't be read then, either
            granted = allowed if os.path.isdir(path) else allowed & ~_ACCESS_READ_DIR  # noqa: PTH112
            _libc.syscall(add, rules, 1, struct.pack("=Qi", granted, opened), 0)
            os.close(opened)
    if _libc.syscall(restrict, rules, 0):
        return f"off: {os.strerror(ctypes.get_errno())}"
    os.close(rules)
    return f"on (ABI {abi})"


def _other_user(uid: int | None) -> str:
    if uid is None:
        return "off: not root, or what is run can't be read by others"
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    return f"on ({uid})"


def apply(
    *,
    read: list[str],
    execute: list[str],
    data_mb: int | None,
    files: int = 64,
    nice: int = 10,
    uid: int | None = None,
) -> dict[str, str]:
    """Give up rights for good; what each layer is: `on…` or `off: why`."""
    layers = {}
    os.nice(nice)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if data_mb:
        resource.setrlimit(resource.RLIMIT_DATA, (data_mb << 20, data_mb << 20))
    layers["rlimits"] = f"on (data {data_mb} MB, {files} files)"
    try:
        with open("/proc/self/oom_score_adj", "w") as adjust:  # noqa: PTH123
            adjust.write("900")
    except OSError:
        pass  # the kernel then picks by size alone
    layers["user"] = _other_user(uid)
    # After the change of user, which clears it.
    dies = _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(_SIGKILL), 0, 0, 0) == 0
    layers["dies with its parent"] = "on" if dies else "off"
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), 0)
    layers["landlock"] = _landlock(read, execute)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    layers["seccomp"] = _seccomp()
    return layers


def _config(text: str) -> tuple[list[str], list[str], int | None, int | None]:
    """read, execute, data_mb, uid."""
    read, execute = [], []
    numbers: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "read":
            read.append(value)
        elif name == "execute":
            execute.append(value)
        else:
            numbers[name] = int(value)
    return read, execute, numbers.get("data_mb"), numbers.get("uid")


def main() -> None:
    split = sys.argv.index("--")
    read, execute, data_mb, uid = _config(sys.argv[1])
    parent = os.getppid()
    layers = apply(read=read, execute=execute, data_mb=data_mb, uid=uid)
    if os.getppid() != parent:
        sys.exit("the parent has gone")  # before the kernel was asked to tell
    sys.stderr.write("".join(f"box: {layer}: {state}\n" for layer, state in layers.items()))
    sys.stderr.flush()
    os.execve(sys.argv[split + 1], sys.argv[split + 1 :], dict(os.environ))  # noqa: S606


if __name__ == "__main__":
    main()
