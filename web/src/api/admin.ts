import { ask, type Fetch, JSON_HEADERS } from "@/api/http";
import type { Item, ProductReply, ReleasesReply, ReportReply, SearchReply } from "@/api/types";

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
  /** Takes a product out, and gives what `show` puts in again. */
  hide(item: Item): Promise<Item>;
  show(item: Item): Promise<ProductReply>;
}

/** What a product is put in with: everything that is known of it but its id. */
function bodyOf({ item_id: _, ...item }: Item) {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null));
}

/** A picture as a `data:` URI, which is how a product that holds it itself is put in. */
async function pictureOf(response: Response): Promise<string> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return `data:${response.headers.get("content-type") ?? ""};base64,${btoa(letters)}`;
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
    hide: async (item) => {
      const isOurs = item.image?.startsWith("/") === true;
      const image = isOurs ? await pictureOf(await call("GET", item.image ?? "")) : item.image;
      await call("DELETE", product(item.item_id));
      return { ...item, image };
    },
    show: (item) => json("PUT", product(item.item_id), bodyOf(item)),
  };
}
