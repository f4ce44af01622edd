import { Grid, GridSkeleton } from "@/components/ui/grid";
import { ProductCard } from "@/components/ui/product-card";
import { Failure } from "@/components/ui/state";
import styles from "./shelf-view.module.css";
import type { Shelf } from "./use-shelf";

interface ShelfViewProps {
  title: string;
  /** Under the title: how the list came about. */
  about?: string;
  shelf: Shelf;
  /** What is said of an empty shelf; without it an empty shelf is not there. */
  empty?: string;
}

function Body({ title, shelf, empty }: Pick<ShelfViewProps, "title" | "shelf" | "empty">) {
  if (shelf.state === "loading") return <GridSkeleton count={6} shape="rail" />;
  if (shelf.state === "failed") return <Failure error={shelf.error} onRetry={shelf.retry} />;
  const { answer, question } = shelf;
  if (answer.hits.length === 0) return <p className={styles.about}>{empty}</p>;
  return (
    <Grid shape="rail" label={title}>
      {answer.hits.map((hit) => (
        <li key={hit.item_id}>
          <ProductCard hit={hit} requestId={answer.request_id} question={question} />
        </li>
      ))}
    </Grid>
  );
}

/** A row of products that scrolls sideways, under its title. */
export function ShelfView({ title, about, shelf, empty }: ShelfViewProps) {
  const isEmpty = shelf.state === "answered" && shelf.answer.hits.length === 0;
  if (isEmpty && empty === undefined) return null;
  return (
    <section className={styles.shelf} aria-label={title}>
      <div>
        <h2 className={styles.title}>{title}</h2>
        {about !== undefined && <p className={styles.about}>{about}</p>}
      </div>
      <Body title={title} shelf={shelf} {...(empty === undefined ? {} : { empty })} />
    </section>
  );
}
