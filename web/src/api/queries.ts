import { queryOptions } from "@tanstack/react-query";
import type { Api } from "@/api/client";
import type { RecommendationReply, SearchRequest } from "@/api/types";
import { identityOf, type Visitor } from "@/lib/identity";
import { type Refinement, toFilter } from "@/lib/refinement";
import { type Mode, PAGE_SIZE } from "@/lib/url-state";

export const keys = {
  visitor: (id: string) => ["visitor", id] as const,
  home: (id: string) => ["recommendations", "home", id] as const,
};

const MINUTE = 60_000;

export interface Asked {
  q: string;
  mode: Mode;
  page: number;
  refinement: Refinement;
}

function searchRequest({ q, mode, page, refinement }: Asked): SearchRequest {
  const filter = toFilter(refinement);
  return {
    query: q,
    mode,
    k: PAGE_SIZE,
    offset: (page - 1) * PAGE_SIZE,
    ...(page === 1 ? { facets: ["category", "brand", "price", "in_stock"], max_values: 60 } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(refinement.sort === undefined ? {} : { sort: refinement.sort }),
  };
}

/** One page of a search. */
export function searchQuery(api: Api, asked: Asked, visitor: Visitor) {
  const { q, mode, page, refinement } = asked;
  return queryOptions({
    queryKey: ["search", q, mode, page, refinement, visitor.id],
    queryFn: ({ signal }) =>
      api.search({ ...searchRequest(asked), ...identityOf(visitor) }, signal),
    enabled: q !== "",
    staleTime: MINUTE,
  });
}

export function suggestQuery(api: Api, typed: string) {
  return queryOptions({
    queryKey: ["suggest", typed],
    queryFn: ({ signal }) => api.suggest(typed, signal),
    enabled: typed !== "",
    staleTime: MINUTE,
    retry: false,
  });
}

/** A home list, and which of its products the last change of the list brought. */
export interface HomeList extends RecommendationReply {
  arrivals: string[];
}

export function withArrivals(answer: RecommendationReply, before: HomeList | undefined): HomeList {
  if (before === undefined) return { ...answer, arrivals: [] };
  const known = new Set(before.hits.map((hit) => hit.item_id));
  const arrivals = answer.hits.map((hit) => hit.item_id).filter((id) => !known.has(id));
  return { ...answer, arrivals: arrivals.length === 0 ? before.arrivals : arrivals };
}

export function homeQuery(api: Api, visitor: Visitor) {
  return queryOptions({
    queryKey: keys.home(visitor.id),
    queryFn: async ({ client, signal }) => {
      const before = client.getQueryData<HomeList>(keys.home(visitor.id));
      const request = { placement: "home", k: 12, ...identityOf(visitor) } as const;
      return withArrivals(await api.recommend(request, signal), before);
    },
    staleTime: MINUTE,
    gcTime: 60 * MINUTE,
  });
}

export function similarQuery(api: Api, itemId: string, visitor: Visitor) {
  return queryOptions({
    queryKey: ["recommendations", "similar", itemId],
    queryFn: ({ signal }) =>
      api.recommend(
        { placement: "similar", item_id: itemId, k: 10, ...identityOf(visitor) },
        signal,
      ),
    staleTime: 5 * MINUTE,
  });
}

export function productQuery(api: Api, itemId: string) {
  return queryOptions({
    queryKey: ["product", itemId],
    queryFn: ({ signal }) => api.product(itemId, signal),
    staleTime: MINUTE,
  });
}

export function visitorsQuery(api: Api) {
  return queryOptions({
    queryKey: ["visitors"],
    queryFn: ({ signal }) => api.visitors(6, signal),
    staleTime: 10 * MINUTE,
  });
}

export function visitorQuery(api: Api, id: string) {
  return queryOptions({
    queryKey: keys.visitor(id),
    queryFn: ({ signal }) => api.visitor(id, signal),
    staleTime: MINUTE,
  });
}

export function statsQuery(api: Api) {
  return queryOptions({
    queryKey: ["stats"],
    queryFn: ({ signal }) => api.stats(signal),
    staleTime: 10 * MINUTE,
  });
}
