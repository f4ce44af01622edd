import type { Explanation, Reason } from "@/api/types";
import { formatMonth } from "@/lib/format";

/** One part of a score, as a shopper reads it. */
export interface Part {
  key: string;
  name: string;
  value: number;
}

const SHOWN = 6;

const NAMES: Record<string, string> = {
  meaning: "Closeness in meaning",
  popularity: "Visitors who were at it",
  baskets: "Buyers in common",
  launch: "First day on sale",
  rule: "A rule of the shop",
  rest: "The history as a whole, and what anyone gets",
};

function nameOf({ kind, words, item_id, title }: Reason): string {
  if (kind === "words") return `The word “${words ?? ""}”`;
  if (kind === "history") return `Because of ${title ?? item_id ?? "a product that is gone"}`;
  return NAMES[kind] ?? kind;
}

/** The parts of a score: the greatest by themselves, what is left over together; they sum to it. */
export function partsOf({ reasons }: Explanation): Part[] {
  const parts = reasons.map((reason, place) => ({
    key: `${reason.kind} ${reason.words ?? reason.item_id ?? place}`,
    name: nameOf(reason),
    value: reason.value,
  }));
  if (parts.length <= SHOWN + 1) return parts;
  const ranked = parts.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const shown = new Set(ranked.slice(0, SHOWN));
  const others = parts.filter((part) => !shown.has(part));
  const value = others.reduce((sum, part) => sum + part.value, 0);
  return [
    ...parts.filter((part) => shown.has(part)),
    { key: "others", name: `${others.length} smaller parts together`, value },
  ];
}

/** The features of a product by how much they weigh in its vector, 0 to 1. */
export function attentionOf({ attention }: Explanation): Part[] {
  return Object.entries(attention)
    .map(([key, value]) => ({ key, name: key.replaceAll("_", " "), value }))
    .toSorted((a, b) => b.value - a.value);
}

/** A part's value: a day for the first day on sale, else a number with its sign. */
export function formatPart({ key, value }: Part): string {
  if (key.startsWith("launch")) return formatMonth(value);
  if (Number.isInteger(value)) return value.toString();
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}
