/** One's own account: password, and signing out everywhere. */
import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { ApiError } from "~/api/client.ts";
import { useChange } from "~/api/hooks.ts";
import { forget, useSession } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Section } from "~/parts/Section.tsx";

export default function Account() {
  const { name, email, hasPassword } = useSession();
  const navigate = useNavigate();
  const change = useChange("changePassword");
  const signOut = useChange("signOut");
  const [values, setValues] = useState({ current: "", password: "" });
  const error = change.error instanceof ApiError ? change.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ body: values }, {
      onSuccess: () => {
        setValues({ current: "", password: "" });
        notifications.show({ message: "Changed. Your other sessions have ended.", color: "teal" });
      },
    });
  };
  return (
    <>
      <p style={{ marginTop: 0 }}>
        <b>{name}</b>
        <br />
        <span className="dim">{email}</span>
      </p>
      <Section title="Password">
        {!hasPassword && (
          <p className="dim" style={{ margin: 0 }}>
            You sign in by the identity provider, and have no password here.
          </p>
        )}
        <form onSubmit={submit} hidden={!hasPassword}>
          <Stack gap={12} maw={360}>
            <PasswordInput
              label="Current password"
              autoComplete="current-password"
              required
              withAsterisk={false}
              value={values.current}
              error={error?.of("current")}
              onChange={(event) => setValues({ ...values, current: event.currentTarget.value })}
            />
            <PasswordInput
              label="New password"
              description="At least 10 characters."
              autoComplete="new-password"
              minLength={10}
              required
              withAsterisk={false}
              value={values.password}
              error={error?.of("password")}
              onChange={(event) => setValues({ ...values, password: event.currentTarget.value })}
            />
            {!error?.problems[0]?.field && <ErrorNote error={change.error} />}
            <Group>
              <Button type="submit" loading={change.isPending}>Change password</Button>
            </Group>
          </Stack>
        </form>
      </Section>
      <Section title="Sessions">
        <Button
          variant="default"
          loading={signOut.isPending}
          onClick={() =>
            signOut.mutate({ query: { everywhere: true } }, {
              onSuccess: () => {
                forget();
                navigate({ to: "/sign-in" });
              },
            })}
        >
          Sign out everywhere
        </Button>
      </Section>
    </>
  );
}
