/** What went wrong, in the server's words, and what to do next. */
import { Button } from "@mantine/core";
import { IconAlertCircle } from "@tabler/icons-react";
import { ApiError } from "~/api/client.ts";
import css from "./ErrorNote.module.css";

export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  if (!error) return null;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div className={css.note} role="alert">
      <IconAlertCircle size={16} aria-hidden />
      <div>
        {message.charAt(0).toUpperCase() + message.slice(1)}
        {/[.!?]$/.test(message) ? " " : ". "}
        {advice(error)}
      </div>
      {retry && (
        <Button variant="subtle" color="gray" size="compact-sm" h={24} onClick={retry}>Try again</Button>
      )}
    </div>
  );
}

function advice(error: unknown): string {
  if (!(error instanceof ApiError)) return "";
  if (error.status === 403) return "An owner of the workspace can grant it, in Settings → People.";
  if (error.status === 412) return "Load the page again to see the change before you make yours.";
  if (error.status === 429) return "Wait a minute, then try again.";
  return "";
}
