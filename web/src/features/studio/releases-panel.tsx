import type { AdminApi } from "@/api/admin";
import { ApiError } from "@/api/http";
import { Button } from "@/components/ui/button";
import { Failure } from "@/components/ui/state";
import styles from "./releases-panel.module.css";
import { useReleases } from "./use-studio";

function Changed({ change }: { change: ReturnType<typeof useReleases>["change"] }) {
  if (change.isIdle) return <p role="status" />;
  if (change.error !== null) {
    const why = change.error instanceof ApiError ? change.error.detail : change.error.message;
    return (
      <p role="alert" className={styles.refused}>
        Nothing has changed: {why}
      </p>
    );
  }
  return (
    <p role="status">
      {change.isPending
        ? "Opening it beside the one that answers, and asking it questions"
        : `${change.data?.current} answers now.`}
    </p>
  );
}

const CONFLICT = 409;

/** Where there is only one bundle that is no failure: the server says what to do for more. */
function Untold({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const isOnlyOne = error instanceof ApiError && error.status === CONFLICT;
  return isOnlyOne ? <p>{error.detail}</p> : <Failure error={error} onRetry={onRetry} />;
}

/** The bundles that can answer: which one does, promotion, and the way back. */
export function ReleasesPanel({ admin }: { admin: AdminApi }) {
  const { releases, change } = useReleases(admin);
  const told = releases.data;
  return (
    <section className={styles.panel} aria-labelledby="releases-title">
      <h2 id="releases-title" className={styles.title}>
        Versions
      </h2>
      {releases.error && <Untold error={releases.error} onRetry={() => void releases.refetch()} />}
      {told !== undefined && (
        <ul className={styles.releases}>
          {told.releases.toReversed().map((name) => (
            <li key={name} className={styles.release}>
              <span className={styles.name}>{name}</span>
              {name === told.current ? (
                <>
                  <span className={styles.badge}>answers</span>
                  {told.previous !== null && (
                    <Button
                      disabled={change.isPending}
                      onClick={() => change.mutate({ name, deed: "rollback" })}
                    >
                      Roll back to {told.previous}
                    </Button>
                  )}
                </>
              ) : (
                <Button
                  disabled={change.isPending}
                  aria-label={`Promote ${name}`}
                  onClick={() => change.mutate({ name, deed: "promote" })}
                >
                  Promote
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      <Changed change={change} />
    </section>
  );
}
