/** Instead of a page: there is none here, or it could not be shown. */
import { Button } from "@mantine/core";
import { IconCloudOff, IconMapQuestion } from "@tabler/icons-react";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { PageHead } from "~/parts/PageHead.tsx";

export function NoSuchPage() {
  return (
    <>
      <PageHead title="There is no such page" />
      <EmptyState
        icon={IconMapQuestion}
        title="Nothing is at this address"
        action={<LinkButton to="/" variant="default">Go home</LinkButton>}
      >
        What was here may have been deleted, or the address is not whole.
      </EmptyState>
    </>
  );
}

export function PageTrouble({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = () => {
    reset();
    router.invalidate();
  };
  return (
    <EmptyState
      icon={IconCloudOff}
      title="This page could not be shown"
      action={<Button variant="default" onClick={again}>Try again</Button>}
    >
      <ErrorNote error={error} />
    </EmptyState>
  );
}
