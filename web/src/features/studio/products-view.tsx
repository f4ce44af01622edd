import { type FormEvent, useState } from "react";
import type { AdminApi } from "@/api/admin";
import { ApiError } from "@/api/http";
import type { Item } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Picture } from "@/components/ui/picture";
import { Empty, Failure } from "@/components/ui/state";
import styles from "./products-view.module.css";
import { useProducts } from "./use-studio";

type Products = ReturnType<typeof useProducts>;

/** The price of a form: null where it is empty, undefined where it is no price. */
function readPrice(form: FormData): number | null | undefined {
  const text = String(form.get("price") ?? "").trim();
  if (text === "") return null;
  const price = Number(text);
  return Number.isFinite(price) && price >= 0 ? price : undefined;
}

function Row({ item, products }: { item: Item; products: Products }) {
  const [isOdd, setOdd] = useState(false);
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const price = readPrice(form);
    setOdd(price === undefined);
    if (price === undefined) return;
    const to = { price, in_stock: form.get("stock") !== null };
    products.change.mutate({ itemId: item.item_id, to });
  };
  const saved = products.change.variables?.itemId === item.item_id && products.change.isSuccess;
  return (
    <li className={styles.row}>
      <div className={styles.picture}>
        <Picture item={item} alt="" />
      </div>
      <div className={styles.names}>
        <p className={styles.name}>{item.title}</p>
        <p className={styles.id}>{item.item_id}</p>
      </div>
      <form className={styles.form} onSubmit={save} aria-label={item.title}>
        <label className={styles.price}>
          Price
          <input
            key={item.price}
            name="price"
            inputMode="decimal"
            defaultValue={item.price ?? ""}
            aria-invalid={isOdd}
          />
        </label>
        <label className={styles.stock}>
          <input
            key={`${item.in_stock}`}
            type="checkbox"
            name="stock"
            defaultChecked={item.in_stock ?? true}
          />
          In stock
        </label>
        <Button type="submit">Save</Button>
        <Button onClick={() => products.hide.mutate(item)} disabled={products.hide.isPending}>
          Hide
        </Button>
        <p role="status" className={styles.told}>
          {isOdd ? "A price is a number, 0 or more." : saved && "Saved"}
        </p>
      </form>
    </li>
  );
}

function Hidden({ products }: { products: Products }) {
  if (products.hidden.length === 0) return null;
  return (
    <section aria-label="Hidden products" className={styles.hidden}>
      <p>Hidden: no answer has them until they are shown again, here, before this tab is closed.</p>
      <ul>
        {products.hidden.map((item) => (
          <li key={item.item_id} className={styles.hiddenRow}>
            {item.title}
            <Button
              aria-label={`Show ${item.title} again`}
              onClick={() => products.show.mutate(item)}
            >
              Show again
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Fault({ products }: { products: Products }) {
  const error = products.change.error ?? products.hide.error ?? products.show.error;
  if (error === null) return null;
  return (
    <p role="alert" className={styles.fault}>
      Nothing has changed: {error instanceof ApiError ? error.detail : error.message}
    </p>
  );
}

function Found({ query, products }: { query: string; products: Products }) {
  const { found } = products;
  if (query === "") return null;
  if (found.error) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <p role="status">Searching</p>;
  if (found.data.length === 0) {
    return (
      <Empty title={`Nothing matches “${query}”`}>
        <p>Search by the words of a title.</p>
      </Empty>
    );
  }
  return (
    <ul aria-label="Products found">
      {found.data.map((item) => (
        <Row key={item.item_id} item={item} products={products} />
      ))}
    </ul>
  );
}

/** Products to be found, given another price or stock, and hidden; the next answer knows. */
export function ProductsView({ admin }: { admin: AdminApi }) {
  const [query, setQuery] = useState("");
  const products = useProducts(admin, query);
  return (
    <div className={styles.products}>
      <form
        className={styles.search}
        onSubmit={(event) => {
          event.preventDefault();
          setQuery(String(new FormData(event.currentTarget).get("q") ?? "").trim());
        }}
      >
        <label className={styles.price}>
          Find products
          <input name="q" type="search" autoComplete="off" />
        </label>
        <Button type="submit">Find</Button>
      </form>
      <Fault products={products} />
      <Hidden products={products} />
      <Found query={query} products={products} />
    </div>
  );
}
