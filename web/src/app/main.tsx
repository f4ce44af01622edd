import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createApi } from "@/api/client";
import { rememberVisitor, withVisitor } from "@/lib/identity";
import { Providers } from "./providers";
import { makeQueryClient } from "./query-client";
import { makeRouter } from "./router";
import "@/styles/tokens.css";
import "@/styles/base.css";

// Who is looking is part of every address, so that a copied link shows the same shop.
window.history.replaceState(window.history.state, "", withVisitor(window.location.href));

const router = makeRouter();
router.subscribe("onResolved", ({ toLocation }) => {
  const visitor = new URLSearchParams(toLocation.searchStr).get("visitor");
  if (visitor !== null) rememberVisitor(visitor);
});

const root = document.getElementById("root");
if (root === null) throw new Error('index.html must hold <div id="root">');
createRoot(root).render(
  <StrictMode>
    <Providers
      api={createApi((...request) => window.fetch(...request))}
      client={makeQueryClient()}
      router={router}
    />
  </StrictMode>,
);
