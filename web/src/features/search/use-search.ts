import { useQueries } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { searchQuery } from "@/api/queries";
import type { Hit, SearchReply } from "@/api/types";
import type { Visitor } from "@/lib/identity";
import { MAX_PAGES, type Mode, PAGE_SIZE } from "@/lib/url-state";

export interface Found {
  hit: Hit;
  /** The answer that brought this hit. */
  requestId: string;
}

export type Search =
  | { state: "idle" }
  | { state: "loading" }
  | { state: "failed"; error: Error; retry: () => void }
  | {
      state: "answered";
      /** The first page: its total, timing and fallbacks speak for the list. */
      answer: SearchReply;
      found: Found[];
      /** What comes after the last match and does not count as one. */
      weak: Found[];
      hasMore: boolean;
      isLoadingMore: boolean;
      moreError: Error | null;
      retry: () => void;
    };

/** The search of a query up to a page: each page is one request, kept apart in the cache. */
export function useSearch(asked: {
  q: string;
  mode: Mode;
  page: number;
  visitor: Visitor;
}): Search {
  const api = useApi();
  const pages = Array.from({ length: asked.page }, (_, index) => index + 1);
  const results = useQueries({
    queries: pages.map((page) => searchQuery(api, { ...asked, page })),
  });
  const retry = () => {
    for (const result of results) if (result.isError) void result.refetch();
  };
  if (asked.q === "") return { state: "idle" };
  const [first] = results;
  if (first?.data === undefined) {
    return first?.error ? { state: "failed", error: first.error, retry } : { state: "loading" };
  }
  const of = (data: SearchReply | undefined, hits: "hits" | "weak_hits") =>
    (data?.[hits] ?? []).map((hit) => ({ hit, requestId: data?.request_id ?? "" }));
  const found = results.flatMap(({ data }) => of(data, "hits"));
  const isWhole = asked.page * PAGE_SIZE >= first.data.total || asked.page >= MAX_PAGES;
  return {
    state: "answered",
    answer: first.data,
    found,
    weak: of(results.at(-1)?.data, "weak_hits"),
    hasMore: !isWhole && results.every((result) => (result.data?.hits.length ?? 0) > 0),
    isLoadingMore: results.some((result) => result.isPending && result.isFetching),
    moreError: results.find((result) => result.isError)?.error ?? null,
    retry,
  };
}
