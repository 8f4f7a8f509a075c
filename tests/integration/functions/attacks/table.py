# ruff: noqa: E501  (lines of JavaScript)
"""Attacks on what is outside a function's process: files, programs, the network, neighbours.

Each is the body of an async function; `D` is Deno as the process has it, `m` what the test has laid out:
`secret` (a file that anyone may read), `folder` (that anyone may write), `tcp`, `udp` and `http` (ports of
listeners on loopback), `unix` (a socket's path), `parent` (the host's process). What it returns is searched
for the secret; whether it wrote, connected or killed is seen outside.
"""

FILES = {
    "read": "return D.readTextFileSync(m.secret)",
    "read, async": "return await D.readTextFile(m.secret)",
    "read by node:fs": "return (await import('node:fs')).readFileSync(m.secret, 'utf8')",
    "read by a stream": """const fs = await import('node:fs'); let all = '';
        for await (const part of fs.createReadStream(m.secret)) all += part; return all""",
    "open": "const f = D.openSync(m.secret); const b = new Uint8Array(99); f.readSync(b); return new TextDecoder().decode(b)",
    "read by a descriptor": """const fs = await import('node:fs'); let all = '';
        for (let fd = 3; fd < 64; fd++) try { all += fs.readFileSync(fd, 'utf8') } catch {} return all""",
    "read beside what is allowed": "return D.readTextFileSync(m.libraries + '/../'.repeat(40) + m.secret)",
    "read the host's environment": "return D.readTextFileSync(`/proc/${m.parent}/environ`)",
    "read its memory map": "return D.readTextFileSync(`/proc/${m.parent}/maps`) && m.marker",
    "read passwords": "return D.readTextFileSync('/etc/shadow') && m.marker",
    "list": "return [...D.readDirSync(m.folder)].map((e) => e.name).join() + m.marker",
    "list the root": "return [...D.readDirSync('/home')].length + m.marker",
    "follow a link": """D.symlinkSync(m.secret, m.folder + '/link'); return D.readTextFileSync(m.folder + '/link')""",
    "sqlite": """const { DatabaseSync } = await import('node:sqlite'); const d = new DatabaseSync(':memory:');
        d.exec(`ATTACH '${m.folder}/base.db' AS x; CREATE TABLE x.t (a)`); return 'wrote'""",
    "write": "D.writeTextFileSync(m.folder + '/written', 'x')",
    "write by node:fs": "(await import('node:fs')).appendFileSync(m.folder + '/appended', 'x')",
    "overwrite the runner": "D.writeTextFileSync(m.runner + '/main.js', 'x')",
    "overwrite a library": "D.writeTextFileSync(m.libraries + '/lodash.js', 'x')",
    "poison the cache": "D.writeTextFileSync(m.cache + '/poison', 'x')",
    "make a folder": "D.mkdirSync(m.folder + '/made')",
    "make a temporary file": "return D.makeTempFileSync({ dir: m.folder })",
    "remove": "D.removeSync(m.secret)",
    "rename": "D.renameSync(m.secret, m.folder + '/renamed')",
    "change the mode": "D.chmodSync(m.secret, 0o777); return 'changed' + m.marker",
    "Cache API": "const c = await globalThis.caches?.open('x'); if (c) return 'opened'",
    "key-value store": "const kv = await D.openKv(m.folder + '/kv'); await kv.set(['a'], 1)",
}

