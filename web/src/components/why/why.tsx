import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "@/api/context";
import { explanationQuery } from "@/api/queries";
import type { Question } from "@/api/questions";
import type { Explanation, Hit, Item } from "@/api/types";
import { Sheet } from "@/components/ui/sheet";
import { Failure } from "@/components/ui/state";
import { Bars } from "./bars";
import { attentionOf, formatPart, partsOf } from "./reasons";
import styles from "./why.module.css";

function Raw({ hit: { item: _, ...told } }: { hit: Hit }) {
  return (
    <details className={styles.raw}>
      <summary>Raw JSON</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <pre className={styles.json} tabIndex={0}>
        {JSON.stringify(told, null, 2)}
      </pre>
    </details>
  );
}

function Told({ hit, explanation }: { hit: Hit; explanation: Explanation }) {
  const attention = attentionOf(explanation);
  return (
    <>
      <p>
        Rank {hit.rank} of its list, with a score of {hit.score.toFixed(3)}
        {hit.relevance !== null &&
          `, and ${Math.round(hit.relevance * 100)} % likely to be what was meant`}
        .
      </p>
      <section className={styles.section}>
        <h3>What the score is made of</h3>
        <Bars label="Parts of the score" parts={partsOf(explanation)} format={formatPart} />
      </section>
      {attention.length > 0 && (
        <section className={styles.section}>
          <h3>What the model looks at in this product</h3>
          <Bars
            label="Attention over its features"
            parts={attention}
            format={({ value }) => `${Math.round(value * 100)} %`}
          />
        </section>
      )}
      <Raw hit={hit} />
    </>
  );
}

function Explained({ question, item }: { question: Question; item: Item }) {
  const query = useQuery(explanationQuery(useApi(), question, item.item_id));
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <p role="status">Asking the shop</p>;
  const hit = query.data;
  if (hit?.explanation == null) {
    return <p role="status">The list has changed since: this product is no longer in it.</p>;
  }
  return <Told hit={hit} explanation={hit.explanation} />;
}

interface WhyProps {
  /** What the list was asked with. */
  question: Question;
  item: Item;
  className?: string | undefined;
}

/** Says why a product is in its list: the parts of its score, asked for when it is opened. */
export function Why({ question, item, className = "" }: WhyProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className={`${styles.button} ${className}`}
        aria-haspopup="dialog"
        aria-label={`Why this? ${item.title}`}
        onClick={() => setOpen(true)}
      >
        Why this?
      </button>
      <Sheet title="Why this?" isOpen={isOpen} onClose={() => setOpen(false)}>
        <div className={styles.why}>
          <p className={styles.title}>{item.title}</p>
          <Explained question={question} item={item} />
        </div>
      </Sheet>
    </>
  );
}
