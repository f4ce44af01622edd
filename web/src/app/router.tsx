import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type RouterHistory,
  retainSearchParams,
} from "@tanstack/react-router";
import type { Question } from "@/api/questions";
import {
  parseSearch,
  readSearchState,
  readStudioState,
  readVisitorState,
  type SearchState,
  type StudioState,
  stringifySearch,
  type VisitorState,
} from "@/lib/url-state";
import { HomePage } from "./routes/home";
import { NotFoundPage } from "./routes/not-found";
import { ProductPage } from "./routes/product";
import { SearchPage } from "./routes/search";
import { Shell } from "./shell";

const rootRoute = createRootRoute({
  validateSearch: (raw: Record<string, unknown>): VisitorState => readVisitorState(raw),
  search: { middlewares: [retainSearchParams(["visitor"])] },
  component: Shell,
  notFoundComponent: NotFoundPage,
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  component: HomePage,
});

const searchRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/search",
  validateSearch: (raw: Record<string, unknown>): SearchState => readSearchState(raw),
  component: SearchPage,
});

const productRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/product/$itemId",
  component: ProductPage,
});

const studioRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/studio",
  validateSearch: (raw: Record<string, unknown>): StudioState => readStudioState(raw),
  // A chunk of its own: shoppers never load it.
  component: lazyRouteComponent(() => import("./routes/studio"), "StudioPage"),
});

const routeTree = rootRoute.addChildren([homeRoute, searchRoute, productRoute, studioRoute]);

export function makeRouter(history?: RouterHistory) {
  return createRouter({
    routeTree,
    parseSearch,
    stringifySearch,
    scrollRestoration: true,
    ...(history === undefined ? {} : { history }),
  });
}

export type AppRouter = ReturnType<typeof makeRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
  interface HistoryState {
    /** The list answer from which this page was opened. */
    requestId?: string;
    /** What that list was asked with. */
    question?: Question;
  }
}
