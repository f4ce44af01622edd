import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { type HomeList, homeQuery } from "@/api/queries";
import { placeQuestion, type Question } from "@/api/questions";
import type { Visitor } from "@/lib/identity";

export type ForYou =
  | { state: "loading" }
  | { state: "failed"; error: Error; retry: () => void }
  | {
      state: "answered";
      list: HomeList;
      question: Question;
      isFollowing: boolean;
      isAnonymous: boolean;
    };

/** The home list of a visitor; it follows every event that this visitor sends. */
export function useForYou(visitor: Visitor): ForYou {
  const query = useQuery(homeQuery(useApi(), visitor));
  if (query.data !== undefined) {
    const question = placeQuestion("home", visitor);
    return {
      state: "answered",
      list: query.data,
      question,
      isFollowing: query.isFetching,
      isAnonymous: visitor.kind === "anonymous",
    };
  }
  return query.error
    ? { state: "failed", error: query.error, retry: () => void query.refetch() }
    : { state: "loading" };
}
