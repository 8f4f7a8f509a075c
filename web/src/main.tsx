import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./theme.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { standAs } from "./api/client.ts";
import { client } from "./api/hooks.ts";
import { restore } from "./api/session.ts";
import { hasten, router } from "./router.tsx";
import { theme, variables } from "./theme.ts";

restore();
standAs({
  sessionOver: () => {
    const here = router.state.location;
    if (here.pathname !== "/sign-in") router.navigate({ to: "/sign-in", search: { next: here.href } });
  },
});

// The server has got another build since this page was opened: its parts have other names now.
addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("onward-reloaded") ?? 0);
  if (Date.now() - last < 60_000) return;
  sessionStorage.setItem("onward-reloaded", String(Date.now()));
  location.reload();
});

hasten();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <Notifications position="bottom-right" />
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
