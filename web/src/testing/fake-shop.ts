import type {
  EventIn,
  Explanation,
  Facet,
  Hit,
  Item,
  RecommendationRequest,
  ReportReply,
  RuleIn,
  SearchRequest,
  StoredRule,
  Suggestion,
} from "@/api/types";

export function item(itemId: string, more: Partial<Item> = {}): Item {
  return {
    item_id: itemId,
    title: `Product ${itemId}`,
    description: null,
    brand: null,
    category: null,
    price: 10,
    rating: null,
    attributes: [],
    in_stock: true,
    image: null,
    launched: null,
    ...more,
  };
}

export function hit(of: Item, rank: number, parts: Partial<Hit["parts"]> = {}): Hit {
  return {
    rank,
    item_id: of.item_id,
    score: 1 / rank,
    parts: { semantic: 0.5, lexical: 1, ...parts },
    relevance: null,
    pinned_by: null,
    explanation: null,
    item: of,
  };
}

export function rule(ruleId: string, body: RuleIn): StoredRule {
  return {
    rule_id: ruleId,
    filter: null,
    item_ids: [],
    position: null,
    strength: null,
    query: null,
    places: [],
    starts: null,
    ends: null,
    ...body,
  };
}

const ADMIN = /^\/(v1\/(report|releases|rules)|metrics)/;

interface Asked {
  method: string;
  path: string;
  body: unknown;
}

/**
 * A small shop in memory that answers like the server.
 *
 * It finds by words in the title, recommends what was not seen yet, and stores events once.
 */
export class FakeShop {
  readonly items: Item[];
  readonly events: EventIn[] = [];
  readonly asked: Asked[] = [];
  /** The next answers fail with this, until it is null again. */
  failing: { status: number; title: string; detail: string } | "unreachable" | null = null;
  /** Whether answers never come. */
  isSilent = false;
  /** Mistyped query -> what the shop reads. */
  corrections: Record<string, string> = {};
  /** What is close to every query and matches none. */
  weak: Item[] = [];
  /** Told with the first page of every search that asks for facets. */
  facets: Facet[] = [];
  /** Why a product is in a list, where that is asked for. */
  explanations: Record<string, Explanation> = {};
  /** The key that the studio has to show; null where the shop has none. */
  key: string | null = null;
  report: Partial<ReportReply> = {};
  /** Names of bundles, the one that answers last; null where there is only one for ever. */
  releases: string[] | null = null;
  /** Followed by searches where they are of `hide` and name one item. */
  rules: StoredRule[] = [];
  /** In Prometheus' text format. */
  metrics = "";
  /** Item ids whose events are refused. */
  refused: string[] = [];

  constructor(items: Item[]) {
    this.items = items;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(String(input), "http://shop.test");
    const body: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : null;
    this.asked.push({ method: init?.method ?? "GET", path: url.pathname, body });
    if (this.isSilent) return new Promise(() => undefined);
    if (this.failing === "unreachable") throw new TypeError("Failed to fetch");
    if (this.failing !== null) return problem(this.failing);
    if (url.pathname === "/v1/suggest") return this.suggest(url.searchParams.get("q") ?? "");
    const key = new Headers(init?.headers).get("X-API-Key");
    if (this.key !== null && key !== this.key && ADMIN.test(url.pathname)) {
      return problem({ status: 401, title: "A key is needed", detail: "show one" });
    }
    return this.answer(decodeURIComponent(url.pathname), body, init?.method ?? "GET");
  };

  /** The bodies sent to a path, oldest first. */
  bodiesOf<Body>(path: string): Body[] {
    return this.asked.filter((one) => one.path === path).map((one) => one.body as Body);
  }

  private answer(path: string, body: unknown, method: string): Response {
    if (path === "/v1/report") return Response.json(this.report);
    if (path.startsWith("/v1/releases")) return this.release(path.slice(13));
    if (path.startsWith("/v1/rules")) return this.rule(path.slice(10), method, body as RuleIn);
    if (path === "/metrics") return new Response(this.metrics);
    if (path.startsWith("/v1/products/") && method === "PATCH") {
      return this.change(path.slice(13), body as Partial<Item>);
    }
    if (path === "/v1/search") return Response.json(this.search(body as SearchRequest));
    if (path === "/v1/recommendations") {
      return Response.json(this.recommend(body as RecommendationRequest));
    }
    if (path === "/v1/events") return this.store((body as { events: EventIn[] }).events);
    if (path === "/v1/visitors") return Response.json({ request_id: "r-visitors", visitors: [] });
    if (path.startsWith("/v1/visitors/")) return Response.json(this.visitor(path.slice(13)));
    if (path.startsWith("/v1/products/")) return this.product(path.slice(13));
    if (path === "/v1/stats") return Response.json(this.stats());
    return problem({ status: 404, title: "Not found", detail: path });
  }

  private list(id: string, found: Item[]) {
    return {
      request_id: id,
      bundle_version: "b1",
      took_ms: { total: 3 },
      total: found.length,
      total_definition: "all that match",
      degraded: false,
      fallback_used: null,
    };
  }

  private told(one: Hit, explain = false): Hit {
    return explain ? { ...one, explanation: this.explanations[one.item_id] ?? null } : one;
  }

