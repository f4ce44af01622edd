import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { ExampleVisitor } from "@/api/types";
import { ANONYMOUS, visitorFrom } from "@/lib/identity";
import { FakeShop, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { TrailStrip } from "./trail-strip";
import { useTrail } from "./use-visitors";
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
