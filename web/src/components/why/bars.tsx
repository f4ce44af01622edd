import styles from "./bars.module.css";
import type { Part } from "./reasons";

interface BarsProps {
  label: string;
  parts: readonly Part[];
  format: (part: Part) => string;
}

/** Parts as bars from a common zero, all in one scale; what takes away goes to the left. */
export function Bars({ label, parts, format }: BarsProps) {
  const values = parts.map(({ value }) => value);
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const share = (length: number) => `${(length / (most - least || 1)) * 100}%`;
  return (
    <ul className={styles.bars} aria-label={label}>
      {parts.map((part) => (
        <li key={part.key} className={styles.part}>
          <span className={styles.name}>{part.name}</span>
          <span className={styles.value}>{format(part)}</span>
          <span className={styles.track} aria-hidden="true">
            <span
              className={part.value < 0 ? styles.less : styles.more}
              style={{
                marginInlineStart: share(Math.min(0, part.value) - least),
                width: share(Math.abs(part.value)),
              }}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}
