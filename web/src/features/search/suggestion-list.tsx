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

/** What is read of a suggestion: a category by its narrowest name, and where that is. */
function shown({ kind, text }: Suggestion): { name: string; note: string | null } {
  if (kind !== "category") return { name: text, note: null };
  const levels = categoryLevels(text);
  const parent = levels.at(-2);
  return { name: levels.at(-1) ?? text, note: parent === undefined ? null : `in ${parent}` };
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

// In the order in which the server suggests, so that the arrow keys go straight down.
const GROUPS: readonly { kind: Suggestion["kind"]; name: string }[] = [
  { kind: "query", name: "Searches" },
  { kind: "category", name: "Categories" },
  { kind: "product", name: "Products" },
];

/** What may be meant, under the box. The keyboard stays in the box, which names the active one. */
export function SuggestionList({ id, suggestions, active, onChoose }: SuggestionListProps) {
  const optionOf = (one: Suggestion) => {
    const place = suggestions.indexOf(one);
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled in the box
      <div
        key={one.item_id ?? one.text}
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
    );
  };
  return (
    <div
      id={id}
      role="listbox"
      aria-label="Suggestions"
      className={styles.list}
      hidden={suggestions.length === 0}
    >
      {GROUPS.map(({ kind, name }) => {
        const group = suggestions.filter((one) => one.kind === kind);
        if (group.length === 0) return null;
        return (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a list of options
          <div key={kind} role="group" aria-labelledby={`${id}-${kind}`} className={styles.group}>
            <div id={`${id}-${kind}`} className={styles.heading} aria-hidden="true">
              {name}
            </div>
            {group.map(optionOf)}
          </div>
        );
      })}
    </div>
  );
}
