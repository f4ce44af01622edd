import type {
  EventIn,
  EventsReply,
  Problem,
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

/** The server answered, and it was not what we asked for. */
export class ApiError extends Error {
  readonly status: number;
  readonly detail: string;
  readonly requestId: string | null;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.title ?? `The shop answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.detail = problem.detail ?? "";
    this.requestId = problem.request_id ?? null;
  }
}

/** The server did not answer at all. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super("The shop cannot be reached", { cause });
    this.name = "UnreachableError";
  }
}

export interface Api {
  search(request: SearchRequest, signal?: AbortSignal): Promise<SearchReply>;
  suggest(typed: string, signal?: AbortSignal): Promise<SuggestReply>;
  recommend(request: RecommendationRequest, signal?: AbortSignal): Promise<RecommendationReply>;
  send(events: EventIn[]): Promise<EventsReply>;
  product(itemId: string, signal?: AbortSignal): Promise<ProductReply>;
  visitors(limit: number, signal?: AbortSignal): Promise<VisitorsReply>;
  visitor(id: string, signal?: AbortSignal): Promise<VisitorReply>;
  stats(signal?: AbortSignal): Promise<StatsReply>;
}

type Fetch = typeof fetch;

async function readProblem(response: Response): Promise<Partial<Problem>> {
  try {
    return (await response.json()) as Partial<Problem>;
  } catch {
    return {};
  }
}

async function ask<Answer>(fetcher: Fetch, path: string, init: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetcher(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new UnreachableError(cause);
  }
  if (!response.ok) throw new ApiError(response.status, await readProblem(response));
  return (await response.json()) as Answer;
}

const JSON_HEADERS = { "content-type": "application/json" };

/** The shop's HTTP interface; `fetcher` is the browser's, or a fake shop's in tests. */
export function createApi(fetcher: Fetch): Api {
  const get = <Answer>(path: string, signal?: AbortSignal) =>
    ask<Answer>(fetcher, path, signal ? { signal } : {});
  const post = <Answer>(path: string, body: unknown, more: RequestInit) =>
    ask<Answer>(fetcher, path, {
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
  };
}
