import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ApiError } from "@/api/http";
import type { Question } from "@/api/questions";
import type { Item } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Price, Rating, Stock } from "@/components/ui/facts";
import { BagIcon, CheckIcon } from "@/components/ui/icons";
import { Picture } from "@/components/ui/picture";
import { Empty, Failure } from "@/components/ui/state";
import { Why } from "@/components/why/why";
import { type Attribute, categoryLevels, formatMonth, readAttribute } from "@/lib/format";
import styles from "./product-view.module.css";
import type { Deed, Product } from "./use-product";

/** Titles of real catalogues can be a paragraph; those are set smaller. */
const LONG_TITLE = 70;

function Breadcrumbs({ category }: { category: string | null }) {
  const levels = categoryLevels(category);
  if (levels.length === 0) return null;
  return (
    <nav aria-label="Category">
      <ol className={styles.breadcrumbs}>
        {levels.map((level) => (
          <li key={level}>
            <Link to="/search" search={{ q: level }}>
              {level}
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Details({ item }: { item: Item }) {
  const attributes = item.attributes.map(readAttribute);
  const bare = attributes.filter(({ name }) => name === null).map(({ value }) => value);
  const rows = attributes.filter(({ name }) => name !== null);
  if (item.launched !== null)
    rows.push({ name: "On sale since", value: formatMonth(item.launched) });
  return (
    <>
      {bare.length > 0 && (
        <ul className={styles.features} aria-label="Features">
          {bare.map((value) => (
            <li key={value}>{value}</li>
          ))}
        </ul>
      )}
      <Rows rows={rows} />
    </>
  );
}

function Rows({ rows }: { rows: Attribute[] }) {
  if (rows.length === 0) return null;
  return (
    <dl className={styles.details}>
      {rows.map(({ name, value }) => (
        <div key={`${name} ${value}`} className={styles.detail}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ product }: { product: Extract<Product, { state: "answered" }> }) {
  const { item, deed } = product;
  const isGone = item.in_stock === false;
  return (
    <div className={styles.buying}>
      <div className={styles.actions}>
        <Button weight="primary" onClick={product.addToCart} disabled={isGone}>
          <BagIcon />
          Add to cart
        </Button>
        <Button onClick={product.buy} disabled={isGone}>
          Buy now
        </Button>
      </div>
      <DeedLine deed={deed} />
    </div>
  );
}

function DeedLine({ deed }: { deed: Deed | null }) {
  return (
    <p className={deed?.state === "failed" ? styles.deedFailed : styles.deed} role="status">
      {deed?.state === "stored" && <CheckIcon />}
      {deed?.message}
    </p>
  );
}

function Loading() {
  return (
    <div className={styles.page} aria-hidden="true">
      <div className={styles.blockLarge} />
      <div className={styles.facts}>
        <div className={styles.block} />
        <div className={styles.block} />
        <div className={styles.blockShort} />
      </div>
    </div>
  );
}

function Missing({ itemId }: { itemId: string }) {
  return (
    <Empty title="This product is not in the catalogue">
      <p>
        There is no product with the id {itemId}. It may have been removed.{" "}
        <Link to="/">See what is there</Link>.
      </p>
    </Empty>
  );
}

interface ProductViewProps {
  itemId: string;
  product: Product;
  /** What the list was asked with from which it was opened. */
  question?: Question | undefined;
  /** Stands below the product. */
  children?: ReactNode;
}

/** A product page in each of its states. */
export function ProductView({ itemId, product, question, children }: ProductViewProps) {
  if (product.state === "loading") {
    return (
      <>
        <p className="visually-hidden" role="status">
          Loading the product
        </p>
        <Loading />
      </>
    );
  }
  if (product.state === "failed") {
    const isMissing = product.error instanceof ApiError && product.error.status === 404;
    return isMissing ? (
      <Missing itemId={itemId} />
    ) : (
      <Failure error={product.error} onRetry={product.retry} />
    );
  }
  const { item } = product;
  return (
    <>
      <article className={styles.page}>
        <div className={styles.picture}>
          <Picture item={item} alt={item.title} isEager />
        </div>
        <div className={styles.facts}>
          <Breadcrumbs category={item.category} />
          <div>
            {item.brand !== null && <p className={styles.brand}>{item.brand}</p>}
            <h1 className={item.title.length > LONG_TITLE ? styles.longTitle : styles.title}>
              {item.title}
            </h1>
          </div>
          <p className={styles.standing}>
            <Rating rating={item.rating} />
            <Stock inStock={item.in_stock} />
          </p>
          <p className={styles.price}>
            <Price price={item.price} />
          </p>
          <Actions product={product} />
          {question !== undefined && <Why question={question} item={item} className={styles.why} />}
          {item.description !== null && <p className={styles.description}>{item.description}</p>}
          <Details item={item} />
        </div>
      </article>
      {children}
    </>
  );
}
