import { useQueries } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useApi } from "@/api/context";
import { searchQuery } from "@/api/queries";
import { type Asked, type Question, searchQuestion } from "@/api/questions";
import type { Hit, SearchReply } from "@/api/types";
import type { Visitor } from "@/lib/identity";
import { MAX_PAGES, PAGE_SIZE } from "@/lib/url-state";

export interface Found {
  hit: Hit;
  /** The answer that brought this hit. */
  requestId: string;
  question: Question;
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
      /** Whether this is the list before the last refinement, until the new one is there. */
      isUpdating: boolean;
      hasMore: boolean;
      isLoadingMore: boolean;
      moreError: Error | null;
      retry: () => void;
    };

type Answered = Extract<Search, { state: "answered" }>;

/** The last answer to the same words, to stay until a refined one is there. */
function useLastAnswer(asked: Asked, search: Search): Answered | null {
  const last = useRef<{ of: string; answered: Answered } | null>(null);
  const of = JSON.stringify([asked.q, asked.mode]);
  useEffect(() => {
    if (search.state === "answered") last.current = { of, answered: search };
  }, [of, search]);
  return last.current?.of === of ? last.current.answered : null;
}

/** The search of a query up to a page: each page is one request, kept apart in the cache. */
function usePages(asked: Asked, visitor: Visitor): Search {
  const api = useApi();
  const pages = Array.from({ length: asked.page }, (_, index) => index + 1);
  const results = useQueries({
    queries: pages.map((page) => searchQuery(api, { ...asked, page }, visitor)),
  });
  const retry = () => {
    for (const result of results) if (result.isError) void result.refetch();
  };
  if (asked.q === "") return { state: "idle" };
  const [first] = results;
  if (first?.data === undefined) {
    return first?.error ? { state: "failed", error: first.error, retry } : { state: "loading" };
  }
  const of = (data: SearchReply | undefined, page: number, hits: "hits" | "weak_hits") => {
    const question = searchQuestion({ ...asked, page }, visitor);
    return (data?.[hits] ?? []).map((hit) => ({
      hit,
      requestId: data?.request_id ?? "",
      question,
    }));
  };
  const found = results.flatMap(({ data }, index) => of(data, index + 1, "hits"));
  const isWhole = asked.page * PAGE_SIZE >= first.data.total || asked.page >= MAX_PAGES;
  return {
    state: "answered",
    answer: first.data,
    found,
    weak: of(results.at(-1)?.data, asked.page, "weak_hits"),
    isUpdating: false,
    hasMore: !isWhole && results.every((result) => (result.data?.hits.length ?? 0) > 0),
    isLoadingMore: results.some((result) => result.isPending && result.isFetching),
    moreError: results.find((result) => result.isError)?.error ?? null,
    retry,
  };
}

export function useSearch(asked: Asked, visitor: Visitor): Search {
  const search = usePages(asked, visitor);
  const last = useLastAnswer(asked, search);
  return search.state === "loading" && last !== null ? { ...last, isUpdating: true } : search;
}
