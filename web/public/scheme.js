// Before the first paint, so that a dark page never flashes white. Mantine keeps the choice by this name.
(() => {
  const kept = globalThis.localStorage?.getItem("mantine-color-scheme-value");
  const dark = kept === "dark" ||
    (kept !== "light" && globalThis.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  document.documentElement.style.background = dark ? "#141618" : "#fbfbfa";
})();
