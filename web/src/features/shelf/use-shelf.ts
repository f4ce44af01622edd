import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { shelfQuery } from "@/api/queries";
import { type Place, placeQuestion, type Question } from "@/api/questions";
import type { RecommendationReply } from "@/api/types";
import type { Visitor } from "@/lib/identity";

export type Shelf =
  | { state: "loading" }
  | { state: "failed"; error: Error; retry: () => void }
  | { state: "answered"; answer: RecommendationReply; question: Question };

/** A list of products for a place on the page; `itemId` is of the product that it is about. */
export function useShelf(place: Place, visitor: Visitor, itemId?: string): Shelf {
  const query = useQuery(shelfQuery(useApi(), place, visitor, itemId));
  if (query.data !== undefined) {
    return {
      state: "answered",
      answer: query.data,
      question: placeQuestion(place, visitor, itemId),
    };
  }
  return query.error
    ? { state: "failed", error: query.error, retry: () => void query.refetch() }
    : { state: "loading" };
}
