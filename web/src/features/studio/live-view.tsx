import { useState } from "react";
import type { AdminApi } from "@/api/admin";
import { Failure } from "@/components/ui/state";
import { formatCount } from "@/lib/format";
import { latenciesOf, readSamples, sumsBy } from "./counters";
import styles from "./live-view.module.css";
import { ReleasesPanel } from "./releases-panel";
import { useMetrics } from "./use-studio";

interface Numbers {
  at: number;
  requests: number;
}

/** Requests in each second since the last look. */
function useRate(now: Numbers): number | null {
  const [looks, setLooks] = useState<[Numbers | null, Numbers]>([null, now]);
  const [before, last] = looks;
  if (now.at !== last.at) setLooks([last, now]);
  if (before === null) return null;
  return (last.requests - before.requests) / ((last.at - before.at) / 1_000);
}

function sum(counts: Iterable<number>): number {
  return [...counts].reduce((all, one) => all + one, 0);
}

function formatMs(ms: number): string {
  return Number.isFinite(ms) ? `≤ ${ms.toLocaleString("en")} ms` : "> 5 s";
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className={styles.figure}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Counters({ text, at }: { text: string; at: number }) {
  const samples = readSamples(text);
  const statuses = sumsBy(samples, "twotower_requests_total", "status");
  const requests = sum(statuses.values());
  const failed = sum([...statuses].filter(([status]) => status >= "500").map(([, n]) => n));
  const events = sumsBy(samples, "twotower_events_total", "verdict");
  const fallbacks = sumsBy(samples, "twotower_fallbacks_total", "fallback");
  const rate = useRate({ at, requests });
  const latencies = latenciesOf(samples);
  return (
    <>
      <dl className={styles.figures}>
        <Figure name="Requests since the start" value={formatCount(requests)} />
        <Figure name="Requests each second" value={rate === null ? "…" : rate.toFixed(1)} />
        <Figure name="Server errors" value={formatCount(failed)} />
        <Figure name="Events accepted" value={formatCount(events.get("accepted") ?? 0)} />
        <Figure name="Events rejected" value={formatCount(events.get("rejected") ?? 0)} />
        <Figure name="Answers by a simpler method" value={formatCount(sum(fallbacks.values()))} />
      </dl>
      <section className={styles.section} aria-labelledby="latency-title">
        <h2 id="latency-title" className={styles.title}>
          Latency by stage
        </h2>
        {latencies.length === 0 && <p>No list of products was asked for since the start.</p>}
        <div className={styles.scroll} hidden={latencies.length === 0}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Route</th>
                <th scope="col">Stage</th>
                <th scope="col">Answers</th>
                <th scope="col">Half of them</th>
                <th scope="col">95 %</th>
              </tr>
            </thead>
            <tbody>
              {latencies.map(({ route, stage, n, p50, p95 }) => (
                <tr key={`${route} ${stage}`}>
                  <th scope="row">{route}</th>
                  <td>{stage}</td>
                  <td>{formatCount(n)}</td>
                  <td>{formatMs(p50)}</td>
                  <td>{formatMs(p95)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </>
  );
}

/** What the server does now: its counters, asked every two seconds, and its releases. */
export function LiveView({ admin }: { admin: AdminApi }) {
  const metrics = useMetrics(admin);
  return (
    <div className={styles.live}>
      {metrics.error && <Failure error={metrics.error} onRetry={() => void metrics.refetch()} />}
      {metrics.data !== undefined && <Counters {...metrics.data} />}
      <ReleasesPanel admin={admin} />
    </div>
  );
}
