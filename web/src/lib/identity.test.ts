import { expect, test } from "vitest";
import {
  ANONYMOUS,
  identityOf,
  newVisitorId,
  randomId,
  rememberVisitor,
  visitorFrom,
  withVisitor,
} from "./identity";

test("a new visitor is nobody of the log", () => {
  const visitor = visitorFrom(newVisitorId());
  expect(visitor.kind).toBe("new");
  expect(identityOf(visitor)).toEqual({ visitor_id: visitor.id });
});

test("an example visitor is also a user of the log", () => {
  expect(identityOf(visitorFrom("U7"))).toEqual({ visitor_id: "U7", user_id: "U7" });
});

test("of an anonymous visitor the server is told nothing", () => {
  expect(identityOf(visitorFrom(ANONYMOUS))).toEqual({});
});

test("ids stay random where randomUUID is missing", () => {
  const bare = { getRandomValues: crypto.getRandomValues.bind(crypto) };
  const ids = new Set(Array.from({ length: 50 }, () => randomId(bare)));
  expect(ids.size).toBe(50);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test("an address without a visitor gets the remembered one", () => {
  rememberVisitor("U7");
  expect(withVisitor("http://shop.test/search?q=a+b")).toBe(
    "http://shop.test/search?q=a+b&visitor=U7",
  );
});

test("an address keeps the visitor it names", () => {
  rememberVisitor("U7");
  expect(withVisitor("http://shop.test/?visitor=U9")).toBe("http://shop.test/?visitor=U9");
});

test("a first visit gets a new visitor", () => {
  const made = new URL(withVisitor("http://shop.test/")).searchParams.get("visitor") ?? "";
  expect(visitorFrom(made).kind).toBe("new");
});

test("an id that the server would refuse is replaced", () => {
  const made = new URL(withVisitor("http://shop.test/?visitor=a%00b")).searchParams.get("visitor");
  expect(made).toMatch(/^anon-/);
});
