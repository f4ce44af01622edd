import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useApi } from "@/api/context";
import { suggestQuery } from "@/api/queries";
import type { Suggestion } from "@/api/types";

const PAUSE_MS = 120;

/** What may be meant by what is typed so far, asked once the fingers pause; nothing for blanks. */
export function useSuggestions(typed: string): readonly Suggestion[] {
  const words = typed.trim();
  const [asked, setAsked] = useState("");
  useEffect(() => {
    const pause = setTimeout(() => setAsked(words), PAUSE_MS);
    return () => clearTimeout(pause);
  }, [words]);
  const { data } = useQuery({
    ...suggestQuery(useApi(), asked),
    placeholderData: keepPreviousData,
  });
  return words === "" || asked === "" ? [] : (data?.suggestions ?? []);
}
