import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { CrossIcon } from "@/components/ui/icons";
import styles from "./sheet.module.css";

interface PanelProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Stays in sight at the lower edge. */
  foot?: ReactNode;
}

/**
 * A panel over the page: from below on a phone, from the side on a desktop.
 *
 * A native modal dialog: the keyboard stays inside, Escape closes it, and the focus goes back to
 * what opened it. A click beside it closes it too.
 */
export function Sheet({ isOpen, ...panel }: PanelProps & { isOpen: boolean }) {
  return isOpen ? <Panel {...panel} /> : null;
}

function Panel({ title, onClose, children, foot }: PanelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // As layout: only a dialog that is still on the page gives the focus back.
  useLayoutEffect(() => {
    const node = dialog.current;
    node?.showModal();
    return () => node?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the key for it, and the browser's
    <dialog
      ref={dialog}
      className={styles.sheet}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div className={styles.inside}>
        <div className={styles.head}>
          <h2 id={titleId} className={styles.title}>
            {title}
          </h2>
          <button type="button" className={styles.close} onClick={onClose} aria-label="Close">
            <CrossIcon />
          </button>
        </div>
        <div className={styles.body}>{children}</div>
        {foot !== undefined && <div className={styles.foot}>{foot}</div>}
      </div>
    </dialog>
  );
}
