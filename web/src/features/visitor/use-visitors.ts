import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useApi } from "@/api/context";
import { keys, visitorQuery, visitorsQuery } from "@/api/queries";
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

const LIVE_MS = 1_000;

/**
 * What a visitor did last; null until it is known.
 *
 * Live, it hears within two seconds of what the same visitor does elsewhere, and lets the home
 * list follow.
 */
export function useTrail(visitor: Visitor, { isLive = false } = {}): Trail | null {
  const client = useQueryClient();
  const { data } = useQuery({
    ...visitorQuery(useApi(), visitor.id),
    ...(isLive ? { refetchInterval: LIVE_MS } : {}),
  });
  const nEvents = data?.n_events;
  const known = useRef({ id: visitor.id, nEvents });
  useEffect(() => {
    const before = known.current;
    known.current = { id: visitor.id, nEvents };
    const isNews = before.id === visitor.id && before.nEvents !== undefined;
    if (isNews && before.nEvents !== nEvents) {
      void client.invalidateQueries({ queryKey: keys.home(visitor.id) });
    }
  }, [client, visitor.id, nEvents]);
  return data === undefined ? null : { nEvents: data.n_events, recent: data.recent };
}
