import { StarIcon } from "@/components/ui/icons";
import { formatPrice } from "@/lib/format";
import styles from "./facts.module.css";

export function Price({ price }: { price: number | null }) {
  if (price === null) return null;
  return (
    <span className={styles.price}>
      <span className="visually-hidden">Price </span>
      {formatPrice(price)}
    </span>
  );
}

/** A rating as the shop gives it; the scale is the shop's own, so only the number is shown. */
export function Rating({ rating }: { rating: number | null }) {
  if (rating === null) return null;
  return (
    <span className={styles.rating}>
      <StarIcon />
      <span className="visually-hidden">Rating </span>
      {rating.toFixed(1)}
    </span>
  );
}

export function Stock({ inStock }: { inStock: boolean | null }) {
  if (inStock === null) return null;
  return (
    <span className={inStock ? styles.inStock : styles.outOfStock}>
      {inStock ? "In stock" : "Out of stock"}
    </span>
  );
}
