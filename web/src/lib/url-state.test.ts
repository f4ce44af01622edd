import { expect, test } from "vitest";
import { parseSearch, readSearchState, stringifySearch } from "./url-state";

test("a query of digits stays text", () => {
  expect(readSearchState(parseSearch("?q=123"))).toEqual({ q: "123" });
});

test("the state survives the address", () => {
  const state = {
    q: "50% wool & silk",
    mode: "semantic",
    page: 3,
    brand: ["Koda & Sons", "Umbra"],
    category: "Home > Lamps",
    low: 10,
    stock: true,
    sort: "newest",
  };
  expect(readSearchState(parseSearch(stringifySearch(state)))).toEqual(state);
});

test("defaults are left out of the address", () => {
  expect(readSearchState({ q: "lamp", mode: "hybrid", page: "1" })).toEqual({ q: "lamp" });
});

test("nonsense becomes the default", () => {
  expect(readSearchState({ q: "  ", mode: "magic", page: "-4" })).toEqual({});
  expect(readSearchState({ q: "lamp", page: "1e9" })).toEqual({ q: "lamp", page: 40 });
});

test("a query is cut to what the server takes", () => {
  expect(readSearchState({ q: "x".repeat(2000) }).q).toHaveLength(500);
});
