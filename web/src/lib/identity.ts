/**
 * Who is looking: somebody of whom nothing is kept, someone new to this browser, or an example
 * visitor of the log.
 */
export interface Visitor {
  id: string;
  kind: "anonymous" | "new" | "example";
}

/** The id of a visitor whom the server is not told of. */
export const ANONYMOUS = "anonymous";
const NEW = "anon-";
const STORED_AS = "twotower.visitor";

/** A random id, also where `crypto.randomUUID` is missing (plain http on another host). */
export function randomId(
  source: Pick<Crypto, "getRandomValues"> & Partial<Crypto> = crypto,
): string {
  if (typeof source.randomUUID === "function") return source.randomUUID();
  const bytes = source.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function newVisitorId(): string {
  return `${NEW}${randomId().replaceAll("-", "").slice(0, 12)}`;
}

export function visitorFrom(id: string): Visitor {
  if (id === ANONYMOUS) return { id, kind: "anonymous" };
  return { id, kind: id.startsWith(NEW) ? "new" : "example" };
}

/** What the server is told: an example visitor is also a user of the log, an anonymous one nobody. */
export function identityOf({ id, kind }: Visitor): { visitor_id?: string; user_id?: string } {
  if (kind === "anonymous") return {};
  return kind === "example" ? { visitor_id: id, user_id: id } : { visitor_id: id };
}

/** An id the server would take: 1 to 200 characters, no control characters. */
export function isVisitorId(id: unknown): id is string {
  return typeof id === "string" && id.length > 0 && id.length <= 200 && !/\p{Cc}/u.test(id);
}

export function rememberVisitor(id: string): void {
  try {
    localStorage.setItem(STORED_AS, id);
  } catch {
    // Storage is off or full: the URL still says who it is.
  }
}

export function rememberedVisitor(): string | null {
  try {
    const id = localStorage.getItem(STORED_AS);
    return isVisitorId(id) ? id : null;
  } catch {
    return null;
  }
}

/** The address with a visitor in it: the one it names, else the remembered one, else a new one. */
export function withVisitor(href: string): string {
  const url = new URL(href);
  if (isVisitorId(url.searchParams.get("visitor"))) return href;
  url.searchParams.set("visitor", rememberedVisitor() ?? newVisitorId());
  return url.href;
}
