/** The frame of every page: navigation at the left, workspace, search and health on top. */
import { ActionIcon, AppShell, Burger, Group } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { useSession } from "~/api/session.ts";
import { Health } from "./Health.tsx";
import { NAV } from "./nav.ts";
import { openPalette, Palette } from "./Palette.tsx";
import css from "./Shell.module.css";
import { UserMenu } from "./UserMenu.tsx";
import { WorkspaceMenu } from "./WorkspaceMenu.tsx";

export function Shell() {
  const { may } = useSession();
  const [open, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const narrow = useMediaQuery("(max-width: 768px)");
  useEffect(close, [pathname]);
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 208, breakpoint: 768, collapsed: { mobile: !open } }}
      transitionDuration={0}
    >
      <AppShell.Header className={css.header}>
        <Group gap={8} wrap="nowrap" miw={0}>
          <Burger opened={open} onClick={toggle} size="sm" hiddenFrom="sm" aria-label="Navigation" />
          <Link to="/" className={css.logo} aria-label="Onward, home">
            <img src="/favicon.svg" width={24} height={24} alt="" />
          </Link>
          <WorkspaceMenu />
        </Group>
        <Group gap={8} wrap="nowrap">
          {narrow
            ? (
              <ActionIcon size={32} onClick={openPalette} aria-label="Search">
                <IconSearch size={18} />
              </ActionIcon>
            )
            : (
              <button type="button" className={css.search} onClick={openPalette}>
                <IconSearch size={14} aria-hidden />
                <span>Search</span>
                <kbd>{/Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}</kbd>
              </button>
            )}
          <Health />
          <UserMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={css.navbar}>
        <nav aria-label="Main">
          {NAV.filter((each) => !each.permission || may(each.permission)).map(({ label, to, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              className={css.item}
              activeOptions={{ exact: to === "/" }}
              activeProps={{ "data-active": true }}
            >
              <Icon size={18} stroke={1.75} aria-hidden />
              {label}
            </Link>
          ))}
        </nav>
      </AppShell.Navbar>
      <AppShell.Main>
        <div className={css.page}>
          <Outlet />
        </div>
      </AppShell.Main>
      <Palette />
    </AppShell>
  );
}
