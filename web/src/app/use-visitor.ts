import { useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { newVisitorId, rememberedVisitor, type Visitor, visitorFrom } from "@/lib/identity";

/** The visitor of the address; the remembered one should it name none. */
export function useVisitor(): Visitor {
  const { visitor } = useSearch({ from: "__root__" });
  const [fallback] = useState(() => rememberedVisitor() ?? newVisitorId());
  const id = visitor ?? fallback;
  return useMemo(() => visitorFrom(id), [id]);
}
