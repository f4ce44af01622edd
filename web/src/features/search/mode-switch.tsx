import type { Mode } from "@/lib/url-state";
import styles from "./mode-switch.module.css";

const CHOICES: readonly { mode: Mode; label: string }[] = [
  { mode: "hybrid", label: "Both" },
  { mode: "lexical", label: "Words" },
  { mode: "semantic", label: "Meaning" },
];

/** Chooses how products are found. Native radio buttons: arrow keys move between them. */
export function ModeSwitch({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) {
  return (
    <fieldset className={styles.switch}>
      <legend className={styles.legend}>Match by</legend>
      <div className={styles.choices}>
        {CHOICES.map((choice) => (
          <label key={choice.mode} className={styles.choice}>
            <input
              className={styles.radio}
              type="radio"
              name="mode"
              value={choice.mode}
              checked={mode === choice.mode}
              onChange={() => onChange(choice.mode)}
            />
            <span className={styles.text}>{choice.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
