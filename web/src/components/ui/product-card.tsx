import { Link } from "@tanstack/react-router";
import type { Question } from "@/api/questions";
import type { Hit, Item } from "@/api/types";
import { Price, Rating, Stock } from "@/components/ui/facts";
import { Picture } from "@/components/ui/picture";
import { Why } from "@/components/why/why";
import { categoryLevels } from "@/lib/format";
import styles from "./product-card.module.css";

interface ProductCardProps {
  hit: Hit;
  /** The list this card is part of; opening the product says so to the server. */
  requestId: string;
  /** What the list was asked with, for "Why this?". */
  question: Question;
  /** A few words on why it is here. */
  note?: string | null;
  isEager?: boolean;
}

/** The brand; the narrowest category where the title already begins with the brand. */
function eyebrowOf({ brand, category, title }: Item): string | null {
  const isInTitle = brand !== null && title.toLowerCase().startsWith(brand.toLowerCase());
  return brand !== null && !isInTitle ? brand : (categoryLevels(category).at(-1) ?? brand);
}

/** One product of a list. The whole card is the link; its name is the title. */
export function ProductCard({
  hit: { item },
  requestId,
  question,
  note = null,
  isEager = false,
}: ProductCardProps) {
  const eyebrow = eyebrowOf(item);
  return (
    <article className={styles.card}>
      <div className={styles.picture}>
        <Picture item={item} alt="" isEager={isEager} />
        {note !== null && <span className={styles.note}>{note}</span>}
      </div>
      <div className={styles.text}>
        {eyebrow !== null && <p className={styles.brand}>{eyebrow}</p>}
        <h3 className={styles.title}>
          <Link
            to="/product/$itemId"
            params={{ itemId: item.item_id }}
            state={{ requestId, question }}
            className={styles.link}
          >
            {item.title}
          </Link>
        </h3>
        <p className={styles.facts}>
          <Price price={item.price} />
          <Rating rating={item.rating} />
          {item.in_stock === false && <Stock inStock={false} />}
        </p>
        <Why question={question} item={item} className={styles.why} />
      </div>
    </article>
  );
}
