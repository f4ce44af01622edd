import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Kind, PastEvent } from "@/api/types";
import { BagIcon, CheckIcon, EyeIcon, StarIcon } from "@/components/ui/icons";
import { formatAgo, plural } from "@/lib/format";
import styles from "./trail-strip.module.css";
import type { Trail } from "./use-visitors";

const DEEDS: Record<Kind, { word: string; icon: ReactNode }> = {
  view: { word: "Viewed", icon: <EyeIcon /> },
  cart: { word: "Added to cart", icon: <BagIcon /> },
  purchase: { word: "Bought", icon: <CheckIcon /> },
  review: { word: "Reviewed", icon: <StarIcon /> },
};

const SHOWN = 10;

interface Numbered {
  event: PastEvent;
  /** Counts from the visitor's first event, so it stays when newer ones arrive. */
  number: number;
}

function Step({ event, now }: { event: PastEvent; now: number }) {
  const { word, icon } = DEEDS[event.event];
  const ago = formatAgo(event.time, now);
  return (
    <Link to="/product/$itemId" params={{ itemId: event.item_id }} className={styles.step}>
      <span className={styles.icon}>{icon}</span>
      <span className={styles.words}>
        <span className={styles.deed}>
          {word}
          {ago !== null && `, ${ago}`}
        </span>
        <span className={styles.title}>{event.title}</span>
      </span>
    </Link>
  );
}

/** What this visitor did last, newest first: the history behind the recommendations. */
export function TrailStrip({ trail, now }: { trail: Trail | null; now: number }) {
  if (trail === null || trail.recent.length === 0) return null;
  const steps: Numbered[] = trail.recent
    .slice(0, SHOWN)
    .map((event, place) => ({ event, number: trail.nEvents - place }));
  return (
    <section className={styles.strip} aria-label="Recent events of this visitor">
      <p className={styles.head}>
        {trail.nEvents > steps.length
          ? `Latest ${steps.length} of ${plural(trail.nEvents, "event")}`
          : "Recent events"}
      </p>
      <ol className={styles.steps}>
        {steps.map(({ event, number }) => (
          <li key={number}>
            <Step event={event} now={now} />
          </li>
        ))}
      </ol>
    </section>
  );
}
