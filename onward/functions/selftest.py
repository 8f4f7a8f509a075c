"""Attacks the sandbox before anything is trusted to it, each of its two layers alone.

Deno's permissions are tried without the box, the box with a Deno that allows everything: so neither hides
that the other is missing. `Boundary` is what was found; `Boundary.holds` says whether code that nobody has
read may run here. Without a box (macOS, a kernel without Landlock) it may not, unless the operator says so.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from onward.egress.http import EgressError, Request, Response
from onward.egress.masking import Masking
from onward.functions.process import Limits, LoadError, Lost, Runner
from onward.functions.sandbox import Confinement

log = structlog.get_logger("onward.functions")

ATTACKS = """
const d = globalThis.Deno;
const attacks = {
  read: (m) => d.readTextFileSync(m.file),
  write: (m) => { d.writeTextFileSync(m.written, 'x'); return 'written'; },
  environment: () => d.env.get('ONWARD_SELFTEST') ?? null,
  run: (m) => new d.Command(m.program, { args: [] }).outputSync().code,
  tcp: async (m) => {
    (await d.connect({ hostname: '127.0.0.1', port: m.port })).close();
    return 'connected';
  },
  listen: () => { d.listen({ hostname: '127.0.0.1', port: 0 }).close(); return 'listening'; },
  import: async (m) => (await import('file://' + m.file)).default,
};

async function onTrack(m) {

  const let_in = {};
  for (const [name, attack] of Object.entries(attacks)) {
    try {
      const got = await attack(m);
      if (got !== null && got !== undefined) let_in[name] = String(got).slice(0, 200);
    } catch { /* as it should be */ }
  }
  return let_in;
}
"""


class NoBoundary(Exception):
    """Code that nobody has read may not run here; the message says why, and what to do."""


class Layer(msgspec.Struct, frozen=True):
    """What came of the attacks on one layer."""

    works: bool
    detail: str


class Boundary(msgspec.Struct, frozen=True, kw_only=True):
    permissions: Layer
    box: Layer
    parts: Mapping[str, str] = {}
    """Of the box: rlimits, user, landlock, seccomp…, each `on…` or `off: why`."""

    @property
    def holds(self) -> bool:
        return self.permissions.works and self.box.works

    @property
    def layers(self) -> dict[str, str]:
        """What each layer, and each part of the box, says of itself."""
        return {"permissions": self.permissions.detail, "box": self.box.detail, **self.parts}

    def tell(self) -> None:
        """Write it into the log."""
        say = log.info if self.holds else log.error
        say("sandbox of functions", **{name.replace(" ", "_"): said for name, said in self.layers.items()})

    def require(self) -> None:
        """Raises `NoBoundary` if functions may not run."""
        if not self.holds:
            failed = self.box if self.permissions.works else self.permissions
            raise NoBoundary(
                f"functions are not run: the sandbox does not hold ({failed.detail}). Run Onward on Linux "
                "5.13 or newer with Landlock and seccomp, or say that you trust the code, or that something "
                "around Onward contains it"
            )


class NoWay:
    """A client that sends nothing."""

    async def send(self, request: Request) -> Response:
        raise EgressError("ECONNABORTED", "nothing is sent in the self-test")

    async def resolve(self, host: str) -> list[str]:
        raise EgressError("ECONNABORTED", "nothing is sent in the self-test")

    async def close(self) -> None:
        pass


async def examine(confinement: Confinement) -> Boundary:
    """Try both layers; takes a tenth of a second. Never raises for what it finds."""
    permissions, _ = await _try(msgspec.structs.replace(confinement, box=False))
    box, parts = await _try(msgspec.structs.replace(confinement, permissions=False))
    off = [f"{name} {state}" for name, state in parts.items() if name in _NEEDED and state.startswith("off")]
    missing = _NEEDED - parts.keys()
    if box.works and (off or missing):
        box = Layer(False, ", ".join([*off, *(f"no {name}" for name in sorted(missing))]))
    return Boundary(permissions=permissions, box=box, parts=parts)


_NEEDED = frozenset({"landlock", "seccomp"})


async def _try(confinement: Confinement) -> tuple[Layer, Mapping[str, str]]:
    with tempfile.TemporaryDirectory(prefix="onward-selftest-") as folder:
        Path(folder).chmod(0o755)  # what another user may reach, the sandbox must refuse
        secret = Path(folder) / "secret.js"
        secret.write_text("export default 'secret'")
        written = Path(folder) / "written"
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        asked = {
            "file": str(secret),
            "written": str(written),
            "port": server.sockets[0].getsockname()[1],
            "program": "/bin/true",
        }
        runner = None
        try:
            runner = await Runner.start(confinement, Limits(wall=20.0))
            await runner.load(ATTACKS)
            made = await runner.invoke("onTrack", asked, {}, NoWay(), Masking(()))
            if made.error is not None or not bytes(made.value).startswith(b"{"):
                return Layer(False, f"the attacks could not be tried: {made.ending.message}"), runner.layers
            let_in = msgspec.json.decode(made.value, type=dict[str, str])
        except (Lost, LoadError, TimeoutError, msgspec.MsgspecError) as error:
            return Layer(False, f"the attacks could not be tried: {error}"), {}
        finally:
            server.close()
            if runner is not None:
                await runner.close()
        # With -A a process reads its own environment, which is empty: nothing got out.
        if let_in:
            return Layer(False, f"it lets code {', '.join(sorted(let_in))}"), runner.layers
        return Layer(True, "holds"), runner.layers
