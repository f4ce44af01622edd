import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import type { ExampleVisitor } from "@/api/types";
import { ANONYMOUS, visitorFrom } from "@/lib/identity";
import { FakeShop, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { TrailStrip } from "./trail-strip";
import { useLiveTrail, useTrail } from "./use-visitors";
import { VisitorSwitcher } from "./visitor-switcher";

const examples: ExampleVisitor[] = [
  {
    user_id: "U1",
    n_events: 4,
    tastes: ["Teaware", "Knives"],
    recent: [{ item_id: "A", title: "Tea pot" }],
  },
  { user_id: "U2", n_events: 1, tastes: [], recent: [] },
];

function renderSwitcher(current: string): string[] {
  const chosen: string[] = [];
  renderWith(
    new FakeShop([]),
    <VisitorSwitcher
      visitor={visitorFrom(current)}
      examples={examples}
      onSwitch={(id) => chosen.push(id)}
    />,
  );
  return chosen;
}

test("another visitor is chosen with the keyboard alone", async () => {
  const chosen = renderSwitcher("U1");
  await userEvent.tab();
  await userEvent.keyboard("{Enter}");
  expect(
    await screen.findByRole("menuitemradio", { name: /Teaware and Knives.*U1/ }),
  ).toBeChecked();
  await userEvent.keyboard("{End}{Enter}");
  expect(chosen).toEqual(["U2"]);
});

test("someone new is nobody of the log", async () => {
  const chosen = renderSwitcher("U1");
  await userEvent.click(screen.getByRole("button", { name: /Shopping as Teaware and Knives/ }));
  await userEvent.click(await screen.findByRole("menuitem", { name: /Someone new/ }));
  expect(chosen).toHaveLength(1);
  expect(visitorFrom(chosen[0] ?? "").kind).toBe("new");
});

test("who chooses to be anonymous is told that nothing is kept", async () => {
  const chosen = renderSwitcher("U2");
  await userEvent.click(screen.getByRole("button", { name: /Shopping as Visitor U2/ }));
  const item = await screen.findByRole("menuitem", { name: /Anonymous/ });
  expect(item).toHaveTextContent("Nothing is sent, nothing is kept");
  await userEvent.click(item);
  expect(chosen).toEqual([ANONYMOUS]);
});

function Strip({ id }: { id: string }) {
  return <TrailStrip trail={useTrail(visitorFrom(id))} now={0} />;
}

test("the strip shows what the visitor did, newest first", async () => {
  const shop = new FakeShop([item("A", { title: "Tea pot" }), item("B", { title: "Kettle" })]);
  const base = { visitor_id: "anon-1", time: 0 };
  shop.events.push(
    { ...base, event_id: "1", item_id: "A", event: "view" },
    { ...base, event_id: "2", item_id: "B", event: "purchase" },
  );
  renderWith(shop, <Strip id="anon-1" />);
  expect(await screen.findByText("Recent events")).toBeVisible();
  expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual([
    "BoughtKettle",
    "ViewedTea pot",
  ]);
});

test("a visitor without events has no strip", async () => {
  const shop = new FakeShop([]);
  const { container } = renderWith(shop, <Strip id="anon-2" />);
  await expect.poll(() => shop.asked.length).toBe(1);
  expect(container).toBeEmptyDOMElement();
});

function LiveStrip() {
  return <TrailStrip trail={useLiveTrail(visitorFrom("anon-1"))} now={0} />;
}

/** How often a shop is asked in that many seconds. */
async function askedIn(shop: FakeShop, seconds: number): Promise<number> {
  const before = shop.asked.length;
  await act(() => vi.advanceTimersByTimeAsync(seconds * 1_000));
  return shop.asked.length - before;
}

async function renderQuiet(): Promise<FakeShop> {
  vi.useFakeTimers();
  const shop = new FakeShop([item("A", { title: "Tea pot" })]);
  renderWith(shop, <LiveStrip />);
  await askedIn(shop, 70);
  return shop;
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("an open page asks every second, and every ten once a minute was quiet", async () => {
  vi.useFakeTimers();
  const shop = new FakeShop([]);
  renderWith(shop, <LiveStrip />);
  expect(await askedIn(shop, 50)).toBeGreaterThan(45);
  await askedIn(shop, 20);
  expect(await askedIn(shop, 100)).toBe(10);
});

test.each(["pointerDown", "keyDown", "wheel"] as const)("%s makes it ask often", async (deed) => {
  const shop = await renderQuiet();
  fireEvent[deed](document.body);
  expect(await askedIn(shop, 20)).toBe(20);
  await askedIn(shop, 50);
  expect(await askedIn(shop, 100)).toBe(10);
});

test("news of the visitor is heard with the next answer and makes it ask often", async () => {
  const shop = await renderQuiet();
  shop.events.push({
    event_id: "1",
    visitor_id: "anon-1",
    item_id: "A",
    event: "view",
    time: 0,
  });
  await askedIn(shop, 11);
  expect(screen.getByRole("link")).toHaveTextContent("Tea pot");
  expect(await askedIn(shop, 20)).toBe(20);
});

test("a hidden tab asks nothing, and asks again soon once it is shown", async () => {
  const shop = await renderQuiet();
  const state = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  fireEvent(document, new Event("visibilitychange", { bubbles: true }));
  expect(await askedIn(shop, 200)).toBe(0);
  state.mockReturnValue("visible");
  fireEvent(document, new Event("visibilitychange", { bubbles: true }));
  expect(await askedIn(shop, 20)).toBeGreaterThan(15);
});
