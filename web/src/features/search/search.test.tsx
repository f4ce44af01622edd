import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import type { Asked } from "@/api/questions";
import type { Facet } from "@/api/types";
import { visitorFrom } from "@/lib/identity";
import type { Refinement } from "@/lib/refinement";
import { type Mode, PAGE_SIZE } from "@/lib/url-state";
import { FakeShop, hit, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { shownCategories } from "./refine-panel";
import { SearchBox } from "./search-box";
import { isByMeaning, SearchResults } from "./search-results";
import { useSearch } from "./use-search";

const visitor = visitorFrom("anon-1");

interface Asking extends Partial<Asked> {
  q: string;
  onMode?: (mode: Mode) => void;
  onRefine?: (refinement: Refinement) => void;
}

function Searching({ onMode = () => undefined, onRefine = () => undefined, ...given }: Asking) {
  const asked: Asked = { mode: "hybrid", page: 1, refinement: {}, ...given };
  const search = useSearch(asked, visitor);
  return <SearchResults asked={asked} search={search} onMode={onMode} onRefine={onRefine} />;
}

/** A page whose address is its state. */
function Page({ q }: { q: string }) {
  const [refinement, setRefinement] = useState<Refinement>({});
  return <Searching q={q} refinement={refinement} onRefine={setRefinement} />;
}

const counted = (field: Facet["field"], values: Record<string, number>): Facet => ({
  field,
  values: Object.entries(values).map(([value, count]) => ({ value, count, is_chosen: false })),
  n_values: Object.keys(values).length,
  low: null,
  high: null,
});

const lamps = Array.from({ length: 60 }, (_, place) =>
  item(`L${place}`, { title: `Lamp ${place}` }),
);

test("finds products and says how many", async () => {
  renderWith(new FakeShop(lamps), <Searching q="lamp" />);
  expect(await screen.findByText(/^60 products in 3 ms/)).toBeVisible();
  expect(screen.getAllByRole("article")).toHaveLength(PAGE_SIZE);
  expect(screen.getByRole("link", { name: "Show more" })).toBeVisible();
});

test("page 3 shows everything up to it, without repeats, and then there is no more", async () => {
  renderWith(new FakeShop(lamps), <Searching q="lamp" page={3} />);
  expect(await screen.findByText("60 of 60 shown")).toBeVisible();
  const titles = screen.getAllByRole("article").map((card) => card.textContent);
  expect(new Set(titles).size).toBe(60);
  expect(screen.queryByRole("link", { name: "Show more" })).toBeNull();
});

test("asks nothing without a query", () => {
  const shop = new FakeShop(lamps);
  renderWith(shop, <Searching q="" />);
  expect(screen.getByText("What are you looking for?")).toBeVisible();
  expect(shop.asked).toEqual([]);
});

test("tells the server who asks and how", async () => {
  const shop = new FakeShop(lamps);
  renderWith(shop, <Searching q="lamp" mode="semantic" />);
  await screen.findByText(/^60 products in 3 ms/);
  expect(shop.bodiesOf("/v1/search")).toEqual([
    {
      query: "lamp",
      mode: "semantic",
      k: PAGE_SIZE,
      offset: 0,
      facets: ["category", "brand", "price", "in_stock"],
      max_values: 60,
      visitor_id: "anon-1",
    },
  ]);
});

test("nothing found by words offers the meaning", async () => {
  renderWith(new FakeShop(lamps), <Searching q="sofa" mode="lexical" />);
  expect(await screen.findByText("Nothing matches “sofa”")).toBeVisible();
  expect(screen.getByRole("link", { name: /words and meaning/ })).toBeVisible();
});

test("weak matches stand apart after the last match, and alone where nothing fits", async () => {
  const shop = new FakeShop(lamps);
  shop.weak = [item("torch", { title: "Torch" })];
  const { unmount } = renderWith(shop, <Searching q="lamp" page={1} />);
  await screen.findByText(/^60 products in 3 ms/);
  expect(screen.queryByRole("list", { name: "Close, but no match" })).toBeNull();
  unmount();
  const last = renderWith(shop, <Searching q="lamp" page={3} />);
  expect(await screen.findByRole("list", { name: "Close, but no match" })).toHaveTextContent(
    "Torch",
  );
  expect(screen.getByText("60 of 60 shown")).toBeVisible();
  last.unmount();
  renderWith(shop, <Searching q="sofa" />);
  expect(await screen.findByText("Nothing matches “sofa”")).toBeVisible();
  expect(screen.getByRole("list", { name: "The nearest there is" })).toHaveTextContent("Torch");
});

test("a failure says what happened, and trying again helps", async () => {
  const shop = new FakeShop(lamps);
  shop.failing = { status: 503, title: "Not ready", detail: "the bundle is loading" };
  renderWith(shop, <Searching q="lamp" />);
  expect(await screen.findByRole("alert")).toHaveTextContent("the bundle is loading");
  shop.failing = null;
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText(/^60 products in 3 ms/)).toBeVisible();
});