PROGRAMS = {
    "run": "return new D.Command('/bin/cat', { args: [m.secret] }).outputSync().stdout.length + m.marker",
    "run a shell": "new D.Command('/bin/sh', { args: ['-c', `echo x > ${m.folder}/shell`] }).outputSync()",
    "exec by node": "return (await import('node:child_process')).execSync(`cat ${m.secret}`).toString()",
    "spawn by node": "return (await import('node:child_process')).spawnSync('/bin/cat', [m.secret]).stdout.toString()",
    "fork": "(await import('node:child_process')).fork(m.secret)",
    "run itself again": """return new TextDecoder().decode(
        new D.Command(D.execPath(), { args: ['eval', '--allow-all', `console.log(Deno.readTextFileSync('${m.secret}'))`] })
        .outputSync().stdout)""",
    "FFI: system": """const c = D.dlopen('libc.so.6', { system: { parameters: ['buffer'], result: 'i32' } });
        c.symbols.system(new TextEncoder().encode(`cat ${m.secret} > ${m.folder}/system\\0`))""",
    "FFI: fork": """const c = D.dlopen('libc.so.6', { fork: { parameters: [], result: 'i32' } });
        if (c.symbols.fork() >= 0) return m.marker""",
    "FFI: open": """const c = D.dlopen('libc.so.6', { open: { parameters: ['buffer', 'i32'], result: 'i32' } });
        if (c.symbols.open(new TextEncoder().encode(m.secret + '\\0'), 0) >= 0) return m.marker""",
    "FFI: socket": """const c = D.dlopen('libc.so.6', { socket: { parameters: ['i32', 'i32', 'i32'], result: 'i32' } });
        for (const family of [1, 2, 10, 16, 17]) if (c.symbols.socket(family, 1, 0) >= 0) return m.marker""",
    "FFI: ptrace": """const c = D.dlopen('libc.so.6', { ptrace: { parameters: ['i32', 'i32', 'usize', 'usize'], result: 'i64' } });
        if (c.symbols.ptrace(16, m.parent, 0, 0) === 0) return m.marker""",
    "FFI: kill": """const c = D.dlopen('libc.so.6', { kill: { parameters: ['i32', 'i32'], result: 'i32' } });
        if (c.symbols.kill(m.parent, 0) === 0) return m.marker""",
    "kill the host": "D.kill(m.parent, 'SIGTERM')",
    "kill by node": "(await import('node:process')).default.kill(m.parent, 'SIGTERM')",
    "signal a neighbour": "D.kill(m.neighbour, 'SIGKILL')",
    "inspector": "(await import('node:inspector')).open(0, '127.0.0.1'); return m.marker",
}

NETWORK = {
    "fetch of Deno": """const f = (await import('node:module')).createRequire('file:///x');
        return await (await new (f('node:http').Agent)().constructor && fetch(`http://127.0.0.1:${m.http}/`)).text()""",
    "node:http": """const http = await import('node:http');
        return await new Promise((y, n) => http.get(`http://127.0.0.1:${m.http}/`, (r) => y(m.marker)).on('error', n))""",
    "TCP": "(await D.connect({ hostname: '127.0.0.1', port: m.tcp })).close()",
    "TCP, IPv6": "(await D.connect({ hostname: '::1', port: m.tcp })).close()",
    "TCP, unspecified address": "(await D.connect({ hostname: '0.0.0.0', port: m.tcp })).close()",
    "TLS": "(await D.connectTls({ hostname: '127.0.0.1', port: m.tcp })).close()",
    "node:net": """const net = await import('node:net');
        await new Promise((y, n) => net.connect(m.tcp, '127.0.0.1', y).on('error', n))""",
    "UDP": """const s = D.listenDatagram({ transport: 'udp', hostname: '127.0.0.1', port: 0 });
        await s.send(new Uint8Array([1]), { transport: 'udp', hostname: '127.0.0.1', port: m.udp }); return m.marker""",
    "node:dgram": """const s = (await import('node:dgram')).createSocket('udp4');
        await new Promise((y, n) => { s.on('error', n); s.send('x', m.udp, '127.0.0.1', (e) => e ? n(e) : y()) })""",
    "unix socket": "(await D.connect({ transport: 'unix', path: m.unix })).close()",
    "unix socket by node": """const net = await import('node:net');
        await new Promise((y, n) => net.connect(m.unix, y).on('error', n))""",
    "DNS": """return (await D.resolveDns('example.com', 'A',
        { nameServer: { ipAddr: '127.0.0.1', port: m.udp } })).join() + m.marker""",
    "DNS by node": "return JSON.stringify(await (await import('node:dns/promises')).resolve4('example.com')) + m.marker",
    "metadata": "(await D.connect({ hostname: '169.254.169.254', port: 80 })).close(); return m.marker",
    "listen": "D.listen({ hostname: '127.0.0.1', port: 0 }); return m.marker",
    "serve": "D.serve({ hostname: '127.0.0.1', port: 0 }, () => new Response('x')); return m.marker",
    "listen by node": """const net = await import('node:net');
        await new Promise((y, n) => net.createServer().listen(0, '127.0.0.1', y).on('error', n)); return m.marker""",
    "listen, unix": "D.listen({ transport: 'unix', path: m.folder + '/listening' }); return m.marker",
    "WebSocket": """const { WebSocket: W } = globalThis; const w = new W(`ws://127.0.0.1:${m.tcp}/`);
        await new Promise((y, n) => { w.onopen = y; w.onerror = n })""",
}

