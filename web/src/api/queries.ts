import { queryOptions } from "@tanstack/react-query";
import type { Api } from "@/api/client";
import {
  type Asked,
  type Place,
  placeQuestion,
  type Question,
  searchQuestion,
} from "@/api/questions";
import type { Hit, RecommendationReply } from "@/api/types";
import { ANONYMOUS, type Visitor } from "@/lib/identity";

export const keys = {
  visitor: (id: string) => ["visitor", id] as const,
  home: (id: string) => ["recommendations", "home", id] as const,
};

const MINUTE = 60_000;

/** One page of a search. */
export function searchQuery(api: Api, asked: Asked, visitor: Visitor) {
  const { q, mode, page, refinement } = asked;
  return queryOptions({
    queryKey: ["search", q, mode, page, refinement, visitor.id],
    queryFn: ({ signal }) => api.search(searchQuestion(asked, visitor).body, signal),
    enabled: q !== "",
    staleTime: MINUTE,
  });
}

/** Why a product is in the list that a question gave; null where it no longer is. */
export function explanationQuery(api: Api, { route, body }: Question, itemId: string) {
  return queryOptions({
    queryKey: ["explanation", route, body, itemId],
    queryFn: async ({ signal }): Promise<Hit | null> => {
      const hits =
        route === "search"
          ? await api
              .search({ ...body, explain: true }, signal)
              .then((answer) => [...answer.hits, ...answer.weak_hits])
          : (await api.recommend({ ...body, explain: true }, signal)).hits;
      return hits.find((hit) => hit.item_id === itemId) ?? null;
    },
    gcTime: 0,
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
      const { body } = placeQuestion("home", visitor);
      return withArrivals(await api.recommend(body, signal), before);
    },
    staleTime: MINUTE,
    gcTime: 60 * MINUTE,
  });
}

/** The products of a place that does not follow the visitor. */
export function shelfQuery(api: Api, place: Place, visitor: Visitor, itemId?: string) {
  return queryOptions({
    queryKey: ["recommendations", place, itemId ?? ""],
    queryFn: ({ signal }) => api.recommend(placeQuestion(place, visitor, itemId).body, signal),
    staleTime: MINUTE,
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
    enabled: id !== ANONYMOUS,
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
