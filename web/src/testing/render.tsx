import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRouter,
  RouterContextProvider,
} from "@tanstack/react-router";
import { render } from "@testing-library/react";
import { type ReactElement, type ReactNode, useState } from "react";
import { createApi } from "@/api/client";
import { ApiProvider } from "@/api/context";
import type { FakeShop } from "./fake-shop";

interface SurroundingsProps {
  shop: FakeShop;
  children: ReactNode;
}

/** What stands around a feature: a shop, a cache that does not retry, and addresses for links. */
function Surroundings({ shop, children }: SurroundingsProps) {
  const [client] = useState(
    () =>
      new QueryClient({
        defaultOptions: { queries: { retry: false }, mutations: { retryDelay: 1 } },
      }),
  );
  const [router] = useState(() =>
    createRouter({
      routeTree: createRootRoute(),
      history: createMemoryHistory({ initialEntries: ["/"] }),
    }),
  );
  const [api] = useState(() => createApi(shop.fetch));
  return (
    <ApiProvider value={api}>
      <QueryClientProvider client={client}>
        <RouterContextProvider router={router as never}>{children}</RouterContextProvider>
      </QueryClientProvider>
    </ApiProvider>
  );
}

export function renderWith(shop: FakeShop, ui: ReactElement) {
  return render(<Surroundings shop={shop}>{ui}</Surroundings>);
}
