import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { StrictMode } from "react";
import { expect, test } from "vitest";
import { ANONYMOUS, visitorFrom } from "@/lib/identity";
import { FakeShop, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { ProductView } from "./product-view";
import { useProduct } from "./use-product";

const visitor = visitorFrom("anon-1");
let visits = 0;

function Opened({
  itemId,
  requestId = null,
  visitKey,
}: {
  itemId: string;
  requestId?: string | null;
  visitKey: string;
}) {
  const product = useProduct({ itemId, visitor, requestId, visitKey });
  return <ProductView itemId={itemId} product={product} />;
}

function open(shop: FakeShop, itemId: string, requestId: string | null = null) {
  visits += 1;
  const ui = <Opened itemId={itemId} requestId={requestId} visitKey={`visit-${visits}`} />;
  return renderWith(shop, <StrictMode>{ui}</StrictMode>);
}

function makeShop() {
  return new FakeShop([
    item("A", {
      title: "Copper kettle",
      price: 1249.5,
      category: "Kitchen > Kettles",
      attributes: ["colour: copper", "dishwasher safe"],
    }),
    item("B", { title: "Steel kettle" }),
    item("C", { title: "Tea pot", in_stock: false }),
  ]);
}

test("shows the facts", async () => {
  open(makeShop(), "A");
  expect(await screen.findByRole("heading", { level: 1, name: "Copper kettle" })).toBeVisible();
  expect(screen.getByText("1,249.50")).toBeVisible();
  expect(screen.getByText("dishwasher safe")).toBeVisible();
  expect(screen.queryByRole("button", { name: /Why this/ })).toBeNull();
});

test("an anonymous visitor leaves no view, and is told that nothing is recorded", async () => {
  const shop = makeShop();
  const nobody = visitorFrom(ANONYMOUS);
  function Opened() {
    const product = useProduct({ itemId: "A", visitor: nobody, requestId: null, visitKey: "n" });
    return <ProductView itemId="A" product={product} />;
  }
  renderWith(shop, <Opened />);
  await userEvent.click(await screen.findByRole("button", { name: "Add to cart" }));
  expect(await screen.findByText(/^Not recorded: nothing is kept/)).toBeVisible();
  expect(shop.events).toEqual([]);
});

test("opening it is one view that names its list", async () => {
  const shop = makeShop();
  open(shop, "A", "r-search-0");
  await waitFor(() => expect(shop.events).toHaveLength(1));
  expect(shop.events[0]).toMatchObject({
    event: "view",
    item_id: "A",
    visitor_id: "anon-1",
    request_id: "r-search-0",
  });
});

test("adding to the cart and buying are events, and the page says so", async () => {
  const shop = makeShop();
  open(shop, "A");
  await userEvent.click(await screen.findByRole("button", { name: "Add to cart" }));
  expect(await screen.findByText("Added to cart")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Buy now" }));
  expect(await screen.findByText("Purchase recorded")).toBeVisible();
  expect(shop.events.map((event) => event.event)).toEqual(["view", "cart", "purchase"]);
});

test("an event that the shop refuses is not told as done", async () => {
  const shop = makeShop();
  shop.refused = ["A"];
  open(shop, "A");
  await userEvent.click(await screen.findByRole("button", { name: "Add to cart" }));
  expect(await screen.findByText("Not recorded: unknown item")).toBeVisible();
});

test("a lost answer is sent again under the same id", async () => {
  const shop = makeShop();
  open(shop, "A");
  await waitFor(() => expect(shop.events).toHaveLength(1));
  shop.failing = "unreachable";
  await userEvent.click(screen.getByRole("button", { name: "Add to cart" }));
  shop.failing = null;
  expect(await screen.findByText("Added to cart")).toBeVisible();
  expect(shop.events.filter((event) => event.event === "cart")).toHaveLength(1);
});

test("what is out of stock cannot be bought", async () => {
  open(makeShop(), "C");
  expect(await screen.findByText("Out of stock")).toBeVisible();
  expect(screen.getByRole("button", { name: "Buy now" })).toBeDisabled();
});

test("an unknown product says so and sends nothing", async () => {
  const shop = makeShop();
  open(shop, "nope");
  expect(await screen.findByText("This product is not in the catalogue")).toBeVisible();
  expect(shop.events).toEqual([]);
});
