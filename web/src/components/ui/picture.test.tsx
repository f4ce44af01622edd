import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { item } from "@/testing/fake-shop";
import { monogram, Picture } from "./picture";

test("our own picture is shown, and its tile when it does not load", () => {
  render(<Picture item={item("A", { image: "/v1/products/A/image" })} alt="Tea pot" />);
  fireEvent.error(screen.getByRole("img", { name: "Tea pot" }));
  expect(screen.queryByRole("img")).toBeNull();
  expect(screen.getByText("PA")).toBeInTheDocument();
});

test.each(["https://elsewhere.test/a.png", "//elsewhere.test/a.png", null])(
  "a picture at %s is not loaded",
  (image) => {
    render(<Picture item={item("A", { image })} alt="Tea pot" />);
    expect(screen.queryByRole("img")).toBeNull();
  },
);

test("a monogram takes the first letters of words in any script", () => {
  expect(monogram("copper tea kettle")).toBe("CT");
  expect(monogram("  12-inch head")).toBe("1I");
  expect(monogram("чайник медный")).toBe("ЧМ");
  expect(monogram("---")).toBe("");
});
