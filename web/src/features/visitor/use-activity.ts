import { useCallback, useEffect, useRef, useState } from "react";

const ACTIVE_MS = 60_000;
/** Coming back to the tab is a deed too. */
const DEEDS = ["pointerdown", "keydown", "wheel", "visibilitychange"] as const;

/**
 * Whether something was done in the last minute, and what to call when something was.
 *
 * Opening the page counts, and so does every key and click in it.
 */
export function useActivity(): [boolean, () => void] {
  const [isActive, setActive] = useState(true);
  const end = useRef<ReturnType<typeof setTimeout>>(undefined);
  const onDeed = useCallback(() => {
    clearTimeout(end.current);
    end.current = setTimeout(() => setActive(false), ACTIVE_MS);
    setActive(true);
  }, []);
  useEffect(() => {
    onDeed();
    for (const deed of DEEDS) window.addEventListener(deed, onDeed, { passive: true });
    return () => {
      clearTimeout(end.current);
      for (const deed of DEEDS) window.removeEventListener(deed, onDeed);
    };
  }, [onDeed]);
  return [isActive, onDeed];
}
