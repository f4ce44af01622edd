import { useNavigate, useSearch } from "@tanstack/react-router";
import { SearchResults } from "@/features/search/search-results";
import { useSearch as useProductSearch } from "@/features/search/use-search";
import type { Refinement } from "@/lib/refinement";
import type { Mode } from "@/lib/url-state";
import { useVisitor } from "../use-visitor";

export function SearchPage() {
  const {
    q = "",
    mode = "hybrid",
    page = 1,
    visitor: _,
    ...refinement
  } = useSearch({
    from: "/search",
  });
  const navigate = useNavigate();
  const asked = { q, mode, page, refinement };
  const search = useProductSearch(asked, useVisitor());
  const ask = (chosen: Mode, refined: Refinement) =>
    void navigate({
      to: "/search",
      search: { q, ...refined, ...(chosen === "hybrid" ? {} : { mode: chosen }) },
      resetScroll: false,
    });
  return (
    <>
      <title>{q === "" ? "Search · twotower" : `${q} · twotower`}</title>
      <SearchResults
        asked={asked}
        search={search}
        onMode={(chosen) => ask(chosen, refinement)}
        onRefine={(refined) => ask(mode, refined)}
      />
    </>
  );
}