IMPORTS = {
    "a file": "return (await import('file://' + m.secret)).default",
    "a file as text": "return (await import('file://' + m.secret, { with: { type: 'text' } })).default",
    "a file as JSON": "return (await import('file://' + m.secret + 'on', { with: { type: 'json' } })).default",
    "http": "return (await import(`http://127.0.0.1:${m.http}/x.js`)).default",
    "npm": "return typeof (await import('npm:left-pad')).default + m.marker",
    "jsr": "return typeof (await import('jsr:@std/path')).join + m.marker",
    "https": "return typeof (await import('https://deno.land/std/version.ts')).VERSION + m.marker",
    "require": "return (await import('node:module')).createRequire(import.meta?.url ?? 'file:///')(m.secret)",
    "a worker with rights": """const w = new (globalThis.Worker ?? (await import('node:worker_threads')).Worker)(
        `data:text/javascript,postMessage(Deno.readTextFileSync('${m.secret}'))`, { type: 'module', deno: { permissions: 'inherit' }, eval: false });
        return await new Promise((y, n) => { w.onmessage = (e) => y(e.data); w.onerror = n; w.on?.('message', y); w.on?.('error', n); setTimeout(n, 1000) })""",
    "a worker thread": """const { Worker } = await import('node:worker_threads');
        const w = new Worker(`require('node:worker_threads').parentPort.postMessage(require('node:fs').readFileSync('${m.secret}', 'utf8'))`, { eval: true });
        return await new Promise((y, n) => { w.on('message', y); w.on('error', n); setTimeout(n, 1000) })""",
}

REALM = {
    "the host's environment": "return JSON.stringify(D.env.toObject())",
    "environment by node": "return JSON.stringify((await import('node:process')).default.env)",
    "environment by its constructor": "return JSON.stringify(fetch.constructor('return process')().env)",
    "environment of a library": "return JSON.stringify(_.constructor.constructor('return process')().env)",
    "ask for rights": "const s = await D.permissions.request({ name: 'read' }); return s.state + D.readTextFileSync(m.secret)",
    "vm": "return (await import('node:vm')).runInNewContext('this.constructor.constructor(\"return Deno\")()').readTextFileSync(m.secret)",
    "internals": "return JSON.stringify(D[D.internal].core.ops.op_read_file_text_sync?.(m.secret) ?? D[D.internal].core.ops)",
    "internal reading": "return D[D.internal].core.ops.op_fs_read_file_text_sync(m.secret)",
    "binding": "return (await import('node:process')).default.binding('fs').internalModuleReadJSON(m.secret)",
    "WASI": """const { WASI } = await import('node:wasi'); const w = new WASI({ version: 'preview1', preopens: { '/': '/' } });
        return typeof w.wasiImport.path_open + (await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) && '')""",
}

ALL = {"files": FILES, "programs": PROGRAMS, "network": NETWORK, "imports": IMPORTS, "realm": REALM}


def script(attacks: dict[str, str]) -> str:
    """A function whose onTrack tries them all, and returns what each brought in."""
    tries = ",\n".join(
        f"{name!r}: async (D, m) => {{ {body.replace('import.meta?.url', 'null')} }}"
        for name, body in attacks.items()
    )
    return f"""
const attacks = {{ {tries} }};
async function onTrack(m) {{
  const D = globalThis.Deno, found = {{}};
  for (const [name, attack] of Object.entries(attacks)) {{
    const late = new Promise((_, no) => setTimeout(() => no(new Error('late')), 2000));
    try {{ found[name] = {{ got: String(await Promise.race([attack(D, m), late])).slice(0, 5000) }} }}
    catch (error) {{ found[name] = {{ refused: String(error?.message ?? error).slice(0, 200) }} }}
  }}
  return found;
}}"""
