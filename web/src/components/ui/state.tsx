import type { ReactNode } from "react";
import { ApiError, UnreachableError } from "@/api/http";
import { Button } from "@/components/ui/button";
import { useOnline } from "@/lib/online";
import styles from "./state.module.css";

interface Words {
  title: string;
  detail: string;
  reference: string | null;
}

function wordsFor(error: Error, isOnline: boolean): Words {
  if (error instanceof ApiError) {
    return { title: error.message, detail: error.detail, reference: error.requestId };
  }
  if (error instanceof UnreachableError) {
    const detail = isOnline
      ? "The server did not answer. It may be starting, or stopped."
      : "This device is offline. What you already opened stays readable.";
    return { title: error.message, detail, reference: null };
  }
  return { title: "Something went wrong", detail: error.message, reference: null };
}

/** An answer that did not come: what happened, and the way on. */
export function Failure({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const { title, detail, reference } = wordsFor(error, useOnline());
  return (
    <div className={`${styles.state} ${styles.failure}`} role="alert">
      <p className={styles.title}>{title}</p>
      {detail !== "" && <p className={styles.detail}>{detail}</p>}
      {reference !== null && <p className={styles.reference}>Reference {reference}</p>}
      <div className={styles.actions}>
        <Button onClick={onRetry}>Try again</Button>
      </div>
    </div>
  );
}

/** Nothing to show, and what to do about it. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={styles.state}>
      <p className={styles.title}>{title}</p>
      <div className={styles.detail}>{children}</div>
    </div>
  );
}

/** A line about how an answer came about, when it is not the usual way. */
export function Notice({ children }: { children: ReactNode }) {
  return <p className={styles.notice}>{children}</p>;
}
