import styles from "./pick.module.css";
import { inWords } from "./report";

interface PickProps {
  label: string;
  value: string;
  options: readonly string[];
  onPick: (value: string) => void;
}

/** One of several names. */
export function Pick({ label, value, options, onPick }: PickProps) {
  return (
    <label className={styles.pick}>
      {label}
      <select
        className={styles.select}
        value={value}
        onChange={(event) => onPick(event.target.value)}
      >
        {options.map((one) => (
          <option key={one} value={one}>
            {inWords(one)}
          </option>
        ))}
      </select>
    </label>
  );
}
