import type { RecommendationRequest, SearchRequest } from "@/api/types";
import { identityOf, type Visitor } from "@/lib/identity";
import { type Refinement, toFilter } from "@/lib/refinement";
import { type Mode, PAGE_SIZE } from "@/lib/url-state";

/** What a list of products was asked with; asked again, it gives the same list. */
export type Question =
  | { route: "search"; body: SearchRequest }
  | { route: "recommendations"; body: RecommendationRequest };

export interface Asked {
  q: string;
  mode: Mode;
  page: number;
  refinement: Refinement;
}

export type Place = RecommendationRequest["placement"];

/** One page of a search. */
export function searchQuestion({ q, mode, page, refinement }: Asked, visitor: Visitor) {
  const filter = toFilter(refinement);
  const body: SearchRequest = {
    query: q,
    mode,
    k: PAGE_SIZE,
    offset: (page - 1) * PAGE_SIZE,
    ...(page === 1 ? { facets: ["category", "brand", "price", "in_stock"], max_values: 60 } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(refinement.sort === undefined ? {} : { sort: refinement.sort }),
    ...identityOf(visitor),
  };
  return { route: "search", body } as const;
}

/** The products of a place on the page; `itemId` is of the product that the place is about. */
export function placeQuestion(placement: Place, visitor: Visitor, itemId?: string) {
  const body: RecommendationRequest = {
    placement,
    k: 12,
    ...(itemId === undefined ? {} : { item_id: itemId }),
    ...identityOf(visitor),
  };
  return { route: "recommendations", body } as const;
}
