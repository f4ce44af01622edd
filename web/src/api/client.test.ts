import { expect, test } from "vitest";
import { FakeShop, item } from "@/testing/fake-shop";
import { createApi } from "./client";
import { ApiError, UnreachableError } from "./http";

test("a problem keeps its title, detail and reference", async () => {
  const shop = new FakeShop([]);
  shop.failing = { status: 503, title: "Not ready", detail: "wait a moment" };
  const error = await createApi(shop.fetch)
    .stats()
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    message: "Not ready",
    detail: "wait a moment",
    status: 503,
    requestId: "r-problem",
  });
});

test("an error without a readable body still says its status", async () => {
  const proxy = async () => new Response("<h1>Bad gateway</h1>", { status: 502 });
  await expect(createApi(proxy).stats()).rejects.toThrow("The shop answered 502");
});

test("a server that does not answer is unreachable", async () => {
  const shop = new FakeShop([]);
  shop.failing = "unreachable";
  await expect(createApi(shop.fetch).stats()).rejects.toBeInstanceOf(UnreachableError);
});

test("ids of any shape reach the server whole", async () => {
  const odd = "A/1 <b>?#%";
  const shop = new FakeShop([item(odd)]);
  const answer = await createApi(shop.fetch).product(odd);
  expect(answer.item.item_id).toBe(odd);
});
