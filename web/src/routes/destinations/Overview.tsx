import { PageHead } from "~/parts/PageHead.tsx";

export default function Page() {
  return <PageHead title="Overview" />;
}
