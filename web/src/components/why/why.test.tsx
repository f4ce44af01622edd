import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { placeQuestion, type Question } from "@/api/questions";
import type { Reason } from "@/api/types";
import { visitorFrom } from "@/lib/identity";
import { FakeShop, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { partsOf } from "./reasons";
import { Why } from "./why";

const lamp = item("L", { title: "Desk lamp" });
const reason = (kind: Reason["kind"], value: number, more: Partial<Reason> = {}) =>
  ({ kind, value, words: null, item_id: null, title: null, ...more }) as Reason;
const search: Question = { route: "search", body: { query: "lamp" } };

function makeShop() {
  const shop = new FakeShop([lamp]);
  shop.explanations = {
    L: {
      reasons: [
        reason("words", 0.6, { words: "lamp" }),
        reason("history", 0.5, { item_id: "K", title: "Steel kettle" }),
        reason("rest", -0.1),
      ],
      attention: { price: 0.25, text: 0.75 },
    },
  };
  return shop;
}

test("the parts of the score, the attention and the raw answer are a click away", async () => {
  const shop = makeShop();
  renderWith(shop, <Why question={search} item={lamp} />);
  expect(shop.asked).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Why this? Desk lamp" }));
  const sheet = within(screen.getByRole("dialog", { name: "Why this?" }));
  const parts = await sheet.findByRole("list", { name: "Parts of the score" });
  expect(
    within(parts)
      .getAllByRole("listitem")
      .map((part) => part.textContent),
  ).toEqual([
    "The word “lamp”+0.600",
    "Because of Steel kettle+0.500",
    "The history as a whole, and what anyone gets−0.100",
  ]);
  const attention = sheet.getByRole("list", { name: "Attention over its features" });
  expect(attention).toHaveTextContent("text75 %price25 %");
  expect(JSON.parse(sheet.getByText(/"score"/).textContent ?? "").explanation).toEqual(
    shop.explanations.L,
  );
  await userEvent.click(sheet.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("a recommendation is explained by the same list asked again", async () => {
  const shop = makeShop();
  const question = placeQuestion("home", visitorFrom("anon-1"));
  renderWith(shop, <Why question={question} item={lamp} />);
  await userEvent.click(screen.getByRole("button"));
  await screen.findByText("The word “lamp”");
  expect(shop.bodiesOf("/v1/recommendations")).toEqual([{ ...question.body, explain: true }]);
});

test("a product that has left its list has no story", async () => {
  renderWith(new FakeShop([]), <Why question={search} item={lamp} />);
  await userEvent.click(screen.getByRole("button"));
  expect(await screen.findByText(/no longer in it/)).toBeVisible();
});

test("many parts are few bars that still sum to the score", () => {
  const values = [0.9, 0.5, 0.02, 0.4, -0.3, 0.2, 0.01, 0.1, -0.04];
  const reasons = values.map((value, place) => reason("history", value, { item_id: `${place}` }));
  const parts = partsOf({ reasons, attention: {} });
  expect(parts.map(({ value }) => value).slice(0, 6)).toEqual([0.9, 0.5, 0.4, -0.3, 0.2, 0.1]);
  expect(parts.at(-1)).toMatchObject({ name: "3 smaller parts together" });
  const sum = (some: readonly number[]) => some.reduce((a, b) => a + b, 0);
  expect(sum(parts.map(({ value }) => value))).toBeCloseTo(sum(values));
});
