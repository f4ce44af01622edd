export const SORTS = [
  "relevance",
  "price_ascending",
  "price_descending",
  "rating",
  "newest",
] as const;
export type Sort = (typeof SORTS)[number];

const MAX_BRANDS = 20;
const MAX_TEXT = 500;

/** What a shopper narrowed a search down to, and in which order; left out, it is not asked for. */
export interface Refinement {
  brand?: string[];
  /** A path of categories; what is below it counts too. */
  category?: string;
  low?: number;
  high?: number;
  stock?: true;
  sort?: Sort;
}

type Raw = Record<string, unknown>;

function readBrands(raw: unknown): string[] {
  const given = Array.isArray(raw) ? raw : [raw];
  const texts = given.filter((one): one is string => typeof one === "string" && one !== "");
  return [...new Set(texts)].filter((text) => text.length <= MAX_TEXT).slice(0, MAX_BRANDS);
}

function readPrice(raw: unknown): number | undefined {
  const price = raw === "" || raw === null ? Number.NaN : Number(raw);
  return Number.isFinite(price) && price >= 0 ? price : undefined;
}

/** What an address asks for; nonsense is left out. */
export function readRefinement(raw: Raw): Refinement {
  const refinement: Refinement = {};
  const brand = readBrands(raw.brand);
  if (brand.length > 0) refinement.brand = brand;
  if (typeof raw.category === "string" && raw.category !== "") {
    refinement.category = raw.category.slice(0, MAX_TEXT);
  }
  const [low, high] = [readPrice(raw.low), readPrice(raw.high)];
  if (low !== undefined) refinement.low = low;
  if (high !== undefined) refinement.high = high;
  if (raw.stock === true || raw.stock === "true") refinement.stock = true;
  const sort = SORTS.find((known) => known === raw.sort);
  if (sort !== undefined && sort !== "relevance") refinement.sort = sort;
  return refinement;
}

/** Whether products are taken away, not only put into another order. */
export function isNarrowed({ sort: _, ...narrowed }: Refinement): boolean {
  return Object.keys(narrowed).length > 0;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The server's filter, one part for each field, so that facets count what another choice gives. */
export function toFilter({ brand, category, low, high, stock }: Refinement): string | undefined {
  const parts: string[] = [];
  if (brand !== undefined) parts.push(`brand IN [${brand.map(quoted).join(", ")}]`);
  if (category !== undefined) parts.push(`category = ${quoted(category)}`);
  if (low !== undefined) parts.push(`price >= ${low}`);
  if (high !== undefined) parts.push(`price <= ${high}`);
  if (stock) parts.push("in_stock");
  return parts.length === 0 ? undefined : parts.join(" AND ");
}
