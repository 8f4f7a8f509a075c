/** Signing in with a password, or by the identity provider if there is one. */
import { Button, Divider, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { address } from "~/api/client.ts";
import { client, useApi, useChange } from "~/api/hooks.ts";
import { begun, session } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Frame } from "./Frame.tsx";
import { refusal } from "./refusals.ts";

export default function SignIn() {
  const { next, refused } = useSearch({ strict: false }) as { next?: string; refused?: string };
  const navigate = useNavigate();
  const methods = useApi("listSignInMethods", {});
  const signIn = useChange("signIn");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  useEffect(() => void (document.title = "Sign in · Onward"), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ body: { email, password } }, {
      onSuccess: (answer) => {
        client.clear();
        client.setQueryData(session.queryKey, begun(answer.session));
        navigate({ href: ours(next), replace: true });
      },
    });
  };

  return (
    <Frame title={refusal(refused) ? "You are not signed in" : "Sign in to Onward"}>
      {refusal(refused) && (
        <div style={{ marginBottom: 24 }}>
          <ErrorNote error={refusal(refused)} />
        </div>
      )}
      <form onSubmit={submit}>
        <Stack gap={16}>
          <TextInput
            label="Email"
            type="email"
            autoComplete="username"
            required
            withAsterisk={false}
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <ErrorNote error={signIn.error} />
          <Button type="submit" h={36} loading={signIn.isPending}>Sign in</Button>
        </Stack>
      </form>
      {methods.data?.methods.oidc && (
        <>
          <Divider label="or" my={16} />
          <Button component="a" href={address("startOidc", { next })} variant="default" h={36} fullWidth>
            Sign in with {methods.data.methods.provider}
          </Button>
        </>
      )}
      <p className="dim small" style={{ textAlign: "center", marginTop: 24 }}>
        No account? You need an invitation. The first owner's link stands in the server's log;{" "}
        <code>onward people invite</code> makes another.
      </p>
    </Frame>
  );
}

/** Where to go after signing in: a page of this app, whatever the address says. */
function ours(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
}
