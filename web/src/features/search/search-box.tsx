import { useId } from "react";
import { SearchIcon } from "@/components/ui/icons";
import { MAX_QUERY } from "@/lib/url-state";
import styles from "./search-box.module.css";

interface SearchBoxProps {
  /** The query of the page; another query makes another box. */
  query: string;
  onSearch: (query: string) => void;
  size?: "large" | "small";
}

/** The search field. It is a plain form: typing and Enter suffice. */
export function SearchBox({ query, onSearch, size = "small" }: SearchBoxProps) {
  const id = useId();
  return (
    <search className={styles.search}>
      <form
        key={query}
        className={`${styles.form} ${styles[size]}`}
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget).get("q");
          const words = typeof typed === "string" ? typed.trim() : "";
          if (words !== "") onSearch(words);
        }}
      >
        <label htmlFor={id} className="visually-hidden">
          Search products
        </label>
        <input
          id={id}
          className={styles.input}
          type="search"
          name="q"
          defaultValue={query}
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
      </form>
    </search>
  );
}
