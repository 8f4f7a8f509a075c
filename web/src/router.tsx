/** Every page with its address. Pages are loaded when they are first opened. */
import {
  type AnyRoute,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
  redirect,
  type RouteComponent,
} from "@tanstack/react-router";
import { ApiError } from "./api/client.ts";
import { client } from "./api/hooks.ts";
import { session } from "./api/session.ts";
import { parse, stringify } from "./parts/address.ts";
import { Shell } from "./shell/Shell.tsx";
import { NoSuchPage, PageTrouble } from "./shell/Trouble.tsx";

type Page = () => Promise<{ default: RouteComponent }>;

const root = createRootRoute({
  validateSearch: (search: Record<string, unknown>) => search as Record<string, string>,
  component: Outlet,
  notFoundComponent: NoSuchPage,
  errorComponent: PageTrouble,
});

/** All pages but signing in are in the frame with navigation, and need a session. */
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Shell,
  beforeLoad: async ({ location }) => {
    try {
      await client.ensureQueryData(session);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { next: location.href } });
    }
  },
});

function page<Parent extends AnyRoute, const Path extends string>(parent: Parent, path: Path, load: Page) {
  return createRoute({ getParentRoute: () => parent, path, component: lazyRouteComponent(load) });
}

/** A page with parts below: its own address shows the first of them. */
function first<Parent extends AnyRoute>(parent: Parent, to: string) {
  const path = "/" as const;
  return createRoute({
    getParentRoute: () => parent,
    path,
    component: () => <Navigate from={parent.fullPath} to={to} replace />,
  });
}

/** A short address of a page; what is asked in it stays. */
function moved<const Path extends string>(path: Path, to: string) {
  return createRoute({
    getParentRoute: () => app,
    path,
    component: () => (
      <Navigate
        to={to}
        search={((asked: Record<string, string>) => asked) as never}
        replace
      />
    ),
  });
}

const source = page(app, "sources/$sourceId", () => import("./routes/sources/Source.tsx"));
const destination = page(
  app,
  "destinations/$destinationId",
  () => import("./routes/destinations/Destination.tsx"),
);
const delivery = page(app, "delivery", () => import("./routes/delivery/Delivery.tsx"));
const settings = page(app, "settings", () => import("./routes/settings/Settings.tsx"));

const tree = root.addChildren([
  page(root, "sign-in", () => import("./routes/sign-in/SignIn.tsx")),
  page(root, "invite", () => import("./routes/sign-in/Invite.tsx")),
  app.addChildren([
    page(app, "/", () => import("./routes/home/Home.tsx")),
    page(app, "start", () => import("./routes/start/Start.tsx")),
    page(app, "sources", () => import("./routes/sources/Sources.tsx")),
    source.addChildren([
      first(source, "./overview"),
      page(source, "overview", () => import("./routes/sources/Overview.tsx")),
      page(source, "debugger", () => import("./routes/sources/Debugger.tsx")),
      page(source, "schema", () => import("./routes/sources/Schema.tsx")),
      page(source, "settings", () => import("./routes/sources/SourceSettings.tsx")),
    ]),
    page(app, "catalogue", () => import("./routes/catalogue/Catalogue.tsx")),
    page(app, "catalogue/$slug", () => import("./routes/catalogue/Entry.tsx")),
    page(app, "destinations", () => import("./routes/destinations/Destinations.tsx")),
    page(app, "destinations/add", () => import("./routes/destinations/Add.tsx")),
    destination.addChildren([
      first(destination, "./overview"),
      page(destination, "overview", () => import("./routes/destinations/Overview.tsx")),
      page(destination, "settings", () => import("./routes/destinations/DestinationSettings.tsx")),
      page(destination, "mappings", () => import("./routes/destinations/Mappings.tsx")),
      page(destination, "mappings/$subscriptionId", () => import("./routes/mapping/Mapping.tsx")),
      page(destination, "filters", () => import("./routes/destinations/Filters.tsx")),
      page(destination, "insert-function", () => import("./routes/destinations/InsertFunction.tsx")),
      page(destination, "tester", () => import("./routes/destinations/Tester.tsx")),
      page(destination, "delivery", () => import("./routes/delivery/DestinationDelivery.tsx")),
    ]),
    page(app, "functions", () => import("./routes/functions/Functions.tsx")),
    page(app, "functions/$functionId", () => import("./routes/functions/Function.tsx")),
    delivery.addChildren([
      first(delivery, "./overview"),
      page(delivery, "overview", () => import("./routes/delivery/Overview.tsx")),
      page(delivery, "deliverability", () => import("./routes/delivery/Deliverability.tsx")),
      page(delivery, "health", () => import("./routes/delivery/Health.tsx")),
      page(delivery, "alerts", () => import("./routes/delivery/Alerts.tsx")),
      page(delivery, "discards", () => import("./routes/delivery/Discards.tsx")),
      page(delivery, "trace", () => import("./routes/delivery/Trace.tsx")),
    ]),
    moved("trace", "/delivery/trace"),
    page(app, "debugger", () => import("./routes/debugger/Debugger.tsx")),
    settings.addChildren([
      first(settings, "./workspace"),
      page(settings, "workspace", () => import("./routes/settings/WorkspaceSettings.tsx")),
      page(settings, "people", () => import("./routes/settings/People.tsx")),
      page(settings, "groups", () => import("./routes/settings/Groups.tsx")),
      page(settings, "roles", () => import("./routes/settings/Roles.tsx")),
      page(settings, "tokens", () => import("./routes/settings/Tokens.tsx")),
      page(settings, "audit", () => import("./routes/settings/Audit.tsx")),
      page(settings, "installation", () => import("./routes/settings/Installation.tsx")),
      page(settings, "account", () => import("./routes/settings/Account.tsx")),
    ]),
    createRoute({ getParentRoute: () => app, path: "$", component: NoSuchPage }),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch: parse,
  stringifySearch: stringify,
  defaultPreload: "intent",
  defaultPendingMs: 200,
  scrollRestoration: true,
  defaultNotFoundComponent: NoSuchPage,
  defaultErrorComponent: PageTrouble,
});

/** Asks for the code of the first page and for who looks at it at the same time, not one after the other. */
export function hasten(): void {
  for (const { routeId } of router.matchRoutes(router.latestLocation)) {
    const options = router.routesById[routeId as keyof typeof router.routesById]?.options;
    (options?.component as { preload?: () => void } | undefined)?.preload?.();
  }
}

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
