import { type AdminApi, createAdmin } from "@/api/admin";
import { ask, type Fetch, JSON_HEADERS } from "@/api/http";
import type {
  EventIn,
  EventsReply,
  ProductReply,
  RecommendationReply,
  RecommendationRequest,
  SearchReply,
  SearchRequest,
  StatsReply,
  SuggestReply,
  VisitorReply,
  VisitorsReply,
} from "@/api/types";

export interface Api {
  search(request: SearchRequest, signal?: AbortSignal): Promise<SearchReply>;
  suggest(typed: string, signal?: AbortSignal): Promise<SuggestReply>;
  recommend(request: RecommendationRequest, signal?: AbortSignal): Promise<RecommendationReply>;
  send(events: EventIn[]): Promise<EventsReply>;
  product(itemId: string, signal?: AbortSignal): Promise<ProductReply>;
  visitors(limit: number, signal?: AbortSignal): Promise<VisitorsReply>;
  visitor(id: string, signal?: AbortSignal): Promise<VisitorReply>;
  stats(signal?: AbortSignal): Promise<StatsReply>;
  /** What somebody with this key may do; empty where the shop has no keys. */
  admin(key: string): AdminApi;
}

/** The shop's HTTP interface; `fetcher` is the browser's, or a fake shop's in tests. */
export function createApi(fetcher: Fetch): Api {
  const json = async <Answer>(path: string, init: RequestInit) =>
    (await (await ask(fetcher, path, init)).json()) as Answer;
  const get = <Answer>(path: string, signal?: AbortSignal) =>
    json<Answer>(path, signal ? { signal } : {});
  const post = <Answer>(path: string, body: unknown, more: RequestInit) =>
    json<Answer>(path, {
      method: "POST",
      headers: JSON_HEADERS,
      body: JSON.stringify(body),
      ...more,
    });
  const until = (signal?: AbortSignal): RequestInit => (signal ? { signal } : {});
  return {
    search: (request, signal) => post("/v1/search", request, until(signal)),
    suggest: (typed, signal) => get(`/v1/suggest?k=3&q=${encodeURIComponent(typed)}`, signal),
    recommend: (request, signal) => post("/v1/recommendations", request, until(signal)),
    // keepalive: an event outlives the page that sent it.
    send: (events) => post("/v1/events", { events }, { keepalive: true }),
    product: (itemId, signal) => get(`/v1/products/${encodeURIComponent(itemId)}`, signal),
    visitors: (limit, signal) => get(`/v1/visitors?limit=${limit}`, signal),
    visitor: (id, signal) => get(`/v1/visitors/${encodeURIComponent(id)}`, signal),
    stats: (signal) => get("/v1/stats", signal),
    admin: (key) => createAdmin(fetcher, key),
  };
}
