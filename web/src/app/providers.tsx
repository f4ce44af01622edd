import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import type { Api } from "@/api/client";
import { ApiProvider } from "@/api/context";
import type { AppRouter } from "./router";

interface ProvidersProps {
  api: Api;
  client: QueryClient;
  router: AppRouter;
}

export function Providers({ api, client, router }: ProvidersProps) {
  return (
    <ApiProvider value={api}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ApiProvider>
  );
}
