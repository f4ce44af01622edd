import { expect, test } from "vitest";
import type { RecommendationReply } from "@/api/types";
import { hit, item } from "@/testing/fake-shop";
import { withArrivals } from "./queries";

function answer(historyLength: number, ids: string[]): RecommendationReply {
  return {
    request_id: "r",
    bundle_version: "b1",
    took_ms: { total: 1 },
    total: ids.length,
    total_definition: "",
    degraded: false,
    fallback_used: null,
    placement: "home",
    history_length: historyLength,
    hits: ids.map((id, place) => hit(item(id), place + 1)),
  };
}

test("a first list has no arrivals", () => {
  expect(withArrivals(answer(0, ["a"]), undefined).arrivals).toEqual([]);
});

test("after an event the arrivals are those that were not there before", () => {
  const before = withArrivals(answer(1, ["a", "b"]), undefined);
  expect(withArrivals(answer(2, ["b", "c"]), before).arrivals).toEqual(["c"]);
});

test("asking again without a new event keeps the arrivals", () => {
  const before = { ...answer(2, ["b", "c"]), arrivals: ["c"] };
  expect(withArrivals(answer(2, ["b", "c"]), before).arrivals).toEqual(["c"]);
});
