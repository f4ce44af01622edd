import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { AdminApi, ProductChange } from "@/api/admin";
import { useApi } from "@/api/context";

const KEPT_AS = "twotower.studio-key";
const LIVE_MS = 2_000;

/** The admin key, kept until the tab is closed and nowhere else. */
export function useStudioKey(): [string, (key: string) => void] {
  const [key, setKey] = useState(() => sessionStorage.getItem(KEPT_AS) ?? "");
  const keep = (given: string) => {
    sessionStorage.setItem(KEPT_AS, given);
    setKey(given);
  };
  return [key, keep];
}

export function useAdmin(key: string): AdminApi {
  const api = useApi();
  return useMemo(() => api.admin(key), [api, key]);
}

/** Whether the shop lets this key in: it asks for what only `admin` may see. */
export function useReport(admin: AdminApi, key: string) {
  return useQuery({ queryKey: ["studio", key, "report"], queryFn: () => admin.report() });
}

export function useMetrics(admin: AdminApi) {
  return useQuery({
    queryKey: ["studio", "metrics"],
    queryFn: async () => ({ at: Date.now(), text: await admin.metrics() }),
    refetchInterval: LIVE_MS,
    gcTime: 0,
  });
}

export function useReleases(admin: AdminApi) {
  const client = useQueryClient();
  const releases = useQuery({
    queryKey: ["studio", "releases"],
    queryFn: () => admin.releases(),
    retry: false,
  });
  const change = useMutation({
    mutationFn: ({ name, deed }: { name: string; deed: "promote" | "rollback" }) =>
      admin[deed](name),
    // Another bundle answers everything differently.
    onSuccess: () => client.invalidateQueries(),
  });
  return { releases, change };
}

/** Products found, the ids of hidden ones, and what can be done with them. */
export function useProducts(admin: AdminApi, query: string) {
  const client = useQueryClient();
  const found = useQuery({
    queryKey: ["studio", "products", query],
    queryFn: async () => (await admin.find(query)).hits.map((hit) => hit.item),
    enabled: query !== "",
  });
  const hidden = useQuery({
    queryKey: ["studio", "hidden"],
    queryFn: () => admin.hidden(),
    // Other tabs hide too, and another server of the shop may have answered before it knew.
    refetchInterval: LIVE_MS,
  });
  const onSuccess = () => client.invalidateQueries();
  const change = useMutation({
    mutationFn: ({ itemId, to }: { itemId: string; to: ProductChange }) => admin.change(itemId, to),
    onSuccess,
  });
  const hide = useMutation({ mutationFn: (itemId: string) => admin.hide(itemId), onSuccess });
  const show = useMutation({ mutationFn: (itemId: string) => admin.show(itemId), onSuccess });
  return { found, hidden, change, hide, show };
}

/** What a hidden product is called: its id until it is known, or where it is gone. */
export function useTitle(admin: AdminApi, itemId: string): string {
  const product = useQuery({
    queryKey: ["studio", "product", itemId],
    queryFn: async () => (await admin.product(itemId)).item,
  });
  return product.data?.title ?? itemId;
}
