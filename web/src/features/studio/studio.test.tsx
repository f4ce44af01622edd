import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { FakeShop, item, rule } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { latenciesOf, readSamples, sumsBy } from "./counters";
import { Studio } from "./studio";

const measured = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1, n: 7 });
const report = {
  created: "2026-11-22T01:02:03+00:00",
  commit: "abc",
  command: null,
  verdict: { promoted: true, sentence: "Promoted. It beats popularity." },
  headline: { task: "recommendation" },
  metrics: { all: { "ndcg@10": measured(0.4) }, cold: { "ndcg@10": measured(0.2) } },
  baselines: { item_knn: { all: { "ndcg@10": measured(0.3) } } },
  tasks: {
    recommendation: { served: "model", variants: {} },
    search: {
      served: "hybrid",
      metrics: { all: { "ndcg@10": measured(0.5) } },
      variants: { hybrid: { all: { "ndcg@10": measured(0.6) } } },
      baselines: { bm25: { all: { "ndcg@10": measured(0.35) } } },
    },
  },
};

function makeShop() {
  const shop = new FakeShop([
    item("K", { title: "Copper kettle", price: 10 }),
    item("T", { title: "Tea pot" }),
  ]);
  shop.report = { request_id: "r", bundle_version: "b1", report };
  return shop;
}

function rowsOf(task: string): (string | null)[] {
  const region = within(screen.getByRole("region", { name: task }));
  return region.getAllByRole("rowheader").map((header) => header.textContent);
}

beforeEach(() => sessionStorage.clear());

test("quality shows every system of every task, the served one first", async () => {
  renderWith(makeShop(), <Studio view="quality" tabs={null} />);
  expect(await screen.findByText("Promoted. It beats popularity.")).toBeVisible();
  expect(rowsOf("recommendation")).toEqual(["modelserved", "item knn"]);
  expect(rowsOf("search")).toEqual(["hybridserved", "model", "bm25"]);
  const recommendation = within(screen.getByRole("region", { name: "recommendation" }));
  expect(recommendation.getByText("0.4000")).toBeVisible();
  await userEvent.selectOptions(recommendation.getByLabelText("Slice"), "cold");
  expect(recommendation.getByText("0.2000")).toBeVisible();
  expect(rowsOf("recommendation")).toEqual(["modelserved"]);
});

