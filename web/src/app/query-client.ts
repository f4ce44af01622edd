import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "@/api/http";

/** A refusal is final; a server that did not answer, or is busy, is asked once more. */
function retry(failures: number, error: Error): boolean {
  if (error instanceof ApiError && error.status < 500) return false;
  return failures < 1;
}

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // "always": being offline is an error that we show, not a wait without words.
      queries: { retry, retryDelay: 600, networkMode: "always", refetchOnWindowFocus: false },
      mutations: { retryDelay: 800, networkMode: "always" },
    },
  });
}
