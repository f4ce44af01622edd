import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Asked } from "@/api/questions";
import type { Hit, SearchReply } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Grid, GridSkeleton } from "@/components/ui/grid";
import { ProductCard } from "@/components/ui/product-card";
import { Empty, Failure, Notice } from "@/components/ui/state";
import { formatCount, formatTook, plural } from "@/lib/format";
import { useIsWide } from "@/lib/media";
import { useIsSlow } from "@/lib/patience";
import { isNarrowed, type Refinement, type Sort } from "@/lib/refinement";
import type { Mode } from "@/lib/url-state";
import { Chips } from "./chips";
import { FilterSheet } from "./filter-sheet";
import { ModeSwitch } from "./mode-switch";
import { FilterGroups, usefulOf } from "./refine-panel";
import styles from "./search-results.module.css";
import { SortMenu } from "./sort-menu";
import type { Search } from "./use-search";

interface SearchResultsProps {
  asked: Asked;
  search: Search;
  onMode: (mode: Mode) => void;
  onRefine: (refinement: Refinement) => void;
}

type Answered = Extract<Search, { state: "answered" }>;

/** Whether no word of the query is in the product: its meaning alone brought it here. */
export function isByMeaning({ parts }: Hit): boolean {
  return parts.semantic !== null && (parts.lexical ?? 0) === 0;
}

function Summary({ answer }: { answer: SearchReply }) {
  const took = answer.took_ms.total;
  return (
    <p className={styles.summary} role="status">
      {!answer.is_exact && "at least "}
      {plural(answer.total, "product")}
      {took !== undefined && ` in ${formatTook(took)}`}
    </p>
  );
}

/** What the shop read where something was mistyped. */
function Corrected({ answer, mode }: { answer: SearchReply; mode: Mode }) {
  const q = answer.corrected_query;
  if (q === null) return null;
  return (
    <p className={styles.corrected}>
      Results for{" "}
      <Link to="/search" search={{ q, ...(mode === "hybrid" ? {} : { mode }) }}>
        {q}
      </Link>
    </p>
  );
}

const FALLBACKS: Record<string, string> = {
  lexical: "matching by words only",
  semantic: "matching by meaning only",
};

function HowAnswered({ answer }: { answer: SearchReply }) {
  if (!answer.degraded && answer.fallback_used === null) return null;
  return (
    <Notice>
      {answer.fallback_used === null
        ? "A part of the search did not answer in time. This list may be incomplete."
        : `A simpler method answered this search: ${FALLBACKS[answer.fallback_used] ?? answer.fallback_used}.`}
    </Notice>
  );
}

function NothingFound({
  asked: { q, mode, refinement },
  onRefine,
}: Pick<SearchResultsProps, "asked" | "onRefine">) {
  if (isNarrowed(refinement)) {
    const { sort } = refinement;
    return (
      <Empty title={`Nothing for “${q}” with these filters`}>
        <Button onClick={() => onRefine(sort === undefined ? {} : { sort })}>Clear filters</Button>
      </Empty>
    );
  }
  return (
    <Empty title={`Nothing matches “${q}”`}>
      {mode === "lexical" ? (
        <p>
          No product has these words.{" "}
          <Link to="/search" search={{ q }}>
            Match by words and meaning
          </Link>{" "}
          finds what is described differently.
        </p>
      ) : (
        <p>Try fewer or more general words, or describe what the product is for.</p>
      )}
    </Empty>
  );
}

function WeakHits({ weak, title }: { weak: Answered["weak"]; title: string }) {
  if (weak.length === 0) return null;
  return (
    <section className={styles.weak}>
      <h2>{title}</h2>
      <Grid label={title}>
        {weak.map(({ hit, ...from }) => (
          <li key={hit.item_id}>
            <ProductCard hit={hit} {...from} />
          </li>
        ))}
      </Grid>
    </section>
  );
}

/** Puts the keyboard on the first product that "show more" brought. */
function useFocusOnNew(count: number, page: number) {
  const list = useRef<HTMLUListElement>(null);
  const seen = useRef({ count, page });
  useEffect(() => {
    const before = seen.current;
    if (page === before.page || count <= before.count) {
      if (page <= before.page) seen.current = { count, page };
      return;
    }
    list.current?.children[before.count]?.querySelector("a")?.focus();
    seen.current = { count, page };
  }, [count, page]);
  return list;
}

