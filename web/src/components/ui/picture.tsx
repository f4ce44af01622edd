import { useState } from "react";
import type { Item } from "@/api/types";
import { categoryLevels } from "@/lib/format";
import styles from "./picture.module.css";

const TINTS = ["tint1", "tint2", "tint3", "tint4"] as const;

/** The same words get the same tint, everywhere and always. */
function tintOf(words: string): (typeof TINTS)[number] {
  let sum = 0;
  for (const letter of words) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return TINTS[sum % TINTS.length] ?? "tint1";
}

/** Two letters that stand for a title. */
export function monogram(title: string): string {
  const words = title.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toLocaleUpperCase("en") ?? "")
    .join("");
}

function Tile({ item }: { item: Item }) {
  const label = categoryLevels(item.category)[0] ?? "";
  return (
    <span className={`${styles.tile} ${styles[tintOf(label || item.title)]}`} aria-hidden="true">
      <span className={styles.monogram}>{monogram(item.title) || "·"}</span>
      {label !== "" && <span className={styles.label}>{label}</span>}
    </span>
  );
}

interface PictureProps {
  item: Item;
  /** Describes the picture; empty where the title stands beside it. */
  alt: string;
  isEager?: boolean;
}

/**
 * An item's picture, or a calm tile with its letters where there is none.
 *
 * Pictures of other hosts are not loaded: the page talks to its own server only.
 */
export function Picture({ item, alt, isEager = false }: PictureProps) {
  const [failed, setFailed] = useState<string | null>(null);
  const { image } = item;
  const ours = image?.startsWith("/") && !image.startsWith("//") ? image : null;
  return (
    <span className={styles.frame}>
      {ours !== null && failed !== ours ? (
        <img
          className={styles.image}
          src={ours}
          alt={alt}
          width={400}
          height={400}
          loading={isEager ? "eager" : "lazy"}
          decoding="async"
          onError={() => setFailed(ours)}
        />
      ) : (
        <Tile item={item} />
      )}
    </span>
  );
}