test("a title with markup is shown as text", async () => {
  const evil = '<img src=x onerror="alert(1)"> lamp';
  const { container } = renderWith(
    new FakeShop([item("E", { title: evil })]),
    <Searching q="lamp" />,
  );
  expect(await screen.findByRole("link", { name: evil })).toBeVisible();
  expect(container.querySelector("img")).toBeNull();
});

test("a choice of mode is passed on", async () => {
  const chosen: Mode[] = [];
  renderWith(new FakeShop(lamps), <Searching q="lamp" onMode={(mode) => chosen.push(mode)} />);
  await userEvent.click(screen.getByRole("radio", { name: "Meaning" }));
  expect(chosen).toEqual(["semantic"]);
});

test("a brand that is chosen is asked for, stands as a chip, and is taken back there", async () => {
  const shop = new FakeShop(lamps);
  shop.facets = [counted("brand", { Koda: 40, "Umbra & Co": 20 })];
  renderWith(shop, <Page q="lamp" />);
  await userEvent.click(await screen.findByRole("checkbox", { name: /Koda/ }));
  await userEvent.click(screen.getByRole("checkbox", { name: /Umbra/ }));
  const asked = shop.bodiesOf<{ filter?: string }>("/v1/search").map(({ filter }) => filter);
  expect(asked).toEqual([undefined, 'brand IN ["Koda"]', 'brand IN ["Koda", "Umbra & Co"]']);
  const chips = screen.getByRole("list", { name: "Filters that are set" });
  await userEvent.click(within(chips).getByRole("button", { name: /Remove filter\s*Koda/ }));
  expect(screen.getByRole("checkbox", { name: /Koda/ })).not.toBeChecked();
  expect(screen.getByRole("checkbox", { name: /Umbra/ })).toBeChecked();
  expect(within(chips).queryByRole("button", { name: "Clear all" })).toBeNull();
});

