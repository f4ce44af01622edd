import { hiddenBy, hidingFilter, hidingRule } from "@/api/hiding";
import { ask, type Fetch, JSON_HEADERS } from "@/api/http";
import type {
  ProductReply,
  ReleasesReply,
  ReportReply,
  RuleIn,
  RulesReply,
  SearchReply,
} from "@/api/types";

/** The fields of a product that the studio changes; null takes a price away. */
export type ProductChange = { price?: number | null; in_stock?: boolean };

export interface AdminApi {
  report(): Promise<ReportReply>;
  /** All counters, in Prometheus' text format. */
  metrics(): Promise<string>;
  releases(): Promise<ReleasesReply>;
  promote(name: string): Promise<ReleasesReply>;
  rollback(name: string): Promise<ReleasesReply>;
  find(query: string): Promise<SearchReply>;
  change(itemId: string, change: ProductChange): Promise<ProductReply>;
  product(itemId: string): Promise<ProductReply>;
  /** Leaves a product out of searches and recommendations, by a rule; the product stays. */
  hide(itemId: string): Promise<void>;
  /** Takes the rule of `hide` away. */
  show(itemId: string): Promise<void>;
  /** The ids of what `hide` left out, from here or elsewhere. */
  hidden(): Promise<string[]>;
}

/** What a key of the scope `admin` may do; a shop without keys asks for none. */
export function createAdmin(fetcher: Fetch, key: string): AdminApi {
  const headers = { ...JSON_HEADERS, ...(key === "" ? {} : { "X-API-Key": key }) };
  const call = async (method: string, path: string, body?: unknown): Promise<Response> =>
    ask(fetcher, path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const json = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> =>
    (await (await call(method, path, body)).json()) as Answer;
  const product = (itemId: string) => `/v1/products/${encodeURIComponent(itemId)}`;
  const rule = (ruleId: string) => `/v1/rules/${encodeURIComponent(ruleId)}`;
  const release = (name: string, deed: string) =>
    `/v1/releases/${encodeURIComponent(name)}:${deed}`;
  return {
    report: () => json("GET", "/v1/report"),
    metrics: async () => (await call("GET", "/metrics")).text(),
    releases: () => json("GET", "/v1/releases"),
    promote: (name) => json("POST", release(name, "promote")),
    rollback: (name) => json("POST", release(name, "rollback")),
    find: (query) => json("POST", "/v1/search", { query, k: 20 }),
    change: (itemId, change) => json("PATCH", product(itemId), change),
    product: (itemId) => json("GET", product(itemId)),
    hide: async (itemId) => {
      const hiding: RuleIn = { action: "hide", filter: hidingFilter(itemId) };
      await call("PUT", rule(hidingRule(itemId)), hiding);
    },
    show: async (itemId) => {
      await call("DELETE", rule(hidingRule(itemId)));
    },
    hidden: async () => hiddenBy((await json<RulesReply>("GET", "/v1/rules")).rules),
  };
}
