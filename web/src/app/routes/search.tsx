import { useNavigate, useSearch } from "@tanstack/react-router";
import { SearchResults } from "@/features/search/search-results";
import { useSearch as useProductSearch } from "@/features/search/use-search";
import type { Mode } from "@/lib/url-state";
import { useVisitor } from "../use-visitor";

export function SearchPage() {
  const { q = "", mode = "hybrid", page = 1 } = useSearch({ from: "/search" });
  const navigate = useNavigate();
  const visitor = useVisitor();
  const search = useProductSearch({ q, mode, page, visitor });
  const onMode = (chosen: Mode) =>
    void navigate({
      to: "/search",
      search: { q, ...(chosen === "hybrid" ? {} : { mode: chosen }) },
      resetScroll: false,
    });
  return (
    <>
      <title>{q === "" ? "Search · twotower" : `${q} · twotower`}</title>
      <SearchResults q={q} mode={mode} page={page} search={search} onMode={onMode} />
    </>
  );
}
