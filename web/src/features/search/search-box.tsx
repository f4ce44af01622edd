import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useId, useState } from "react";
import type { Suggestion } from "@/api/types";
import { SearchIcon } from "@/components/ui/icons";
import { categoryLevels } from "@/lib/format";
import { MAX_QUERY } from "@/lib/url-state";
import styles from "./search-box.module.css";
import { SuggestionList } from "./suggestion-list";
import { useSuggestions } from "./use-suggestions";

interface SearchBoxProps {
  /** The query of the page; another query makes another box. */
  query: string;
  onSearch: (query: string) => void;
  size?: "large" | "small";
}

const NONE = -1;

/** The search field with its suggestions: a combobox, whose list the arrow keys walk through. */
export function SearchBox({ query, ...rest }: SearchBoxProps) {
  return (
    <search className={styles.search}>
      <Form key={query} query={query} {...rest} />
    </search>
  );
}

function Form({ query, onSearch, size = "small" }: SearchBoxProps) {
  const [id, listId] = [useId(), useId()];
  const navigate = useNavigate();
  const [typed, setTyped] = useState(query);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(NONE);
  const suggestions = useSuggestions(isOpen ? typed : "");
  const isShown = isOpen && suggestions.length > 0;

  const close = () => {
    setOpen(false);
    setActive(NONE);
  };
  const search = (words: string) => {
    close();
    setTyped(words);
    if (words.trim() !== "") onSearch(words.trim());
  };
  const choose = ({ kind, text, item_id }: Suggestion) => {
    if (item_id !== null) {
      close();
      void navigate({ to: "/product/$itemId", params: { itemId: item_id } });
    } else search(kind === "category" ? (categoryLevels(text).at(-1) ?? text) : text);
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && isShown) {
      event.preventDefault();
      close();
    } else if (step !== undefined && suggestions.length > 0) {
      event.preventDefault();
      // One place more than there are suggestions: the last is the box itself.
      const places = suggestions.length + 1;
      setActive(((active + 1 + step + places) % places) - 1);
    } else if (step === 1) setOpen(true);
  };
  return (
    <form
      className={`${styles.form} ${styles[size]}`}
      onSubmit={(event) => {
        event.preventDefault();
        const chosen = isShown ? suggestions[active] : undefined;
        if (chosen === undefined) search(typed);
        else choose(chosen);
      }}
    >
      <label htmlFor={id} className="visually-hidden">
        Search products
      </label>
      <input
        id={id}
        className={styles.input}
        type="text"
        inputMode="search"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls={listId}
        aria-activedescendant={isShown && active !== NONE ? `${listId}-${active}` : undefined}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setOpen(true);
          setActive(NONE);
        }}
        onKeyDown={onKey}
        onBlur={close}
        maxLength={MAX_QUERY}
        placeholder={size === "large" ? "Say what you need" : "Search"}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        enterKeyHint="search"
      />
      <button type="submit" className={styles.submit}>
        <SearchIcon />
        <span className={size === "large" ? styles.submitText : "visually-hidden"}>Search</span>
      </button>
      <SuggestionList
        id={listId}
        suggestions={isShown ? suggestions : []}
        active={active}
        onChoose={choose}
      />
    </form>
  );
}
