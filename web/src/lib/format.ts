const numbers = new Intl.NumberFormat("en");
const prices = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const dates = new Intl.DateTimeFormat("en", { year: "numeric", month: "long", timeZone: "UTC" });

const shortDates = new Intl.DateTimeFormat("en", {
  year: "numeric",
  month: "short",
  timeZone: "UTC",
});

/** A count with separators: 54,667. */
export function formatCount(count: number): string {
  return numbers.format(count);
}

/** A count with its noun: "1 product", "1,024 products". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A price in the shop's own unit; the catalogue names no currency, so neither do we. */
export function formatPrice(price: number): string {
  return prices.format(price);
}

/** Milliseconds as a shopper reads them: "14 ms", "1.2 s". */
export function formatTook(ms: number): string {
  if (ms < 1) return "under 1 ms";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** UTC milliseconds as month and year. */
export function formatMonth(time: number): string {
  return dates.format(time);
}

/** How long ago, coarsely, or the month when it is long ago; null when the log has no clock. */
export function formatAgo(time: number | null, now: number): string | null {
  if (time === null) return null;
  const minutes = Math.floor((now - time) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  const days = Math.floor(minutes / 1440);
  return days <= 30 ? `${days} days ago` : shortDates.format(time);
}

/** The levels of a category path, widest first. */
export function categoryLevels(category: string | null): string[] {
  if (category === null) return [];
  return category
    .split(" > ")
    .map((level) => level.trim())
    .filter((level) => level !== "");
}

export interface Attribute {
  name: string | null;
  value: string;
}

/** Splits "colour: red" into name and value; a bare word is a value without a name. */
export function readAttribute(attribute: string): Attribute {
  const at = attribute.indexOf(":");
  if (at < 1 || at > 40) return { name: null, value: attribute };
  return { name: attribute.slice(0, at).trim(), value: attribute.slice(at + 1).trim() };
}
