"""Runs a program that nobody vouches for, then tests on it: in a process of its own, with limits, without a network.

The process is Python in isolated mode, in an empty folder, with a bare environment. Before the program is run, it limits its own
CPU time, memory, file size and number of processes; leaves the network by a namespace of its own where the kernel allows; and
sets an audit hook, which cannot be removed, that refuses sockets, other processes, foreign code and files to write outside its
folder. The parent kills the process group when the time is up. A program counts as having passed a test only if the harness says
so after it, under a token the program is not handed: leaving early passes nothing.

This keeps mistakes and careless programs in. It is no wall against one written to break out of Python: run such things in a
container or a virtual machine.
"""
import asyncio
import os
import re
import signal
import sys
from secrets import token_hex
from tempfile import TemporaryDirectory

HARNESS = r"""
import sys, os, json, resource
todo = json.loads(sys.stdin.readline())
out = os.fdopen(os.dup(1), "w")
resource.setrlimit(resource.RLIMIT_CPU, (todo["seconds"] + 1,) * 2)
resource.setrlimit(resource.RLIMIT_AS, (todo["bytes"],) * 2)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
try:
    import ctypes
    ctypes.CDLL(None).unshare(0x10000000 | 0x40000000)
except Exception:
    pass
home = os.path.realpath(os.getcwd()) + os.sep
refused = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.kill", "ctypes.", "pty.",
           "shutil.", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate", "signal.")
def guard(event, args):
    if event.startswith(refused):
        raise PermissionError(event + " is not allowed here")
    if event == "open" and args[0] is not None and not isinstance(args[0], int):
        mode, flags = args[1], args[2]
        writes = any(c in (mode or "") for c in "wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not os.path.realpath(os.fsdecode(args[0])).startswith(home):
            raise PermissionError("files may be written in the program's own folder only")
sys.addaudithook(guard)
def main(todo, out):
    token, passed, names = todo["token"], 0, {"__name__": "__main__"}
    program, tests = todo["program"], todo["tests"]
    todo.clear()
    try:
        exec(compile(program, "answer", "exec"), names)
    except BaseException:
        tests = []
    for test in tests:
        try:
            exec(compile(test, "test", "exec"), names)
            passed += 1
        except BaseException:
            pass
    out.write(token + " " + str(passed) + "\n")
    out.flush()
main(todo, out)
os._exit(0)
"""
FENCE = re.compile(r"```[a-zA-Z0-9]*\n(.*?)```", re.DOTALL)


def program_of(text: str) -> str:
    """The code in an answer: its fenced blocks joined, or the whole of it if it has none."""
    found = FENCE.findall(text)
    return "\n".join(found) if found else text


async def passed(program: str, tests: tuple[str, ...], seconds: int, megabytes: int) -> int:
    """How many tests, Python statements run after the program, raise nothing.

    seconds    of the clock, for all of it; of CPU time, one more
    megabytes  of address space
    """
    from pydantic_core import to_json
    token = token_hex(16)
    todo = to_json({"program": program, "tests": tests, "seconds": seconds, "bytes": megabytes * 2**20, "token": token})
    with TemporaryDirectory() as folder:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", HARNESS, cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": folder},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True)
        try:
            said, _ = await asyncio.wait_for(child.communicate(todo + b"\n"), seconds)
        except TimeoutError:
            said = b""
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
    for line in said.decode(errors="replace").splitlines():
        if line.startswith(token):
            return int(line.split()[1])
    return 0
