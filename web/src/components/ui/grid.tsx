import type { ReactNode, Ref } from "react";
import styles from "./grid.module.css";

interface GridProps {
  children: ReactNode;
  /** A grid wraps; a rail is one row that scrolls sideways. */
  shape?: "grid" | "rail";
  label?: string;
  listRef?: Ref<HTMLUListElement>;
}

/** A list of cards; each child is one `<li>`. */
export function Grid({ children, shape = "grid", label, listRef }: GridProps) {
  return (
    <ul className={styles[shape]} aria-label={label} ref={listRef}>
      {children}
    </ul>
  );
}

const PLACES = Array.from({ length: 12 }, (_, place) => place);

/** The shape of cards to come. */
export function GridSkeleton({
  count,
  shape = "grid",
}: {
  count: number;
  shape?: "grid" | "rail";
}) {
  return (
    <div className={styles[shape]} aria-hidden="true">
      {PLACES.slice(0, count).map((place) => (
        <div key={place} className={styles.skeleton}>
          <span className={styles.block} />
          <span className={styles.line} />
          <span className={styles.shortLine} />
        </div>
      ))}
    </div>
  );
}
