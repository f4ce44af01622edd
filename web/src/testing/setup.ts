import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// What jsdom lacks: a query of the window's width, and dialogs that open.
if (globalThis.window !== undefined) {
  window.matchMedia = (query) =>
    Object.assign(new EventTarget(), {
      media: query,
      matches:
        window.innerWidth >=
        16 * Number.parseFloat(/min-width: ([\d.]+)rem/.exec(query)?.[1] ?? ""),
    }) as MediaQueryList;
}
if (globalThis.HTMLDialogElement !== undefined) {
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
  };
}

configure({ asyncUtilTimeout: 20_000 });

const DESKTOP_PX = 1024;

afterEach(() => {
  cleanup();
  if (globalThis.window !== undefined) window.innerWidth = DESKTOP_PX;
  globalThis.localStorage?.clear();
});
