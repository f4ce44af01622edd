import { isVisitorId } from "@/lib/identity";
import { type Refinement, readRefinement } from "@/lib/refinement";

export const MODES = ["hybrid", "lexical", "semantic"] as const;
export type Mode = (typeof MODES)[number];

export const PAGE_SIZE = 24;
export const MAX_PAGES = 40;
export const MAX_QUERY = 500;

export interface VisitorState {
  visitor?: string;
}

export interface SearchState extends Refinement {
  q?: string;
  mode?: Mode;
  page?: number;
}

export const STUDIO_VIEWS = ["quality", "live", "products"] as const;
export type StudioView = (typeof STUDIO_VIEWS)[number];

export interface StudioState {
  view?: StudioView;
}

type Raw = Record<string, unknown>;

/** Reads the query string as plain words, so that q=123 stays text; a name given twice is a list. */
export function parseSearch(text: string): Record<string, string | string[]> {
  const params = new URLSearchParams(text);
  return Object.fromEntries(
    [...params].map(([name, value]) => {
      const values = params.getAll(name);
      return [name, values.length > 1 ? values : value];
    }),
  );
}

export function stringifySearch(state: Raw): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") params.append(name, String(one));
    }
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

export function readVisitorState(raw: Raw): VisitorState {
  return isVisitorId(raw.visitor) ? { visitor: raw.visitor } : {};
}

/** Defaults (both, page 1) are left out of the URL; nonsense becomes the default. */
export function readSearchState(raw: Raw): SearchState {
  const state: SearchState = readRefinement(raw);
  const q = typeof raw.q === "string" ? raw.q.trim().slice(0, MAX_QUERY) : "";
  if (q !== "") state.q = q;
  const mode = MODES.find((known) => known === raw.mode);
  if (mode !== undefined && mode !== "hybrid") state.mode = mode;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) state.page = Math.min(page, MAX_PAGES);
  return state;
}

/** Which part of the studio is open; `quality` is left out. */
export function readStudioState(raw: Raw): StudioState {
  const view = STUDIO_VIEWS.find((known) => known === raw.view);
  return view === undefined || view === "quality" ? {} : { view };
}
