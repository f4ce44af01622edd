import { type FormEvent, useState } from "react";
import type { AdminApi } from "@/api/admin";
import { ApiError } from "@/api/http";
import type { Item } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Picture } from "@/components/ui/picture";
import { Empty, Failure } from "@/components/ui/state";
import styles from "./products-view.module.css";
import { useProducts, useTitle } from "./use-studio";

type Products = ReturnType<typeof useProducts>;

interface HiddenRowProps {
  itemId: string;
  admin: AdminApi;
  products: Products;
}

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
        <Button
          onClick={() => products.hide.mutate(item.item_id)}
          disabled={products.hide.isPending}
        >
          Hide
        </Button>
        <p role="status" className={styles.told}>
          {isOdd ? "A price is a number, 0 or more." : saved && "Saved"}
        </p>
      </form>
    </li>
  );
}

function HiddenRow({ itemId, admin, products }: HiddenRowProps) {
  const title = useTitle(admin, itemId);
  return (
    <li className={styles.hiddenRow}>
      {title}
      <Button aria-label={`Show ${title} again`} onClick={() => products.show.mutate(itemId)}>
        Show again
      </Button>
    </li>
  );
}

function Hidden({ admin, products }: { admin: AdminApi; products: Products }) {
  const { hidden } = products;
  if (hidden.error) return <Failure error={hidden.error} onRetry={() => void hidden.refetch()} />;
  if (hidden.data === undefined || hidden.data.length === 0) return null;
  return (
    <section aria-label="Hidden products" className={styles.hidden}>
      <p>
        Hidden: a rule of the shop leaves each of these out of searches and recommendations until it
        is shown again. The product itself is kept: its own page still opens, and the search box may
        suggest it.
      </p>
      <ul>
        {hidden.data.map((itemId) => (
          <HiddenRow key={itemId} itemId={itemId} admin={admin} products={products} />
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
      <Hidden admin={admin} products={products} />
      <Found query={query} products={products} />
    </div>
  );
}
