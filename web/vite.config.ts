import react from "@vitejs/plugin-react";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Writes a .gz and a .br beside each text file of the build, so that the server need not compress. */
function precompressed(): Plugin {
  let folder = "";
  return {
    name: "precompressed",
    apply: "build",
    configResolved: (config) => void (folder = config.build.outDir),
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const path = join(folder, name);
        if (!/\.(js|css|html|svg|json)$/.test(name) || statSync(path).size < 1024) continue;
        const bytes = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 9 };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: quality }));
      }
    },
  };
}

/** Bytes of the first page, its code and styles gzipped, fonts not counted. */
const FIRST_LOAD = 350_000;

/** Refuses a build whose first page has become too large: what is large is loaded where it is used. */
function weighed(): Plugin {
  return {
    name: "weighed",
    apply: "build",
    writeBundle(_, bundle) {
      const found = new Set<string>();
      const add = (name: string) => {
        const each = bundle[name];
        if (!each || found.has(name)) return;
        found.add(name);
        if (each.type !== "chunk") return;
        each.imports.forEach(add);
        each.viteMetadata?.importedCss.forEach(add);
      };
      for (const each of Object.values(bundle)) {
        const home = each.type === "chunk" && each.facadeModuleId?.endsWith("/routes/home/Home.tsx");
        if (each.type === "chunk" && (each.isEntry || home)) add(each.fileName);
      }
      const bytes = [...found].map((name) => bundle[name]!).reduce(
        (sum, each) => sum + gzipSync(each.type === "chunk" ? each.code : each.source, { level: 9 }).length,
        0,
      );
      const said = `the first page is ${Math.round(bytes / 1000)} kB, gzipped`;
      if (bytes > FIRST_LOAD) this.error(`${said}; it may be ${FIRST_LOAD / 1000} kB`);
      this.info(said);
    },
  };
}

export default defineConfig({
  plugins: [react(), precompressed(), weighed()],
  resolve: { alias: { "~": join(import.meta.dirname!, "src") } },
  build: {
    target: "es2023",
    emptyOutDir: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    assetsInlineLimit: 0, // `data:` is not among what the page may load
  },
  server: { proxy: { "/api": Deno.env.get("ONWARD_URL") ?? "http://127.0.0.1:8080" } },
});
