import { useState } from "react";
import { Button } from "@/components/ui/button";
import { FilterIcon } from "@/components/ui/icons";
import { Sheet } from "@/components/ui/sheet";
import { plural } from "@/lib/format";
import type { Refinement } from "@/lib/refinement";
import { chipsOf } from "./chips";
import styles from "./filter-sheet.module.css";
import { FilterGroups, type RefineProps } from "./refine-panel";

function countOf(refinement: Refinement): number {
  return chipsOf(refinement).filter(({ text }) => text !== "Clear all").length;
}

/** The filters where there is no room beside the list: a button, and a sheet over the page. */
export function FilterSheet({ total, ...refine }: RefineProps & { total: number }) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const count = countOf(refine.refinement);
  return (
    <>
      <Button className={styles.button} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <FilterIcon />
        Filters
        {count > 0 && <span className={styles.count}>{count}</span>}
      </Button>
      <Sheet
        title="Filters"
        isOpen={isOpen}
        onClose={close}
        foot={
          <Button weight="primary" onClick={close}>
            Show {plural(total, "product")}
          </Button>
        }
      >
        <FilterGroups {...refine} />
      </Sheet>
    </>
  );
}