  private suggest(typed: string): Response {
    const begun = ({ text }: Suggestion) => text.toLowerCase().includes(typed.toLowerCase());
    const all: Suggestion[] = [
      { kind: "query", text: "table lamp", item_id: null },
      { kind: "category", text: "Home > Lamps", item_id: null },
      ...this.items.map(({ title, item_id }) => ({
        kind: "product" as const,
        text: title,
        item_id,
      })),
    ];
    return Response.json({
      request_id: "r-suggest",
      bundle_version: "b1",
      took_ms: { total: 1 },
      suggestions: all.filter(begun).slice(0, 3),
    });
  }

  private search({
    query,
    mode = "hybrid",
    k = 24,
    offset = 0,
    facets = [],
    explain,
  }: SearchRequest) {
    const meant = (this.corrections[query] ?? query).toLowerCase();
    const rules = this.rules.filter(({ action }) => action === "hide");
    const hiding = new Set(rules.map(({ filter }) => filter));
    const found = this.items.filter(
      ({ title, item_id }) =>
        title.toLowerCase().includes(meant) && !hiding.has(`item_id = "${item_id}"`),
    );
    const page = found.slice(offset, offset + k);
    return {
      ...this.list(`r-search-${offset}`, found),
      query,
      corrected_query: this.corrections[query] ?? null,
      mode,
      facets: this.facets.filter(({ field }) => facets.includes(field)),
      is_exact: true,
      next_cursor: null,
      hits: page.map((one, place) => this.told(hit(one, offset + place + 1), explain)),
      weak_hits: (offset + k < found.length ? [] : this.weak).map((one, place) =>
        hit(one, found.length + place + 1),
      ),
    };
  }

  private recommend({ placement, visitor_id, item_id, k = 12, explain }: RecommendationRequest) {
    const seen = this.events.filter((event) => event.visitor_id === visitor_id);
    const hidden = new Set([...seen.map((event) => event.item_id), item_id]);
    const found = this.items.filter((one) => !hidden.has(one.item_id)).slice(0, k);
    return {
      ...this.list(`r-${placement}-${seen.length}`, found),
      placement,
      history_length: seen.length,
      fallback_used: placement === "home" && seen.length === 0 ? "popularity" : null,
      hits: found.map((one, place) => this.told(hit(one, place + 1), explain)),
    };
  }

  private store(events: EventIn[]): Response {
    const known = new Set(this.events.map((event) => event.event_id));
    const rejected = events.filter((event) => this.refused.includes(event.item_id));
    const duplicate = events.filter((event) => known.has(event.event_id));
    const accepted = events.filter(
      (event) => !rejected.includes(event) && !duplicate.includes(event),
    );
    this.events.push(...accepted);
    const ids = (some: EventIn[]) => some.map((event) => event.event_id);
    return Response.json(
      {
        request_id: "r-events",
        accepted: ids(accepted),
        duplicate: ids(duplicate),
        rejected: ids(rejected).map((event_id) => ({ event_id, reason: "unknown item" })),
      },
      { status: 202 },
    );
  }

  private visitor(id: string) {
    const theirs = this.events.filter((event) => event.visitor_id === id);
    return {
      request_id: "r-visitor",
      visitor_id: id,
      n_events: theirs.length,
      recent: theirs.toReversed().map((event) => ({
        item_id: event.item_id,
        title: this.items.find((one) => one.item_id === event.item_id)?.title ?? "",
        event: event.event,
        time: null,
      })),
    };
  }

  /** Lists the releases; `NAME:promote` puts one to the end, `NAME:rollback` takes it from there. */
  private release(asked: string): Response {
    if (this.releases === null) {
      return problem({
        status: 409,
        title: "No releases",
        detail: "this server serves one bundle",
      });
    }
    const [name = "", deed] = asked.split(":");
    const others = this.releases.filter((one) => one !== name);
    if (deed === "promote") this.releases = [...others, name];
    if (deed === "rollback") this.releases = [name, ...others];
    return Response.json({
      request_id: "r-releases",
      bundle_version: "b1",
      releases: this.releases.toSorted(),
      current: this.releases.at(-1),
      previous: this.releases.at(-2) ?? null,
    });
  }

  /** Lists the rules, or puts or takes away one. */
  private rule(ruleId: string, method: string, body: RuleIn): Response {
    const others = this.rules.filter((one) => one.rule_id !== ruleId);
    if (method === "PUT") this.rules = [...others, rule(ruleId, body)];
    if (method === "DELETE") this.rules = others;
    return Response.json({ request_id: "r-rules", rule_id: ruleId, rules: this.rules });
  }

  private change(itemId: string, body: Partial<Item>): Response {
    const found = this.items.find((one) => one.item_id === itemId);
    Object.assign(found ?? {}, body);
    return Response.json({ request_id: "r-change", indexed: true });
  }

  private product(itemId: string): Response {
    const found = this.items.find((one) => one.item_id === itemId);
    if (found !== undefined) return Response.json({ request_id: "r-product", item: found });
    return problem({ status: 404, title: "Unknown product", detail: `no product ${itemId}` });
  }

  private stats() {
    return {
      request_id: "r-stats",
      name: "fake",
      synthetic: true,
      bundle_version: "b1",
      width: 8,
      items: this.items.length,
      live_items: 0,
      users: 0,
      log_events: 0,
      live_events: this.events.length,
      brands: 0,
      categories: 0,
      top_categories: [],
    };
  }
}

function problem(of: { status: number; title: string; detail: string }): Response {
  const body = { type: "urn:test", request_id: "r-problem", ...of };
  return Response.json(body, {
    status: of.status,
    headers: { "content-type": "application/problem+json" },
  });
}
