import type { ReportReply } from "@/api/types";

/** A mean with its 95 % interval, over so many cases. */
export interface Measured {
  mean: number;
  low: number;
  high: number;
  n: number;
}

type Slices = Record<string, Record<string, Measured>>;

interface RawTask {
  served: string;
  metrics?: Slices;
  variants: Record<string, Slices>;
  baselines?: Record<string, Slices>;
  health?: { state: string; sentence: string };
  relevance?: { ece: number } | null;
}

/** The report of a bundle, as far as the studio reads it. */
export interface Report {
  created: string;
  commit: string | null;
  command: string | null;
  verdict: { promoted: boolean; sentence: string };
  headline: { task: string };
  metrics: Slices;
  baselines: Record<string, Slices>;
  tasks: Record<string, RawTask>;
}

export interface System {
  name: string;
  role: "served" | "ours" | "baseline";
  slices: Slices;
}

export const METRICS = ["ndcg@10", "recall@10", "recall@100", "mrr", "coverage@10"] as const;

export function reportOf(reply: ReportReply): Report {
  return reply.report as unknown as Report;
}

/** Every system of a task: what is served first, then ours, then what they have to beat. */
export function systemsOf(report: Report, task: string): System[] {
  const told = report.tasks[task];
  if (told === undefined) return [];
  const isHeadline = report.headline.task === task;
  const own = { model: isHeadline ? report.metrics : (told.metrics ?? {}), ...told.variants };
  const baselines = isHeadline ? report.baselines : (told.baselines ?? {});
  const ours = Object.entries(own).map(
    ([name, slices]): System => ({ name, role: name === told.served ? "served" : "ours", slices }),
  );
  return [
    ...ours.toSorted((a, b) => Number(b.role === "served") - Number(a.role === "served")),
    ...Object.entries(baselines).map(
      ([name, slices]): System => ({ name, role: "baseline", slices }),
    ),
  ];
}

/** The slices that the served system was measured on, `all` first. */
export function slicesOf(systems: readonly System[]): string[] {
  return Object.keys(systems[0]?.slices ?? {});
}

/** A name of the report in words: `history_1-2` is "history 1-2". */
export function inWords(name: string): string {
  return name.replaceAll("_", " ");
}
