import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useApi } from "@/api/context";
import { statsQuery } from "@/api/queries";
import type { StatsReply } from "@/api/types";
import { SearchBox } from "@/features/search/search-box";
import { useExampleVisitors } from "@/features/visitor/use-visitors";
import { VisitorSwitcher } from "@/features/visitor/visitor-switcher";
import { plural } from "@/lib/format";
import { useOnline } from "@/lib/online";
import styles from "./shell.module.css";
import { useVisitor } from "./use-visitor";

function Wordmark() {
  return (
    <Link to="/" className={styles.wordmark} aria-label="twotower, home">
      <svg aria-hidden="true" focusable="false" width="26" height="26" viewBox="0 0 26 26">
        <rect x="3" y="9" width="8" height="15" rx="2" fill="currentColor" />
        <rect x="15" y="2" width="8" height="22" rx="2" fill="currentColor" />
      </svg>
      <span className={styles.name}>twotower</span>
    </Link>
  );
}

function Header({ isHome }: { isHome: boolean }) {
  const navigate = useNavigate();
  const visitor = useVisitor();
  const { pathname } = useLocation();
  const { q = "" } = useSearch({ strict: false });
  const onSwitch = (id: string) => {
    // Opening a product is an event of the one who opens it, so a switch leaves that page.
    const stays = pathname === "/search";
    void navigate(
      stays
        ? { to: "/search", search: (before) => ({ ...before, visitor: id }) }
        : { to: "/", search: { visitor: id } },
    );
  };
  return (
    <header className={styles.header}>
      <div className={styles.bar}>
        <Wordmark />
        {!isHome && (
          <div className={styles.search}>
            <SearchBox
              query={q}
              onSearch={(words) => void navigate({ to: "/search", search: { q: words } })}
            />
          </div>
        )}
        <div className={styles.visitor}>
          <VisitorSwitcher visitor={visitor} examples={useExampleVisitors()} onSwitch={onSwitch} />
        </div>
      </div>
    </header>
  );
}

function Footer({ stats }: { stats: StatsReply | undefined }) {
  if (stats === undefined) return <footer className={styles.footer} />;
  return (
    <footer className={styles.footer}>
      <p>
        {plural(stats.items, "product")}
        {stats.users > 0 && `, learned from ${plural(stats.users, "shopper")}`}
      </p>
      <p>
        Bundle {stats.bundle_version} · <Link to="/studio">Studio</Link>
      </p>
    </footer>
  );
}

/** Moves the keyboard to the new page's content, as a page load would. */
function useFocusOnPage(pathname: string) {
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}

/** What every page shares: the notices, the header, the footer. */
export function Shell() {
  const { pathname } = useLocation();
  const stats = useQuery(statsQuery(useApi())).data;
  const main = useFocusOnPage(pathname);
  const isOnline = useOnline();
  return (
    <div className={styles.shell}>
      <a href="#content" className={styles.skip}>
        Skip to content
      </a>
      {stats?.synthetic === true && (
        <p className={styles.synthetic}>Synthetic demo shop: everything in it is made up.</p>
      )}
      {!isOnline && (
        <p className={styles.offline} role="alert">
          You are offline. The shop answers again when the connection is back.
        </p>
      )}
      <Header isHome={pathname === "/"} />
      <main id="content" className={styles.main} tabIndex={-1} ref={main}>
        <Outlet />
      </main>
      <Footer stats={stats} />
    </div>
  );
}
