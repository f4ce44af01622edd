import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useApi } from "@/api/context";
import { useSendEvent } from "@/api/events";
import { productQuery } from "@/api/queries";
import type { Item, Kind } from "@/api/types";
import type { Visitor } from "@/lib/identity";

export interface Deed {
  kind: Kind;
  state: "sending" | "stored" | "failed";
  message: string;
}

export type Product =
  | { state: "loading" }
  | { state: "failed"; error: Error; retry: () => void }
  | {
      state: "answered";
      item: Item;
      /** What this visitor did here last, and whether the shop has stored it. */
      deed: Deed | null;
      addToCart: () => void;
      buy: () => void;
    };

interface Opening {
  itemId: string;
  visitor: Visitor;
  /** The list from which it was opened; null when it was opened by its address. */
  requestId: string | null;
  /** One per visit of the page: coming back with "back" is no second view. */
  visitKey: string;
}

const viewed = new Set<string>();

/** True the first time a visit is named. */
function isFirst(visit: string): boolean {
  if (viewed.has(visit)) return false;
  viewed.add(visit);
  return true;
}

function useView({ itemId, visitor, requestId, visitKey }: Opening, item: Item | undefined) {
  const { send } = useSendEvent(visitor);
  const title = item?.title;
  useEffect(() => {
    if (title === undefined || visitor.kind === "anonymous") return;
    if (!isFirst(`${visitKey} ${visitor.id} ${itemId}`)) return;
    send({ event: "view", itemId, title, requestId });
  }, [send, itemId, title, requestId, visitKey, visitor]);
}

/** The last deed as the page tells it, from the state of its sending. */
function deedOf(sending: ReturnType<typeof useSendEvent>): Deed | null {
  const kind = sending.variables?.event.event;
  if (kind === undefined || sending.isIdle) return null;
  if (sending.isError) {
    return { kind, state: "failed", message: `Not recorded: ${sending.error.message}` };
  }
  const done = kind === "purchase" ? "Purchase recorded" : "Added to cart";
  return sending.isPending
    ? { kind, state: "sending", message: "One moment" }
    : { kind, state: "stored", message: done };
}

/** A product page: the item, and what the visitor does with it. */
export function useProduct(opening: Opening): Product {
  const { itemId, visitor, requestId } = opening;
  const product = useQuery(productQuery(useApi(), itemId));
  const item = product.data?.item;
  useView(opening, item);
  const sending = useSendEvent(visitor);
  if (item === undefined) {
    return product.error
      ? { state: "failed", error: product.error, retry: () => void product.refetch() }
      : { state: "loading" };
  }
  const act = (event: Kind) => sending.send({ event, itemId, title: item.title, requestId });
  return {
    state: "answered",
    item,
    deed: deedOf(sending),
    addToCart: () => act("cart"),
    buy: () => act("purchase"),
  };
}
