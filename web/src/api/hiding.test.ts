import { expect, test } from "vitest";
import { rule } from "@/testing/fake-shop";
import { hiddenBy, hidingFilter, hidingRule } from "./hiding";

const ODD = ["A/1", "A~1", "A~01", 'say "so"', "back\\slash", "é ü", "A"];

test("every product has a rule of its own, whose id is one step of a path", () => {
  const ids = ODD.map(hidingRule);
  expect(new Set(ids).size).toBe(ODD.length);
  expect(ids.join("")).not.toContain("/");
  expect(hidingRule("A/1")).toBe("studio-hide-A~11");
});

test("quotes and backslashes of an id are escaped in its filter", () => {
  expect(hidingFilter('a "b" \\')).toBe('item_id = "a \\"b\\" \\\\"');
});

test("the hidden products are read from their rules", () => {
  const rules = ODD.map((id) => rule(hidingRule(id), { action: "hide", filter: hidingFilter(id) }));
  expect(hiddenBy(rules)).toEqual(ODD);
});

test("rules that are not the studio's name no hidden product", () => {
  const filter = hidingFilter("A");
  expect(
    hiddenBy([
      rule("mine", { action: "hide", filter }),
      rule(hidingRule("A"), { action: "bury", filter, strength: 1 }),
      rule(hidingRule("B"), { action: "hide", filter }),
    ]),
  ).toEqual([]);
});
