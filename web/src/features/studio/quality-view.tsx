import { useState } from "react";
import { IntervalPlot } from "./interval-plot";
import { Pick } from "./pick";
import styles from "./quality-view.module.css";
import { inWords, METRICS, type Report, slicesOf, systemsOf } from "./report";

function Verdict({ report, version }: { report: Report; version: string }) {
  const { promoted, sentence } = report.verdict;
  return (
    <section className={promoted ? styles.verdict : styles.refused} aria-label="Verdict">
      <p>{sentence}</p>
      <p className={styles.origin}>
        Bundle {version}, measured {report.created.slice(0, 10)}
        {report.commit !== null && ` at ${report.commit}`}
        {report.command !== null && (
          <>
            {" by "}
            <code>{report.command}</code>
          </>
        )}
      </p>
    </section>
  );
}

function Task({ report, task }: { report: Report; task: string }) {
  const [metric, setMetric] = useState<string>(METRICS[0]);
  const [slice, setSlice] = useState("all");
  const systems = systemsOf(report, task);
  const rows = systems.flatMap((system) => {
    const measured = system.slices[slice]?.[metric];
    return measured === undefined ? [] : [{ system, measured }];
  });
  const told = report.tasks[task];
  return (
    <section className={styles.task} aria-label={inWords(task)}>
      <div className={styles.head}>
        <h2 className={styles.title}>{inWords(task)}</h2>
        <Pick label="Metric" value={metric} options={METRICS} onPick={setMetric} />
        <Pick label="Slice" value={slice} options={slicesOf(systems)} onPick={setSlice} />
      </div>
      {rows.length === 0 ? (
        <p>Not measured on this slice.</p>
      ) : (
        <>
          <IntervalPlot rows={rows} metric={metric} />
          <p className={styles.origin}>{rows[0]?.measured.n} cases of the held-out test split.</p>
        </>
      )}
      {told?.health !== undefined && <p>{told.health.sentence}</p>}
      {told?.relevance != null && (
        <p>
          A stated relevance is off by {told.relevance.ece.toFixed(3)} on average (expected
          calibration error).
        </p>
      )}
    </section>
  );
}

/** The evaluation report of the bundle that answers. */
export function QualityView({ report, version }: { report: Report; version: string }) {
  return (
    <div className={styles.quality}>
      <Verdict report={report} version={version} />
      {Object.keys(report.tasks).map((task) => (
        <Task key={task} report={report} task={task} />
      ))}
    </div>
  );
}
