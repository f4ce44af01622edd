import { type ReactNode, useState } from "react";
import type { Facet } from "@/api/types";
import { categoryLevels, formatCount, formatPrice, plural } from "@/lib/format";
import type { Refinement } from "@/lib/refinement";
import styles from "./refine-panel.module.css";

const BRANDS_SHOWN = 8;

export interface RefineProps {
  facets: readonly Facet[];
  refinement: Refinement;
  onRefine: (refinement: Refinement) => void;
}

interface ChoiceProps {
  kind: "radio" | "checkbox";
  name: string;
  isChosen: boolean;
  count?: number;
  level?: number;
  onChoose: () => void;
  children: ReactNode;
}

function Choice({ kind, name, isChosen, count, level = 0, onChoose, children }: ChoiceProps) {
  return (
    <label className={styles.choice} style={{ paddingInlineStart: `${level}rem` }}>
      <input type={kind} name={name} checked={isChosen} onChange={onChoose} />
      <span className={styles.text}>{children}</span>
      {count !== undefined && <span className={styles.count}>{formatCount(count)}</span>}
    </label>
  );
}

/** The categories on the way to the chosen one, and what is right below it. */
export function shownCategories(facet: Facet, chosen: string | undefined): Facet["values"] {
  const isOpen = (parent: string) =>
    parent === "" || parent === chosen || chosen?.startsWith(`${parent} > `) === true;
  const parentOf = (path: string) => categoryLevels(path).slice(0, -1).join(" > ");
  return facet.values
    .filter(({ value }) => isOpen(parentOf(String(value))))
    .toSorted((a, b) => String(a.value).localeCompare(String(b.value)));
}

function Categories({ facet, refinement, onRefine }: RefineProps & { facet: Facet }) {
  const { category, ...rest } = refinement;
  return (
    <fieldset className={styles.group}>
      <legend>Category</legend>
      <Choice
        kind="radio"
        name="category"
        isChosen={category === undefined}
        onChoose={() => onRefine(rest)}
      >
        All
      </Choice>
      {shownCategories(facet, category).map(({ value, count }) => {
        const levels = categoryLevels(String(value));
        return (
          <Choice
            key={String(value)}
            kind="radio"
            name="category"
            isChosen={value === category}
            count={count}
            level={levels.length - 1}
            onChoose={() => onRefine({ ...rest, category: String(value) })}
          >
            {levels.at(-1)}
          </Choice>
        );
      })}
    </fieldset>
  );
}

function Brands({ facet, refinement, onRefine }: RefineProps & { facet: Facet }) {
  const [isWhole, setIsWhole] = useState(false);
  const { brand: chosen = [], ...rest } = refinement;
  const toggle = (name: string) => {
    const brand = chosen.includes(name)
      ? chosen.filter((other) => other !== name)
      : [...chosen, name];
    onRefine(brand.length === 0 ? rest : { ...rest, brand });
  };
  const shown = facet.values.filter(
    ({ is_chosen }, place) => isWhole || is_chosen || place < BRANDS_SHOWN,
  );
  const hidden = facet.values.length - shown.length;
  return (
    <fieldset className={styles.group}>
      <legend>Brand</legend>
      {shown.map(({ value, count }) => (
        <Choice
          key={String(value)}
          kind="checkbox"
          name="brand"
          isChosen={chosen.includes(String(value))}
          count={count}
          onChoose={() => toggle(String(value))}
        >
          {String(value)}
        </Choice>
      ))}
      {hidden > 0 && (
        <button type="button" className={styles.more} onClick={() => setIsWhole(true)}>
          {plural(hidden, "more brand")}
        </button>
      )}
    </fieldset>
  );
}

function readNumber(form: FormData, name: string): number | undefined {
  const text = String(form.get(name) ?? "").trim();
  return text === "" || !Number.isFinite(Number(text)) ? undefined : Math.max(0, Number(text));
}

function Prices({ facet, refinement, onRefine }: RefineProps & { facet: Facet }) {
  const { low, high, ...rest } = refinement;
  if (facet.low === null || facet.high === null) return null;
  const ends = [
    { name: "low", label: "From", value: low, hint: facet.low },
    { name: "high", label: "To", value: high, hint: facet.high },
  ];
  return (
    <form
      className={styles.group}
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        const chosen = { low: readNumber(form, "low"), high: readNumber(form, "high") };
        onRefine({
          ...rest,
          ...(chosen.low === undefined ? {} : { low: chosen.low }),
          ...(chosen.high === undefined ? {} : { high: chosen.high }),
        });
      }}
    >
      <fieldset>
        <legend>Price</legend>
        <div className={styles.range}>
          {ends.map(({ name, label, value, hint }) => (
            <label key={name} className={styles.end}>
              <span>{label}</span>
              <input
                key={value}
                name={name}
                inputMode="decimal"
                defaultValue={value ?? ""}
                placeholder={formatPrice(hint)}
              />
            </label>
          ))}
          <button type="submit" className={styles.set}>
            Set
          </button>
        </div>
      </fieldset>
    </form>
  );
}

function Stock({ facet, refinement, onRefine }: RefineProps & { facet: Facet }) {
  const { stock, ...rest } = refinement;
  const available = facet.values.find(({ value }) => value === true);
  if (facet.values.length < 2 && stock === undefined) return null;
  return (
    <fieldset className={styles.group}>
      <legend>Availability</legend>
      <Choice
        kind="checkbox"
        name="stock"
        isChosen={stock === true}
        count={available?.count ?? 0}
        onChoose={() => onRefine(stock === true ? rest : { ...rest, stock: true })}
      >
        In stock only
      </Choice>
    </fieldset>
  );
}

const GROUPS = { category: Categories, brand: Brands, price: Prices, in_stock: Stock };

/** What a search can be narrowed down by, with how many products each choice would leave. */
export function FilterGroups(props: RefineProps) {
  return (
    <div className={styles.groups}>
      {usefulOf(props.facets).map((facet) => {
        const Group = GROUPS[facet.field as keyof typeof GROUPS];
        return <Group key={facet.field} {...props} facet={facet} />;
      })}
    </div>
  );
}

/** The facets that some product has a value of. */
export function usefulOf(facets: readonly Facet[]): Facet[] {
  return facets.filter(({ n_values }) => n_values > 0);
}
