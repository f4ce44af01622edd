export type Kind = "view" | "cart" | "purchase" | "review";
export type Mode = "hybrid" | "semantic" | "lexical";
export interface SearchRequest {
  query: string;
  k?: number;
  offset?: number;
  mode?: Mode;
  visitor_id?: string | null;
  user_id?: string | null;
}
export interface RecommendationRequest {
  placement: "home" | "similar";
  visitor_id?: string | null;
  user_id?: string | null;
  item_id?: string | null;
  history?: string[] | null;
  k?: number;
  exclude?: string[] | null;
}
export interface EventIn {
  event_id: string;
  visitor_id: string;
  user_id?: string | null;
  item_id: string;
  event: Kind;
  time?: string | number | null;
  request_id?: string | null;
}
export interface Item {
  item_id: string;
  title: string;
  description: string | null;
  brand: string | null;
  category: string | null;
  price: number | null;
  rating: number | null;
  attributes: string[];
  in_stock: boolean | null;
  image: string | null;
  launched: number | null;
}
export interface Hit {
  rank: number;
  item_id: string;
  score: number;
  parts: { semantic: number | null; lexical: number | null };
  item: Item;
}
interface ListReply {
  request_id: string;
  bundle_version: string;
  took_ms: Record<string, number>;
  total: number;
  total_definition: string;
  degraded: boolean;
  fallback_used: string | null;
  hits: Hit[];
}
export interface SearchReply extends ListReply {
  query: string;
  mode: Mode;
}
export interface RecommendationReply extends ListReply {
  placement: "home" | "similar";
  history_length: number;
}
export interface EventsReply {
  request_id: string;
  accepted: string[];
  duplicate: string[];
  rejected: { event_id: string; reason: string }[];
}
export interface ProductReply {
  request_id: string;
  item: Item;
}
export interface PastEvent {
  item_id: string;
  title: string;
  event: Kind;
  time: number | null;
}
export interface ExampleVisitor {
  user_id: string;
  n_events: number;
  recent: { item_id: string; title: string }[];
}
export interface VisitorsReply {
  request_id: string;
  visitors: ExampleVisitor[];
}
export interface VisitorReply {
  request_id: string;
  visitor_id: string;
  n_events: number;
  recent: PastEvent[];
}
export interface StatsReply {
  request_id: string;
  name: string;
  synthetic: boolean;
  bundle_version: string;
  width: number;
  items: number;
  live_items: number;
  users: number;
  log_events: number;
  live_events: number;
  brands: number;
  categories: number;
  top_categories: { name: string; items: number }[];
}
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  request_id: string;
  errors?: { path: string; message: string }[] | null;
}
