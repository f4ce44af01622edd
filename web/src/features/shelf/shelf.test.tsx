import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { visitorFrom } from "@/lib/identity";
import { FakeShop, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { ShelfView } from "./shelf-view";
import { useShelf } from "./use-shelf";

const visitor = visitorFrom("anon-1");
const kettles = [item("A", { title: "Copper kettle" }), item("B", { title: "Steel kettle" })];

function Similar({ empty }: { empty?: string }) {
  const shelf = useShelf("similar", visitor, "A");
  return (
    <ShelfView title="Similar items" shelf={shelf} {...(empty === undefined ? {} : { empty })} />
  );
}

test("a shelf shows the products of its place", async () => {
  const shop = new FakeShop(kettles);
  renderWith(shop, <Similar />);
  const list = within(await screen.findByRole("list", { name: "Similar items" }));
  expect(list.getAllByRole("link").map((link) => link.textContent)).toEqual(["Steel kettle"]);
  expect(shop.bodiesOf("/v1/recommendations")).toEqual([
    { placement: "similar", k: 12, item_id: "A", visitor_id: "anon-1" },
  ]);
});

test("an empty shelf is not there, or says so where it has words for it", async () => {
  const { container, unmount } = renderWith(new FakeShop([]), <Similar />);
  await expect.poll(() => container.textContent).toBe("");
  unmount();
  renderWith(new FakeShop([]), <Similar empty="Nothing is close to it." />);
  expect(await screen.findByText("Nothing is close to it.")).toBeVisible();
});

test("a shelf that failed can be tried again", async () => {
  const shop = new FakeShop(kettles);
  shop.failing = "unreachable";
  renderWith(shop, <Similar />);
  expect(await screen.findByRole("alert")).toHaveTextContent("The shop cannot be reached");
  shop.failing = null;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Steel kettle")).toBeVisible();
});
