import type { StoredRule } from "@/api/types";

const PREFIX = "studio-hide-";

/**
 * The id of the rule that hides a product, the same in every tab.
 *
 * A rule's id stands in a path without "/"; as in a JSON Pointer (RFC 6901) "~1" stands for it and
 * "~0" for "~", so no two products share a rule.
 */
export function hidingRule(itemId: string): string {
  return PREFIX + itemId.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The filter that names one product. */
export function hidingFilter(itemId: string): string {
  return `item_id = "${itemId.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The ids of the products that rules of `hidingRule` hide; other rules are left aside. */
export function hiddenBy(rules: StoredRule[]): string[] {
  return rules
    .filter(({ rule_id, action }) => action === "hide" && rule_id.startsWith(PREFIX))
    .map((rule) => ({
      itemId: rule.rule_id.slice(PREFIX.length).replaceAll("~1", "/").replaceAll("~0", "~"),
      filter: rule.filter,
    }))
    .filter(({ itemId, filter }) => filter === hidingFilter(itemId))
    .map(({ itemId }) => itemId);
}
