import styles from "./interval-plot.module.css";
import { inWords, type Measured, type System } from "./report";

interface Row {
  system: System;
  measured: Measured;
}

function formatScore(score: number): string {
  return score.toFixed(4);
}

/** Means with their 95 % intervals in one scale from zero, as a table whose last column is drawn. */
export function IntervalPlot({ rows, metric }: { rows: readonly Row[]; metric: string }) {
  const most = Math.max(...rows.map(({ measured }) => measured.high), Number.EPSILON);
  const share = (score: number) => `${(Math.max(0, score) / most) * 100}%`;
  return (
    <table className={styles.plot}>
      <thead>
        <tr>
          <th scope="col">System</th>
          <th scope="col" className={styles.number}>
            {metric}
          </th>
          <th scope="col">95 % interval</th>
          <td className={styles.drawn} />
        </tr>
      </thead>
      <tbody>
        {rows.map(({ system: { name, role }, measured: { mean, low, high, n } }) => (
          <tr key={`${role} ${name}`} className={styles[role]}>
            <th scope="row">
              {inWords(name)}
              {role === "served" && <span className={styles.badge}>served</span>}
            </th>
            <td className={styles.number}>{formatScore(mean)}</td>
            <td className={styles.interval}>
              {formatScore(low)} to {formatScore(high)}
              <span className="visually-hidden"> over {n} cases</span>
            </td>
            <td className={styles.drawn} aria-hidden="true">
              <span className={styles.track}>
                <span
                  className={styles.whisker}
                  style={{ left: share(low), width: share(high - low) }}
                />
                <span className={styles.mean} style={{ left: share(mean) }} />
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
