/** The other end of an invitation's link, or of the first owner's: become a user, and be signed in. */
import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { ApiError } from "~/api/client.ts";
import { client, useChange } from "~/api/hooks.ts";
import { begun, session } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Frame } from "./Frame.tsx";

export default function Invite() {
  const navigate = useNavigate();
  const accept = useChange("acceptInvite");
  const [token] = useState(() => location.hash.slice(1));
  const [form, setForm] = useState({ name: "", email: "", password: "" });
  useEffect(() => void (document.title = "Join · Onward"), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { name, email, password } = form;
    accept.mutate({ body: { token, name, password, ...(email ? { email } : {}) } }, {
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
  });

  if (!token) {
    return (
      <Frame title="This link is not whole">
        <p className="dim" style={{ textAlign: "center" }}>
          It ends with # and a long word. Copy it again, or <Link to="/sign-in">sign in</Link>{" "}
          if you have an account.
        </p>
      </Frame>
    );
  }
  return (
    <Frame title="Join this Onward">
      <form onSubmit={submit}>
        <Stack gap={16}>
          <TextInput
            label="Your name"
            autoComplete="name"
            required
            withAsterisk={false}
            autoFocus
            {...field("name")}
          />
          <TextInput
            label="Email"
            description="Only the first owner's is asked for; an invitation knows yours."
            type="email"
            autoComplete="username"
            {...field("email")}
          />
          <PasswordInput
            label="Password"
            description="At least 10 characters. If you have an account here, its password."
            autoComplete="new-password"
            minLength={10}
            required
            withAsterisk={false}
            {...field("password")}
          />
          <ErrorNote
            error={accept.error instanceof ApiError && accept.error.problems[0]?.field ? null : accept.error}
          />
          <Button type="submit" h={36} loading={accept.isPending}>Join</Button>
        </Stack>
      </form>
    </Frame>
  );
}
