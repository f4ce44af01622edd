import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { useSendEvent } from "@/api/events";
import type { HomeList } from "@/api/queries";
import { visitorFrom } from "@/lib/identity";
import { FakeShop, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { explain, ForYouView } from "./for-you-view";
import { useForYou } from "./use-for-you";

const visitor = visitorFrom("anon-1");
const items = Array.from({ length: 20 }, (_, place) => item(`P${place}`));

function Home() {
  const { send } = useSendEvent(visitor);
  const view = () => send({ event: "view", itemId: "P0", title: "P0", requestId: null });
  return (
    <>
      <ForYouView forYou={useForYou(visitor)} />
      <button type="button" onClick={view}>
        View P0
      </button>
    </>
  );
}

test("a list for a stranger says that it is what is popular", async () => {
  renderWith(new FakeShop(items), <Home />);
  expect(await screen.findByText(/^Popular with everyone/)).toBeVisible();
  expect(screen.getAllByRole("article")).toHaveLength(12);
});

test("the list follows an event and says what is new", async () => {
  renderWith(new FakeShop(items), <Home />);
  await screen.findByText("Product P0");
  await userEvent.click(screen.getByRole("button", { name: "View P0" }));
  expect(
    await screen.findByText(
      "Chosen from 1 product in the history of this visitor. 1 of 12 changed with the last event.",
    ),
  ).toBeVisible();
  expect(screen.queryByText("Product P0")).toBeNull();
  expect(screen.getAllByText("New pick")).toHaveLength(1);
});

test("a visitor who has seen everything is told so", async () => {
  renderWith(new FakeShop([]), <Home />);
  expect(await screen.findByText("Nothing left to recommend")).toBeVisible();
});

test("a failure can be tried again", async () => {
  const shop = new FakeShop(items);
  shop.failing = "unreachable";
  renderWith(shop, <Home />);
  expect(await screen.findByRole("alert")).toHaveTextContent("The shop cannot be reached");
  shop.failing = null;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Product P0")).toBeVisible();
});

const list: HomeList = {
  request_id: "r",
  bundle_version: "b1",
  took_ms: { total: 1 },
  total: 0,
  total_definition: "",
  degraded: false,
  placement: "home",
  hits: [],
  arrivals: [],
  history_length: 0,
  fallback_used: null,
};

test("every way to a list is told", () => {
  expect(explain(list)).toMatch(/^A first guess/);
  expect(explain({ ...list, fallback_used: "popularity" })).toMatch(/^Popular with everyone/);
  expect(explain({ ...list, fallback_used: "catalogue" })).toMatch(/^In the order of the catal/);
  const known = { ...list, history_length: 3 };
  expect(explain(known)).toBe("Chosen from 3 products in the history of this visitor.");
  expect(explain({ ...known, fallback_used: "item_average" })).toMatch(/^Chosen by likeness to 3/);
  expect(explain({ ...known, fallback_used: "popularity" })).toMatch(/did not suffice/);
});
