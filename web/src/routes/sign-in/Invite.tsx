/** The other end of an invitation's link, or of the first owner's: become a user, and be signed in. */
import { Button, Divider, PasswordInput, Stack, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { address, ApiError } from "~/api/client.ts";
import type { OpenInvitation } from "~/api/generated.ts";
import { client, useApi, useChange } from "~/api/hooks.ts";
import { begun, session } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Frame } from "./Frame.tsx";

export default function Invite() {
  const [token] = useState(() => location.hash.slice(1));
  const { data, error, refetch } = useApi("readInvite", { body: { token } }, { enabled: token !== "" });
  useEffect(() => void (document.title = "Join · Onward"), []);
  if (!token) {
    return (
      <NoGood title="This link is not whole">
        It ends with # and a long word. Copy it again, or <Link to="/sign-in">sign in</Link>{" "}
        if you have an account.
      </NoGood>
    );
  }
  if (error instanceof ApiError && error.status === 404) {
    return (
      <NoGood title="This link is no longer good">
        It was used already, a newer one was made, or it is older than a week.{" "}
        <Link to="/sign-in">Sign in</Link>{" "}
        if you have an account, or ask who sent it for another. The first owner's stands in the server's log,
        new with each start.
      </NoGood>
    );
  }
  if (error) {
    return (
      <Frame title="Join this Onward">
        <ErrorNote error={error} retry={refetch} />
      </Frame>
    );
  }
  return data ? <Join token={token} invitation={data.invitation} /> : null;
}

function NoGood({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Frame title={title}>
      <p className="dim" style={{ textAlign: "center" }}>{children}</p>
    </Frame>
  );
}

function Join({ token, invitation }: { token: string; invitation: OpenInvitation }) {
  const navigate = useNavigate();
  const accept = useChange("acceptInvite");
  const { data } = useApi("listSignInMethods", {});
  const [form, setForm] = useState({ name: "", email: "", password: "" });
  const { email: invited, hasAccount, workspace } = invitation;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { name, email, password } = form;
    accept.mutate({ body: { token, name, password, ...(invited ? {} : { email }) } }, {
      onSuccess: (answer) => {
        client.clear();
        client.setQueryData(session.queryKey, begun(answer.session));
        navigate({ to: "/", replace: true });
      },
    });
  };
  const field = (name: keyof typeof form) => ({
    value: form[name],
    error: accept.error instanceof ApiError ? accept.error.of(name) : undefined,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => {
      const { value } = event.currentTarget;
      setForm((before) => ({ ...before, [name]: value }));
    },
    required: true,
    withAsterisk: false,
  });
  return (
    <Frame title={invited ? `Join ${workspace}` : "Become the owner of this Onward"}>
      {invited && (
        <p style={{ margin: "-8px 0 20px", textAlign: "center" }}>
          You are invited as <b>{invited}</b>.
        </p>
      )}
      <form onSubmit={submit}>
        <Stack gap={16}>
          {!hasAccount && <TextInput label="Your name" autoComplete="name" autoFocus {...field("name")} />}
          {invited
            // Hidden, so that a password manager knows whose password this is.
            ? <input type="email" autoComplete="username" value={invited} readOnly hidden />
            : (
              <TextInput
                label="Email"
                description="You sign in with it; nothing is sent to it."
                type="email"
                autoComplete="username"
                {...field("email")}
              />
            )}
          <PasswordInput
            label="Password"
            description={hasAccount ? "You have an account here: that of it." : "At least 10 characters."}
            autoComplete={hasAccount ? "current-password" : "new-password"}
            minLength={hasAccount ? undefined : 10}
            autoFocus={hasAccount}
            {...field("password")}
          />
          <ErrorNote
            error={accept.error instanceof ApiError && accept.error.problems[0]?.field ? null : accept.error}
          />
          <Button type="submit" h={36} loading={accept.isPending}>Join</Button>
        </Stack>
      </form>
      {invited && data?.methods.oidc && (
        <>
          <Divider label="or" my={16} />
          <Button component="a" href={address("startOidc")} variant="default" h={36} fullWidth>
            Join with {data.methods.provider}
          </Button>
        </>
      )}
    </Frame>
  );
}
