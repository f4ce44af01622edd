import { Link, useSearch } from "@tanstack/react-router";
import { Studio } from "@/features/studio/studio";
import { STUDIO_VIEWS, type StudioView } from "@/lib/url-state";
import styles from "./studio.module.css";

const NAMES: Record<StudioView, string> = {
  quality: "Quality",
  live: "Live",
  products: "Products",
};

function Tabs() {
  return (
    <nav aria-label="Studio">
      <ul className={styles.tabs}>
        {STUDIO_VIEWS.map((one) => (
          <li key={one}>
            <Link
              to="/studio"
              search={one === "quality" ? {} : { view: one }}
              className={styles.tab}
              activeOptions={{ exact: true, includeSearch: true }}
            >
              {NAMES[one]}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

export function StudioPage() {
  const { view = "quality" } = useSearch({ from: "/studio" });
  return (
    <>
      <title>{`${NAMES[view]} · twotower studio`}</title>
      <Studio view={view} tabs={<Tabs />} />
    </>
  );
}
