import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { Hit, SearchReply } from "@/api/types";
import { Grid, GridSkeleton } from "@/components/ui/grid";
import { ProductCard } from "@/components/ui/product-card";
import { Empty, Failure, Notice } from "@/components/ui/state";
import { formatCount, formatTook, plural } from "@/lib/format";
import type { Mode } from "@/lib/url-state";
import { ModeSwitch } from "./mode-switch";
import styles from "./search-results.module.css";
import type { Search } from "./use-search";

interface SearchResultsProps {
  q: string;
  mode: Mode;
  page: number;
  search: Search;
  onMode: (mode: Mode) => void;
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
      {plural(answer.total, "product")}
      {took !== undefined && ` in ${formatTook(took)}`}
      {answer.total > 0 && `: ${answer.total_definition}`}
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

function NothingFound({ q, mode }: { q: string; mode: Mode }) {
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
        {weak.map(({ hit, requestId }) => (
          <li key={hit.item_id}>
            <ProductCard hit={hit} requestId={requestId} />
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
  q,
  mode,
  page,
  search,
}: {
  q: string;
  mode: Mode;
  page: number;
  search: Answered;
}) {
  const { answer, found } = search;
  const list = useFocusOnNew(found.length, page);
  const byMeaning = mode === "hybrid" ? found.filter(({ hit }) => isByMeaning(hit)) : [];
  const isAllByMeaning = byMeaning.length === found.length;
  const next = { q, page: page + 1, ...(mode === "hybrid" ? {} : { mode }) };
  return (
    <>
      {isAllByMeaning && <Notice>No product has these words. These fit by their meaning.</Notice>}
      <Grid label="Products found" listRef={list}>
        {found.map(({ hit, requestId }, place) => (
          <li key={hit.item_id}>
            <ProductCard
              hit={hit}
              requestId={requestId}
              note={
                !isAllByMeaning && mode === "hybrid" && isByMeaning(hit) ? "Found by meaning" : null
              }
              isEager={place < 8}
            />
          </li>
        ))}
      </Grid>
      {search.isLoadingMore && <GridSkeleton count={4} />}
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

function Body({ q, mode, page, search }: Omit<SearchResultsProps, "onMode">) {
  if (search.state === "idle") {
    return (
      <Empty title="What are you looking for?">
        <p>Type a product, a brand, or what it should do for you.</p>
      </Empty>
    );
  }
  if (search.state === "loading") {
    return (
      <>
        <p className="visually-hidden" role="status">
          Searching
        </p>
        <GridSkeleton count={8} />
      </>
    );
  }
  if (search.state === "failed") return <Failure error={search.error} onRetry={search.retry} />;
  if (search.found.length === 0) {
    return (
      <>
        <NothingFound q={q} mode={mode} />
        <WeakHits weak={search.weak} title="The nearest there is" />
      </>
    );
  }
  return <Hits key={`${q} ${mode}`} q={q} mode={mode} page={page} search={search} />;
}

/** The answer to a query, in each of its states. */
export function SearchResults({ q, mode, page, search, onMode }: SearchResultsProps) {
  return (
    <section className={styles.results} aria-labelledby="results-title">
      <div className={styles.head}>
        <div className={styles.titles}>
          <h1 id="results-title" className={styles.title}>
            {q === "" ? "Search" : `“${q}”`}
          </h1>
          {search.state === "answered" && <Corrected answer={search.answer} mode={mode} />}
          {search.state === "answered" && <Summary answer={search.answer} />}
        </div>
        {q !== "" && <ModeSwitch mode={mode} onChange={onMode} />}
      </div>
      {search.state === "answered" && <HowAnswered answer={search.answer} />}
      <Body q={q} mode={mode} page={page} search={search} />
    </section>
  );
}
