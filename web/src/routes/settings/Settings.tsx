import { Outlet } from "@tanstack/react-router";

export default function Page() {
  return <Outlet />;
}