test("on a phone the filters are in a sheet, whose button says how many products are left", async () => {
  window.innerWidth = 390;
  const shop = new FakeShop(lamps);
  shop.facets = [counted("brand", { Koda: 40 })];
  renderWith(shop, <Page q="lamp" />);
  const opener = await screen.findByRole("button", { name: "Filters" });
  expect(screen.queryByRole("checkbox")).toBeNull();
  await userEvent.click(opener);
  const sheet = within(screen.getByRole("dialog", { name: "Filters" }));
  await userEvent.click(sheet.getByRole("checkbox", { name: /Koda/ }));
  expect(await sheet.findByRole("checkbox", { name: /Koda/ })).toBeChecked();
  await userEvent.click(sheet.getByRole("button", { name: "Show 60 products" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(screen.getByRole("button", { name: "Filters 1" })).toBeVisible();
});

test("a search that takes long says that it goes on", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const shop = new FakeShop(lamps);
    shop.isSilent = true;
    renderWith(shop, <Searching q="lamp" />);
    expect(screen.getByRole("status")).toHaveTextContent("Searching");
    act(() => vi.advanceTimersByTime(3_900));
    expect(screen.getByRole("status")).toHaveTextContent("Searching");
    act(() => vi.advanceTimersByTime(200));
    expect(screen.getByRole("status")).toHaveTextContent("This takes longer than usual");
  } finally {
    vi.useRealTimers();
  }
});

test("a list stays until the refined one is there", async () => {
  const shop = new FakeShop(lamps);
  shop.facets = [counted("brand", { Koda: 40 })];
  renderWith(shop, <Page q="lamp" />);
  const box = await screen.findByRole("checkbox", { name: /Koda/ });
  shop.failing = "unreachable";
  await userEvent.click(box);
  expect(await screen.findByRole("alert")).toBeVisible();
  shop.failing = null;
  await userEvent.click(screen.getByRole("button", { name: /Remove filter/ }));
  expect(await screen.findByText(/^60 products in 3 ms/)).toBeVisible();
});

test("prices are asked for as they are written, and nonsense is not", async () => {
  const shop = new FakeShop(lamps);
  shop.facets = [{ ...counted("price", {}), n_values: 9, low: 4.5, high: 120 }];
  const chosen: Refinement[] = [];
  renderWith(shop, <Searching q="lamp" onRefine={(refinement) => chosen.push(refinement)} />);
  const from = await screen.findByRole("textbox", { name: "From" });
  expect(from).toHaveAttribute("placeholder", "4.50");
  await userEvent.type(from, "10");
  await userEvent.type(screen.getByRole("textbox", { name: "To" }), "cheap{Enter}");
  expect(chosen).toEqual([{ low: 10 }]);
});

test("categories open below the chosen one", () => {
  const facet = counted("category", {
    Home: 9,
    "Home > Lamps": 5,
    "Home > Lamps > Desk": 2,
    Toys: 1,
  });
  const names = (chosen?: string) => shownCategories(facet, chosen).map(({ value }) => value);
  expect(names()).toEqual(["Home", "Toys"]);
  expect(names("Home")).toEqual(["Home", "Home > Lamps", "Toys"]);
  expect(names("Home > Lamps")).toEqual(["Home", "Home > Lamps", "Home > Lamps > Desk", "Toys"]);
});

test("nothing with these filters offers to clear them, and keeps the order", async () => {
  const chosen: Refinement[] = [];
  renderWith(
    new FakeShop(lamps),
    <Searching
      q="sofa"
      refinement={{ stock: true, sort: "newest" }}
      onRefine={(refinement) => chosen.push(refinement)}
    />,
  );
  expect(await screen.findByText("Nothing for “sofa” with these filters")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Clear filters" }));
  expect(chosen).toEqual([{ sort: "newest" }]);
});

test("the order is chosen from a menu and asked for", async () => {
  const shop = new FakeShop(lamps);
  renderWith(shop, <Page q="lamp" />);
  await screen.findByText(/^60 products in 3 ms/);
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Sort by" }), "newest");
  const last = shop.bodiesOf<{ sort?: string }>("/v1/search").at(-1);
  expect(last?.sort).toBe("newest");
});

test("what was mistyped is said with what was read instead", async () => {
  const shop = new FakeShop(lamps);
  shop.corrections = { lmap: "lamp" };
  renderWith(shop, <Searching q="lmap" />);
  expect(await screen.findByText(/^Results for/)).toHaveTextContent("Results for lamp");
  expect(screen.getByRole("link", { name: "lamp" })).toHaveAttribute("href", "/search?q=lamp");
});

test("nothing is said of a correction where there is none", async () => {
  renderWith(new FakeShop(lamps), <Searching q="lamp" />);
  await screen.findByText(/^60 products in 3 ms/);
  expect(screen.queryByText(/^Results for/)).toBeNull();
});

test("suggestions are walked through with the arrow keys and taken with Enter", async () => {
  const asked: string[] = [];
  renderWith(new FakeShop(lamps), <SearchBox query="" onSearch={(query) => asked.push(query)} />);
  const box = screen.getByRole("combobox", { name: "Search products" });
  await userEvent.type(box, "lamp");
  const options = await screen.findAllByRole("option");
  expect(options.map((option) => option.textContent)).toEqual([
    "table lamp",
    "Lampsin Home",
    "Lamp 0",
  ]);
  expect(screen.getAllByRole("group").map((group) => group.textContent)).toEqual([
    "Searchestable lamp",
    "CategoriesLampsin Home",
    "ProductsLamp 0",
  ]);
  expect(screen.getByRole("group", { name: "Categories" })).toBeInTheDocument();
  expect(box).toHaveAttribute("aria-expanded", "true");
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(screen.getByRole("option", { selected: true })).toHaveTextContent("Lamps");
  expect(box).toHaveAttribute("aria-activedescendant", options[1]?.id);
  await userEvent.keyboard("{ArrowUp}{Enter}");
  expect(asked).toEqual(["table lamp"]);
  expect(screen.queryByRole("option")).toBeNull();
});

test("Escape closes the suggestions, and Enter then searches what was typed", async () => {
  const asked: string[] = [];
  renderWith(new FakeShop(lamps), <SearchBox query="" onSearch={(query) => asked.push(query)} />);
  await userEvent.type(screen.getByRole("combobox"), "lamp");
  await screen.findAllByRole("option");
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("option")).toBeNull();
  await userEvent.keyboard("{Enter}");
  expect(asked).toEqual(["lamp"]);
});

test("a suggested category is searched by its narrowest name", async () => {
  const asked: string[] = [];
  renderWith(new FakeShop(lamps), <SearchBox query="" onSearch={(query) => asked.push(query)} />);
  await userEvent.type(screen.getByRole("combobox"), "lamp");
  await userEvent.click(await screen.findByRole("option", { name: "Lamps in Home" }));
  expect(asked).toEqual(["Lamps"]);
});

test("without an answer there are no suggestions, and searching works", async () => {
  const shop = new FakeShop(lamps);
  shop.failing = "unreachable";
  const asked: string[] = [];
  renderWith(shop, <SearchBox query="" onSearch={(query) => asked.push(query)} />);
  await userEvent.type(screen.getByRole("combobox"), "lamp{Enter}");
  expect(asked).toEqual(["lamp"]);
});

test("by meaning is what no word of the query is in", () => {
  expect(isByMeaning(hit(item("A"), 1))).toBe(false);
  expect(isByMeaning(hit(item("B"), 2, { lexical: 0 }))).toBe(true);
  expect(isByMeaning(hit(item("C"), 3, { lexical: null }))).toBe(true);
  expect(isByMeaning(hit(item("D"), 4, { semantic: null }))).toBe(false);
});

test("the box searches trimmed words on Enter, and nothing for blanks", async () => {
  const asked: string[] = [];
  renderWith(new FakeShop([]), <SearchBox query="" onSearch={(query) => asked.push(query)} />);
  const box = screen.getByRole("combobox", { name: "Search products" });
  await userEvent.type(box, "   {Enter}");
  await userEvent.clear(box);
  await userEvent.type(box, " red kettle {Enter}");
  expect(asked).toEqual(["red kettle"]);
});
