import { expect, test } from "vitest";
import { categoryLevels, formatAgo, formatTook, plural, readAttribute } from "./format";

test("counts take their noun's number", () => {
  expect(plural(1, "product")).toBe("1 product");
  expect(plural(0, "product")).toBe("0 products");
  expect(plural(54_667, "product")).toBe("54,667 products");
});

test("times read as a shopper would say them", () => {
  const now = Date.UTC(2025, 5, 15);
  expect(formatAgo(now - 20_000, now)).toBe("just now");
  expect(formatAgo(now - 5 * 60_000, now)).toBe("5 min ago");
  expect(formatAgo(now - 3 * 86_400_000, now)).toBe("3 days ago");
  expect(formatAgo(Date.UTC(2013, 2, 1), now)).toBe("Mar 2013");
  expect(formatAgo(null, now)).toBeNull();
});

test("a clock that is ahead of ours does not speak of the future", () => {
  expect(formatAgo(2_000_000, 1_000_000)).toBe("just now");
});

test("took is in the unit that fits", () => {
  expect(formatTook(0.4)).toBe("under 1 ms");
  expect(formatTook(14.2)).toBe("14 ms");
  expect(formatTook(1234)).toBe("1.2 s");
});

test("a category path gives its levels", () => {
  expect(categoryLevels("Home > Kitchen > Kettles")).toEqual(["Home", "Kitchen", "Kettles"]);
  expect(categoryLevels("Kettles")).toEqual(["Kettles"]);
  expect(categoryLevels(null)).toEqual([]);
});

test("an attribute has a name when it brings one", () => {
  expect(readAttribute("colour: red")).toEqual({ name: "colour", value: "red" });
  expect(readAttribute("dishwasher safe")).toEqual({ name: null, value: "dishwasher safe" });
  expect(readAttribute(": odd")).toEqual({ name: null, value: ": odd" });
});
