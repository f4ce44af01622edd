/** One line of Prometheus' text format. */
interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^(\w+)(?:\{(.*)\})? ([^ ]+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Reads Prometheus' text format; comments and what cannot be read are left out. */
export function readSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const read = LINE.exec(line);
    if (read === null || line.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] = read;
    const pairs = [...labels.matchAll(LABEL)].map(([, key = "", held = ""]) => [key, held]);
    const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
    samples.push({ name, labels: Object.fromEntries(pairs), value: number });
  }
  return samples;
}

/** The sum of a counter by one of its labels. */
export function sumsBy(samples: readonly Sample[], name: string, label: string) {
  const sums = new Map<string, number>();
  for (const one of samples) {
    if (one.name !== name) continue;
    const key = one.labels[label] ?? "";
    sums.set(key, (sums.get(key) ?? 0) + one.value);
  }
  return sums;
}

export interface Latency {
  route: string;
  stage: string;
  n: number;
  /** Milliseconds below which half, and 95 % of the answers stayed; at most the bucket's end. */
  p50: number;
  p95: number;
}

/** The upper end of the bucket in which a quantile lies, in milliseconds. */
function quantile(buckets: readonly (readonly [number, number])[], share: number): number {
  const n = buckets.at(-1)?.[1] ?? 0;
  const [end = Number.NaN] = buckets.find(([, count]) => count >= share * n) ?? [];
  return end * 1_000;
}

/** Time by route and stage, from the histogram of the stages. */
export function latenciesOf(samples: readonly Sample[]): Latency[] {
  const histograms = new Map<string, [number, number][]>();
  for (const { name, labels, value } of samples) {
    if (name !== "twotower_stage_seconds_bucket") continue;
    const key = `${labels.route} ${labels.stage}`;
    const end = labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le);
    histograms.set(key, [...(histograms.get(key) ?? []), [end, value]]);
  }
  return [...histograms]
    .map(([key, buckets]) => {
      const [route = "", stage = ""] = key.split(" ");
      const n = buckets.at(-1)?.[1] ?? 0;
      return { route, stage, n, p50: quantile(buckets, 0.5), p95: quantile(buckets, 0.95) };
    })
    .toSorted((a, b) => a.route.localeCompare(b.route) || b.p95 - a.p95);
}
