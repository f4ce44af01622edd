import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { useApi } from "@/api/context";
import { keys } from "@/api/queries";
import type { EventIn, Kind, VisitorReply } from "@/api/types";
import { identityOf, randomId, type Visitor } from "@/lib/identity";

/** What happened, in the page's words; `requestId` names the list in which the item was seen. */
export interface Happening {
  event: Kind;
  itemId: string;
  title: string;
  requestId: string | null;
}

/** The server stored nothing, and said why. */
export class RejectedError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "RejectedError";
  }
}

interface Sending {
  event: EventIn;
  title: string;
}

function withEvent(seen: VisitorReply | undefined, { event, title }: Sending) {
  if (seen === undefined) return undefined;
  const latest = { item_id: event.item_id, title, event: event.event, time: Date.now() };
  return { ...seen, n_events: seen.n_events + 1, recent: [latest, ...seen.recent] };
}

/**
 * Sends one event and lets the visitor's lists follow it.
 *
 * The event id is made once per happening, so a retry after a lost answer is stored once.
 */
export function useSendEvent(visitor: Visitor) {
  const api = useApi();
  const client = useQueryClient();
  const { mutate, ...state } = useMutation({
    mutationFn: async ({ event }: Sending) => {
      if (visitor.kind === "anonymous") {
        throw new RejectedError("nothing is kept of an anonymous visitor");
      }
      const answer = await api.send([event]);
      const refused = answer.rejected[0];
      if (refused !== undefined) throw new RejectedError(refused.reason);
      return event;
    },
    retry: (failures, error) => failures < 2 && !(error instanceof RejectedError),
    onMutate: async (sending) => {
      await client.cancelQueries({ queryKey: keys.visitor(visitor.id) });
      client.setQueryData<VisitorReply>(keys.visitor(visitor.id), (seen) =>
        withEvent(seen, sending),
      );
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.home(visitor.id) }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.visitor(visitor.id) }),
  });
  const send = useCallback(
    ({ event, itemId, title, requestId }: Happening) =>
      mutate({
        title,
        event: {
          event_id: randomId(),
          visitor_id: visitor.id,
          ...identityOf(visitor),
          item_id: itemId,
          event,
          time: Date.now(),
          ...(requestId === null ? {} : { request_id: requestId }),
        },
      }),
    [mutate, visitor],
  );
  return { send, ...state };
}
