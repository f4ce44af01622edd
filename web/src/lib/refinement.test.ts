import { expect, test } from "vitest";
import { isNarrowed, readRefinement, toFilter } from "./refinement";

test("each choice is a part of the filter of its own", () => {
  const refinement = {
    brand: ["Koda", 'The "Best" \\ Co'],
    category: "Home > Lamps",
    low: 10,
    high: 99.5,
    stock: true as const,
  };
  expect(toFilter(refinement)).toBe(
    'brand IN ["Koda", "The \\"Best\\" \\\\ Co"] AND category = "Home > Lamps" ' +
      "AND price >= 10 AND price <= 99.5 AND in_stock",
  );
});

test("an order alone narrows nothing down", () => {
  expect(toFilter({ sort: "newest" })).toBeUndefined();
  expect(isNarrowed({ sort: "newest" })).toBe(false);
  expect(isNarrowed({ low: 0 })).toBe(true);
});

test("nonsense in an address is left out", () => {
  const raw = { brand: "", category: 7, low: "-1", high: "much", stock: "maybe", sort: "magic" };
  expect(readRefinement(raw)).toEqual({});
  expect(readRefinement({ brand: "Koda", low: "", sort: "relevance" })).toEqual({
    brand: ["Koda"],
  });
});

test("brands are read once each", () => {
  expect(readRefinement({ brand: ["Koda", "Umbra", "Koda"] }).brand).toEqual(["Koda", "Umbra"]);
});
