import { SORTS, type Sort } from "@/lib/refinement";
import styles from "./sort-menu.module.css";

const LABELS: Record<Sort, string> = {
  relevance: "Best match",
  price_ascending: "Price, low to high",
  price_descending: "Price, high to low",
  rating: "Best rated",
  newest: "Newest",
};

/** Chooses the order of what was found. */
export function SortMenu({ sort, onChange }: { sort: Sort; onChange: (sort: Sort) => void }) {
  return (
    <label className={styles.sort}>
      <span className={styles.name}>Sort by</span>
      <select
        className={styles.select}
        value={sort}
        onChange={(event) => {
          const chosen = SORTS.find((known) => known === event.target.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      >
        {SORTS.map((one) => (
          <option key={one} value={one}>
            {LABELS[one]}
          </option>
        ))}
      </select>
    </label>
  );
}
