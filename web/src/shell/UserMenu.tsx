/** Who is signed in, light or dark, and signing out. */
import { ActionIcon, Menu, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { IconApi, IconLogout, IconUserCircle } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { call } from "~/api/client.ts";
import { forget, useSession } from "~/api/session.ts";

export function UserMenu() {
  const { name, email } = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const signOut = async () => {
    await call("signOut").catch(() => {});
    forget();
    navigate({ to: "/sign-in" });
  };
  return (
    <Menu position="bottom-end" width={232}>
      <Menu.Target>
        <ActionIcon size={32} aria-label={`Account: ${name}`}>
          <IconUserCircle size={20} stroke={1.75} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <div style={{ color: "var(--mantine-color-text)", fontWeight: 500 }}>{name}</div>
          {email}
        </Menu.Label>
        <div style={{ padding: "4px 8px 8px" }}>
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label="Light or dark"
            value={colorScheme}
            onChange={(value) => setColorScheme(value as "light" | "dark" | "auto")}
            data={[{ value: "light", label: "Light" }, { value: "dark", label: "Dark" }, {
              value: "auto",
              label: "System",
            }]}
          />
        </div>
        <Menu.Divider />
        <Menu.Item component={Link} to="/settings/account" leftSection={<IconUserCircle size={16} />}>
          Your account
        </Menu.Item>
        <Menu.Item component="a" href="/api/docs" leftSection={<IconApi size={16} />}>Public API</Menu.Item>
        <Menu.Item onClick={signOut} leftSection={<IconLogout size={16} />}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
