import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { type HomeList, homeQuery } from "@/api/queries";
import type { Visitor } from "@/lib/identity";

export type ForYou =
  | { state: "loading" }
  | { state: "failed"; error: Error; retry: () => void }
  | { state: "answered"; list: HomeList; isFollowing: boolean };

/** The home list of a visitor; it follows every event that this visitor sends. */
export function useForYou(visitor: Visitor): ForYou {
  const query = useQuery(homeQuery(useApi(), visitor));
  if (query.data !== undefined) {
    return { state: "answered", list: query.data, isFollowing: query.isFetching };
  }
  return query.error
    ? { state: "failed", error: query.error, retry: () => void query.refetch() }
    : { state: "loading" };
}
