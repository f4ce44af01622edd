import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useApi } from "@/api/context";
import { keys, visitorQuery, visitorsQuery } from "@/api/queries";
import type { ExampleVisitor, PastEvent } from "@/api/types";
import type { Visitor } from "@/lib/identity";
import { useActivity } from "./use-activity";

/** Example visitors of the log; an empty list while they load or where there are none. */
export function useExampleVisitors(): ExampleVisitor[] {
  return useQuery(visitorsQuery(useApi())).data?.visitors ?? [];
}

export interface Trail {
  nEvents: number;
  /** Newest first. */
  recent: PastEvent[];
}

const BUSY_MS = 1_000;
const QUIET_MS = 10_000;

/** What a visitor did last, null until it is known; the home list follows when it grows. */
export function useTrail(visitor: Visitor, refetchInterval: number | false = false): Trail | null {
  const client = useQueryClient();
  const { data } = useQuery({
    ...visitorQuery(useApi(), visitor.id),
    refetchInterval,
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

/**
 * `useTrail` that hears of what the same visitor does elsewhere.
 *
 * It asks every second for a minute after the visitor's latest event that is known here or the
 * latest deed in the page, then every ten seconds, and never while the tab is hidden.
 */
export function useLiveTrail(visitor: Visitor): Trail | null {
  const [isActive, onDeed] = useActivity();
  const trail = useTrail(visitor, isActive ? BUSY_MS : QUIET_MS);
  const nEvents = trail?.nEvents;
  useEffect(() => {
    if (nEvents !== undefined) onDeed();
  }, [onDeed, nEvents]);
  return trail;
}
