import {
  createRootRoute,
  createRoute,
  createRouter,
  type RouterHistory,
  retainSearchParams,
} from "@tanstack/react-router";
import {
  parseSearch,
  readSearchState,
  readVisitorState,
  type SearchState,
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

const routeTree = rootRoute.addChildren([homeRoute, searchRoute, productRoute]);

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
  }
}
