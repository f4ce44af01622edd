import type { ReactNode } from "react";
import type { HomeList } from "@/api/queries";
import { Grid, GridSkeleton } from "@/components/ui/grid";
import { ProductCard } from "@/components/ui/product-card";
import { Empty, Failure } from "@/components/ui/state";
import { plural } from "@/lib/format";
import styles from "./for-you-view.module.css";
import type { ForYou } from "./use-for-you";

const STRANGER = "nothing is known of this visitor yet. Open a product and this list follows.";
const NOBODY = "nothing is asked and nothing is kept of an anonymous visitor.";

/** How a list came about that no history shaped. */
function explainStranger(fallback: string | null, about: string): string {
  if (fallback === "popularity") return `Popular with everyone: ${about}`;
  if (fallback === "catalogue") return `In the order of the catalogue: ${about}`;
  return `A first guess: ${about}`;
}

/** How this list came about, in one honest line. */
export function explain(list: HomeList, { isAnonymous = false } = {}): string {
  const { history_length: length, fallback_used: fallback, arrivals } = list;
  if (length === 0) return explainStranger(fallback, isAnonymous ? NOBODY : STRANGER);
  const history = `${plural(length, "product")} in the history of this visitor`;
  if (fallback === "popularity" || fallback === "catalogue") {
    return `Popular with everyone: ${history} did not suffice for a personal list.`;
  }
  const basis = fallback === "item_average" ? "Chosen by likeness to" : "Chosen from";
  const news =
    arrivals.length === 0
      ? ""
      : ` ${arrivals.length} of ${list.hits.length} changed with the last event.`;
  return `${basis} ${history}.${news}`;
}

function Body({ forYou }: { forYou: ForYou }) {
  if (forYou.state === "loading") return <GridSkeleton count={8} />;
  if (forYou.state === "failed") return <Failure error={forYou.error} onRetry={forYou.retry} />;
  const { hits, request_id, arrivals } = forYou.list;
  if (hits.length === 0) {
    return (
      <Empty title="Nothing left to recommend">
        <p>This visitor has seen everything that is in stock.</p>
      </Empty>
    );
  }
  // When every pick is new, a mark on each says nothing.
  const marked = arrivals.length < hits.length ? arrivals : [];
  return (
    <Grid label="For you">
      {hits.map((hit) => (
        <li key={hit.item_id}>
          <ProductCard
            hit={hit}
            requestId={request_id}
            question={forYou.question}
            note={marked.includes(hit.item_id) ? "New pick" : null}
          />
        </li>
      ))}
    </Grid>
  );
}

/** The personal list of the home page; `children` shows what it was made from. */
export function ForYouView({ forYou, children }: { forYou: ForYou; children?: ReactNode }) {
  return (
    <section
      className={styles.section}
      aria-labelledby="for-you-title"
      aria-busy={forYou.state === "loading" || (forYou.state === "answered" && forYou.isFollowing)}
    >
      <div className={styles.head}>
        <h2 id="for-you-title" className={styles.title}>
          For you
        </h2>
        <p className={styles.why} role="status">
          {forYou.state === "answered" && explain(forYou.list, forYou)}
          {forYou.state === "loading" && "Choosing"}
        </p>
      </div>
      {children}
      <Body forYou={forYou} />
    </section>
  );
}
