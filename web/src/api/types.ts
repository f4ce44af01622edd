import type { components } from "./schema";

type Schemas = components["schemas"];

/** What the page tells of today; impressions are not among it. */
export type EventIn = Schemas["EventIn"] & { event: Kind };
export type EventsReply = Schemas["EventsReply"];
export type ExampleVisitor = Schemas["ExampleVisitor"];
export type Explanation = Schemas["Explanation"];
export type Facet = Schemas["Facet"];
export type Hit = Schemas["Hit"];
export type Item = Schemas["Item"];
export type Kind = PastEvent["event"];
export type PastEvent = Schemas["PastEvent"];
export type Problem = Schemas["Problem"];
export type ProductReply = Schemas["ProductReply"];
export type Reason = Schemas["Reason"];
export type RecommendationReply = Schemas["RecommendationReply"];
export type ReleasesReply = Schemas["ReleasesReply"];
export type ReportReply = Schemas["ReportReply"];
export type RulesReply = Schemas["RulesReply"];
export type SearchReply = Schemas["SearchReply"];
export type StoredRule = Schemas["StoredRule"];
export type SuggestReply = Schemas["SuggestReply"];
export type Suggestion = Schemas["Suggestion"];
export type StatsReply = Schemas["StatsReply"];
export type VisitorReply = Schemas["VisitorReply"];
export type VisitorsReply = Schemas["VisitorsReply"];

// What the server fills in may be left out of a question.
export type SearchRequest = Partial<Schemas["SearchRequest"]> &
  Pick<Schemas["SearchRequest"], "query">;
export type RuleIn = Partial<Schemas["RuleIn"]> & Pick<Schemas["RuleIn"], "action">;
export type RecommendationRequest = Partial<Schemas["RecommendationRequest"]> &
  Pick<Schemas["RecommendationRequest"], "placement">;
