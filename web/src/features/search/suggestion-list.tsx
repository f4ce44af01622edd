import type { Suggestion } from "@/api/types";
import { categoryLevels } from "@/lib/format";
import styles from "./suggestion-list.module.css";

interface SuggestionListProps {
  id: string;
  suggestions: readonly Suggestion[];
  /** The place of the one that Enter takes; none below 0. */
  active: number;
  onChoose: (suggestion: Suggestion) => void;
}

/** What is read, and what kind of thing it is: a category by its narrowest name. */
function shown({ kind, text }: Suggestion): { name: string; note: string | null } {
  if (kind !== "category") return { name: text, note: kind === "product" ? "Product" : null };
  const levels = categoryLevels(text);
  const parent = levels.at(-2);
  return { name: levels.at(-1) ?? text, note: parent === undefined ? "Category" : `in ${parent}` };
}

function Option({ suggestion }: { suggestion: Suggestion }) {
  const { name, note } = shown(suggestion);
  return (
    <>
      <span className={styles.text}>{name}</span>
      {note !== null && <span className={styles.note}>{note}</span>}
    </>
  );
}

/** What may be meant, under the box. The keyboard stays in the box, which names the active one. */
export function SuggestionList({ id, suggestions, active, onChoose }: SuggestionListProps) {
  return (
    <div
      id={id}
      role="listbox"
      aria-label="Suggestions"
      className={styles.list}
      hidden={suggestions.length === 0}
    >
      {suggestions.map((one, place) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled in the box
        <div
          key={`${one.kind} ${one.item_id ?? one.text}`}
          id={`${id}-${place}`}
          role="option"
          tabIndex={-1}
          aria-selected={place === active}
          ref={place === active ? (node) => node?.scrollIntoView?.({ block: "nearest" }) : null}
          className={styles.option}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoose(one)}
        >
          <Option suggestion={one} />
        </div>
      ))}
    </div>
  );
}
