import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useApi } from "@/api/context";
import { statsQuery } from "@/api/queries";
import type { StatsReply } from "@/api/types";
import { ForYouView } from "@/features/for-you/for-you-view";
import { useForYou } from "@/features/for-you/use-for-you";
import { SearchBox } from "@/features/search/search-box";
import { ShelfView } from "@/features/shelf/shelf-view";
import { useShelf } from "@/features/shelf/use-shelf";
import { TrailStrip } from "@/features/visitor/trail-strip";
import { useLiveTrail } from "@/features/visitor/use-visitors";
import { categoryLevels, formatCount } from "@/lib/format";
import { useVisitor } from "../use-visitor";
import styles from "./home.module.css";

/** The widest categories as starting points; a shop without categories has none. */
function Departments({ stats }: { stats: StatsReply | undefined }) {
  const names = (stats?.top_categories ?? []).map(
    ({ name }) => categoryLevels(name).at(-1) ?? name,
  );
  const some = [...new Set(names)].slice(0, 5);
  if (some.length === 0) return null;
  return (
    <ul className={styles.departments} aria-label="Departments">
      {some.map((name) => (
        <li key={name}>
          <Link to="/search" search={{ q: name }} className={styles.department}>
            {name}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Hero({ stats }: { stats: StatsReply | undefined }) {
  const navigate = useNavigate();
  return (
    <section className={styles.hero} aria-labelledby="hero-title">
      <h1 id="hero-title" className={styles.title}>
        Say it your way.
        <br />
        We find what fits.
      </h1>
      <div className={styles.ask}>
        <SearchBox
          query=""
          size="large"
          onSearch={(q) => void navigate({ to: "/search", search: { q } })}
        />
        <p className={styles.under}>
          {stats === undefined
            ? "Products found by their words and by what they mean."
            : `${formatCount(stats.items)} products, found by their words and by what they mean.`}
        </p>
        <Departments stats={stats} />
      </div>
    </section>
  );
}

export function HomePage() {
  const visitor = useVisitor();
  const stats = useQuery(statsQuery(useApi())).data;
  const forYou = useForYou(visitor);
  const trail = useLiveTrail(visitor);
  const trending = useShelf("trending", visitor);
  const newest = useShelf("newest", visitor);
  return (
    <>
      <title>twotower shop</title>
      <Hero stats={stats} />
      <ForYouView forYou={forYou}>
        <TrailStrip trail={trail} now={Date.now()} />
      </ForYouView>
      <ShelfView
        title="Trending"
        about="What most visitors were at in the last seven days."
        shelf={trending}
      />
      <ShelfView title="New" about="What came on sale last." shelf={newest} />
    </>
  );
}
