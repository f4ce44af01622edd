import { useQuery } from "@tanstack/react-query";
import { useApi } from "@/api/context";
import { visitorQuery, visitorsQuery } from "@/api/queries";
import type { ExampleVisitor, PastEvent } from "@/api/types";
import type { Visitor } from "@/lib/identity";

/** Example visitors of the log; an empty list while they load or where there are none. */
export function useExampleVisitors(): ExampleVisitor[] {
  return useQuery(visitorsQuery(useApi())).data?.visitors ?? [];
}

export interface Trail {
  nEvents: number;
  /** Newest first. */
  recent: PastEvent[];
}

/** What a visitor did last; null until it is known. */
export function useTrail(visitor: Visitor): Trail | null {
  const { data } = useQuery(visitorQuery(useApi(), visitor.id));
  return data === undefined ? null : { nEvents: data.n_events, recent: data.recent };
}