test("a shop with keys asks for one, and keeps it for this tab only", async () => {
  const shop = makeShop();
  shop.key = "secret";
  const { unmount } = renderWith(shop, <Studio view="quality" tabs={null} />);
  const box = await screen.findByLabelText("Admin key");
  await userEvent.type(box, "wrong{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("does not take this key");
  await userEvent.clear(screen.getByLabelText("Admin key"));
  await userEvent.type(screen.getByLabelText("Admin key"), "secret{Enter}");
  expect(await screen.findByText("Promoted. It beats popularity.")).toBeVisible();
  expect(JSON.stringify(localStorage)).not.toContain("secret");
  unmount();
  renderWith(shop, <Studio view="quality" tabs={null} />);
  expect(await screen.findByText("Promoted. It beats popularity.")).toBeVisible();
});

test("a product gets another price, is hidden by a rule, and is shown again", async () => {
  const shop = makeShop();
  renderWith(shop, <Studio view="products" tabs={null} />);
  await userEvent.type(await screen.findByLabelText("Find products"), "kettle{Enter}");
  const form = within(await screen.findByRole("form", { name: "Copper kettle" }));
  await userEvent.clear(form.getByLabelText("Price"));
  await userEvent.type(form.getByLabelText("Price"), "cheap{Enter}");
  expect(form.getByRole("status")).toHaveTextContent("A price is a number");
  await userEvent.clear(form.getByLabelText("Price"));
  await userEvent.type(form.getByLabelText("Price"), "12.5{Enter}");
  await screen.findByText("Saved");
  expect(shop.items[0]?.price).toBe(12.5);
  const kettle = { ...shop.items[0] };
  await userEvent.click(screen.getByRole("button", { name: "Hide" }));
  expect(await screen.findByText("Nothing matches “kettle”")).toBeVisible();
  expect(shop.rules).toEqual([rule("studio-hide-K", { action: "hide", filter: 'item_id = "K"' })]);
  await userEvent.click(await screen.findByRole("button", { name: "Show Copper kettle again" }));
  expect(await screen.findByRole("form", { name: "Copper kettle" })).toBeVisible();
  expect(shop.rules).toEqual([]);
  expect(shop.items[0]).toEqual(kettle);
  expect(shop.asked.filter(({ path }) => path.startsWith("/v1/products/"))).not.toContainEqual(
    expect.objectContaining({ method: expect.stringMatching("PUT|DELETE") }),
  );
});

test("what another tab has hidden is listed, also where the product is gone", async () => {
  const shop = makeShop();
  const hide = (itemId: string) =>
    rule(`studio-hide-${itemId}`, { action: "hide", filter: `item_id = "${itemId}"` });
  shop.rules = [
    hide("K"),
    hide("gone"),
    rule("studio-hide-all", { action: "hide", filter: "in_stock" }),
    rule("summer", { action: "hide", filter: 'brand = "Koda"' }),
  ];
  renderWith(shop, <Studio view="products" tabs={null} />);
  await userEvent.click(await screen.findByRole("button", { name: "Show Copper kettle again" }));
  await userEvent.click(await screen.findByRole("button", { name: "Show gone again" }));
  await expect.poll(() => screen.queryByRole("region", { name: "Hidden products" })).toBeNull();
  expect(shop.rules.map(({ rule_id }) => rule_id)).toEqual(["studio-hide-all", "summer"]);
});

const METRICS = `# HELP twotower_requests_total Requests.
twotower_requests_total{method="GET",route="/v1/stats",status="200"} 3.0
twotower_requests_total{method="POST",route="/v1/search",status="200"} 4.0
twotower_requests_total{method="POST",route="/v1/search",status="503"} 1.0
twotower_stage_seconds_bucket{le="0.01",route="/v1/search",stage="total"} 5.0
twotower_stage_seconds_bucket{le="0.1",route="/v1/search",stage="total"} 9.0
twotower_stage_seconds_bucket{le="+Inf",route="/v1/search",stage="total"} 10.0
`;

test("live counts requests and says how long a stage takes at most", async () => {
  const shop = makeShop();
  shop.metrics = METRICS;
  renderWith(shop, <Studio view="live" tabs={null} />);
  const row = await screen.findByRole("row", { name: /search/ });
  expect(row).toHaveTextContent("/v1/searchtotal10≤ 10 ms> 5 s");
  expect(screen.getByText("Server errors").nextSibling).toHaveTextContent("1");
});

test("a release is promoted and rolled back, and the page says which one answers", async () => {
  const shop = makeShop();
  shop.releases = ["friday", "monday"];
  renderWith(shop, <Studio view="live" tabs={null} />);
  await userEvent.click(await screen.findByRole("button", { name: "Promote friday" }));
  expect(await screen.findByText("friday answers now.")).toBeVisible();
  await userEvent.click(await screen.findByRole("button", { name: "Roll back to monday" }));
  expect(await screen.findByText("monday answers now.")).toBeVisible();
});

test("where there is one bundle for ever, the way to more is told without alarm", async () => {
  renderWith(makeShop(), <Studio view="live" tabs={null} />);
  expect(await screen.findByText("this server serves one bundle")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("counters are summed by a label, and a quantile is its bucket's end", () => {
  const samples = readSamples(METRICS);
  expect(sumsBy(samples, "twotower_requests_total", "status")).toEqual(
    new Map([
      ["200", 7],
      ["503", 1],
    ]),
  );
  expect(latenciesOf(samples)).toEqual([
    { route: "/v1/search", stage: "total", n: 10, p50: 10, p95: Number.POSITIVE_INFINITY },
  ]);
});