function Hits({
  asked: { q, mode, page, refinement },
  search,
}: {
  asked: Asked;
  search: Answered;
}) {
  const { answer, found } = search;
  const list = useFocusOnNew(found.length, page);
  const byMeaning = mode === "hybrid" ? found.filter(({ hit }) => isByMeaning(hit)) : [];
  const isAllByMeaning = byMeaning.length === found.length;
  const next = { q, page: page + 1, ...refinement, ...(mode === "hybrid" ? {} : { mode }) };
  return (
    <>
      {isAllByMeaning && <Notice>No product has these words. These fit by their meaning.</Notice>}
      <Grid label="Products found" listRef={list}>
        {found.map(({ hit, ...from }, place) => (
          <li key={hit.item_id}>
            <ProductCard
              hit={hit}
              {...from}
              note={
                !isAllByMeaning && mode === "hybrid" && isByMeaning(hit) ? "Found by meaning" : null
              }
              isEager={place < 10}
            />
          </li>
        ))}
      </Grid>
      {search.isLoadingMore && <GridSkeleton count={5} />}
      {search.moreError !== null && <Failure error={search.moreError} onRetry={search.retry} />}
      <div className={styles.more}>
        <p className={styles.progress}>
          {formatCount(found.length)} of {formatCount(answer.total)} shown
        </p>
        {search.hasMore && (
          <Link to="/search" search={next} resetScroll={false} className={styles.moreLink}>
            Show more
          </Link>
        )}
      </div>
      <WeakHits weak={search.weak} title="Close, but no match" />
    </>
  );
}

function Loading() {
  const isSlow = useIsSlow(true);
  return (
    <>
      <p className={isSlow ? styles.slow : "visually-hidden"} role="status">
        {isSlow ? "This takes longer than usual. Still searching." : "Searching"}
      </p>
      <GridSkeleton count={10} />
    </>
  );
}

function Body({ asked, search, onRefine }: Omit<SearchResultsProps, "onMode">) {
  if (search.state === "idle") {
    return (
      <Empty title="What are you looking for?">
        <p>Type a product, a brand, or what it should do for you.</p>
      </Empty>
    );
  }
  if (search.state === "loading") return <Loading />;
  if (search.state === "failed") return <Failure error={search.error} onRetry={search.retry} />;
  if (search.found.length === 0) {
    return (
      <>
        <NothingFound asked={asked} onRefine={onRefine} />
        <WeakHits weak={search.weak} title="The nearest there is" />
      </>
    );
  }
  return (
    <Hits
      key={JSON.stringify([asked.q, asked.mode, asked.refinement])}
      asked={asked}
      search={search}
    />
  );
}

function Titles({ asked: { q, mode }, search }: Pick<SearchResultsProps, "asked" | "search">) {
  return (
    <div className={styles.titles}>
      <h1 id="results-title" className={styles.title}>
        {q === "" ? "Search" : `“${q}”`}
      </h1>
      {search.state === "answered" && <Corrected answer={search.answer} mode={mode} />}
      {search.state === "answered" && <Summary answer={search.answer} />}
    </div>
  );
}

/** The answer to a query, in each of its states, and what it can be narrowed down by. */
export function SearchResults({ asked, search, onMode, onRefine }: SearchResultsProps) {
  const { refinement } = asked;
  const { sort = "relevance", ...narrowed } = refinement;
  const isWide = useIsWide();
  const answered = search.state === "answered" ? search : null;
  const facets = usefulOf(answered?.answer.facets ?? []);
  const refine = { facets, refinement, onRefine };
  const onSort = (chosen: Sort) =>
    onRefine(chosen === "relevance" ? narrowed : { ...narrowed, sort: chosen });
  return (
    <section className={styles.results} aria-labelledby="results-title">
      <div className={styles.head}>
        <Titles asked={asked} search={search} />
        {asked.q !== "" && (
          <div className={styles.tools}>
            <ModeSwitch mode={asked.mode} onChange={onMode} />
            {!isWide && answered !== null && facets.length > 0 && (
              <FilterSheet {...refine} total={answered.answer.total} />
            )}
            <SortMenu sort={sort} onChange={onSort} />
          </div>
        )}
      </div>
      {answered !== null && <HowAnswered answer={answered.answer} />}
      <div className={styles.columns}>
        {isWide && facets.length > 0 && (
          <aside aria-label="Filters">
            <FilterGroups {...refine} />
          </aside>
        )}
        <div className={styles.found} aria-busy={answered?.isUpdating ?? false}>
          <Chips refinement={refinement} onRefine={onRefine} />
          <Body asked={asked} search={search} onRefine={onRefine} />
        </div>
      </div>
    </section>
  );
}
