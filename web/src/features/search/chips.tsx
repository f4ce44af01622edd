import { categoryLevels, formatPrice } from "@/lib/format";
import { isNarrowed, type Refinement } from "@/lib/refinement";
import styles from "./chips.module.css";

interface Chip {
  text: string;
  without: Refinement;
}

function priceText({ low, high }: Refinement): string {
  if (low === undefined) return `up to ${formatPrice(high ?? 0)}`;
  return high === undefined
    ? `from ${formatPrice(low)}`
    : `${formatPrice(low)} to ${formatPrice(high)}`;
}

/** What a search is narrowed down to, each with what is left when it is taken away. */
export function chipsOf(refinement: Refinement): Chip[] {
  const chips: Chip[] = [];
  const { brand, category, low, high, stock, ...rest } = refinement;
  if (category !== undefined) {
    const { category: _, ...without } = refinement;
    chips.push({ text: categoryLevels(category).at(-1) ?? category, without });
  }
  for (const name of brand ?? []) {
    const others = (brand ?? []).filter((other) => other !== name);
    const { brand: _, ...without } = refinement;
    const kept = others.length === 0 ? without : { ...without, brand: others };
    chips.push({ text: name, without: kept });
  }
  if (low !== undefined || high !== undefined) {
    const { low: _low, high: _high, ...without } = refinement;
    chips.push({ text: priceText(refinement), without });
  }
  if (stock !== undefined) {
    const { stock: _, ...without } = refinement;
    chips.push({ text: "In stock", without });
  }
  return chips.length > 1 ? [...chips, { text: "Clear all", without: rest }] : chips;
}

interface ChipsProps {
  refinement: Refinement;
  onRefine: (refinement: Refinement) => void;
}

/** The choices that are set, to be taken back one by one or all at once. */
export function Chips({ refinement, onRefine }: ChipsProps) {
  if (!isNarrowed(refinement)) return null;
  return (
    <ul className={styles.chips} aria-label="Filters that are set">
      {chipsOf(refinement).map(({ text, without }) => (
        <li key={text}>
          <button type="button" className={styles.chip} onClick={() => onRefine(without)}>
            {text === "Clear all" ? (
              text
            ) : (
              <>
                <span className="visually-hidden">Remove filter </span>
                {text}
                <span aria-hidden="true" className={styles.cross}>
                  ×
                </span>
              </>
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}
