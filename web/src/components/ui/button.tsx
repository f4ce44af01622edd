import type { ButtonHTMLAttributes } from "react";
import styles from "./button.module.css";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** The one thing to do here, or one of several. */
  weight?: "primary" | "secondary";
}

export function Button({ weight = "secondary", className = "", ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} className={`${styles.button} ${styles[weight]} ${className}`} />
  );
}
