import { type FormEvent, type ReactNode, useState } from "react";
import type { AdminApi } from "@/api/admin";
import { ApiError } from "@/api/http";
import { Button } from "@/components/ui/button";
import { Failure } from "@/components/ui/state";
import type { StudioView } from "@/lib/url-state";
import { LiveView } from "./live-view";
import { ProductsView } from "./products-view";
import { QualityView } from "./quality-view";
import { reportOf } from "./report";
import styles from "./studio.module.css";
import { useAdmin, useReport, useStudioKey } from "./use-studio";

function KeyForm({ wasWrong, onKey }: { wasWrong: boolean; onKey: (key: string) => void }) {
  const [typed, setTyped] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onKey(typed.trim());
  };
  return (
    <form className={styles.keyForm} onSubmit={submit}>
      <p>This shop asks for a key of the scope “admin”. It is forgotten with this tab.</p>
      <label className={styles.key}>
        Admin key
        <input
          type="password"
          autoComplete="off"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </label>
      {wasWrong && <p role="alert">The shop does not take this key for the studio.</p>}
      <Button weight="primary" type="submit" disabled={typed.trim() === ""}>
        Open the studio
      </Button>
    </form>
  );
}

function Inside({
  view,
  admin,
  quality,
}: {
  view: StudioView;
  admin: AdminApi;
  quality: ReactNode;
}) {
  if (view === "live") return <LiveView admin={admin} />;
  if (view === "products") return <ProductsView admin={admin} />;
  return quality;
}

/** What engineers look at: quality, the live server, products. `tabs` leads from one to another. */
export function Studio({ view, tabs }: { view: StudioView; tabs: ReactNode }) {
  const [key, setKey] = useStudioKey();
  const admin = useAdmin(key);
  const report = useReport(admin, key);
  const { error } = report;
  const isLockedOut = error instanceof ApiError && (error.status === 401 || error.status === 403);
  const isOpen = report.data !== undefined;
  return (
    <div className={styles.studio}>
      <h1 className={styles.title}>Studio</h1>
      {isLockedOut && <KeyForm wasWrong={key !== ""} onKey={setKey} />}
      {error && !isLockedOut && <Failure error={error} onRetry={() => void report.refetch()} />}
      {report.isPending && <p role="status">Opening the studio</p>}
      {isOpen && tabs}
      {isOpen && (
        <Inside
          view={view}
          admin={admin}
          quality={
            <QualityView report={reportOf(report.data)} version={report.data.bundle_version} />
          }
        />
      )}
    </div>
  );
}
