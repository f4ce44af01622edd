import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { visitorFrom } from "@/lib/identity";
import { type Mode, PAGE_SIZE } from "@/lib/url-state";
import { FakeShop, hit, item } from "@/testing/fake-shop";
import { renderWith } from "@/testing/render";
import { SearchBox } from "./search-box";
import { isByMeaning, SearchResults } from "./search-results";
import { useSearch } from "./use-search";

const visitor = visitorFrom("anon-1");

interface Asked {
  q: string;
  mode?: Mode;
  page?: number;
  onMode?: (mode: Mode) => void;
}

function Searching({ q, mode = "hybrid", page = 1, onMode = () => undefined }: Asked) {
  const search = useSearch({ q, mode, page, visitor });
  return <SearchResults q={q} mode={mode} page={page} search={search} onMode={onMode} />;
}

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
    { query: "lamp", mode: "semantic", k: PAGE_SIZE, offset: 0, visitor_id: "anon-1" },
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
    "Lamp 0Product",
  ]);
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
