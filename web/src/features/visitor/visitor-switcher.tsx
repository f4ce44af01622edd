import * as Menu from "@radix-ui/react-dropdown-menu";
import type { ReactNode } from "react";
import type { ExampleVisitor } from "@/api/types";
import { CheckIcon, ChevronIcon, HiddenIcon, PersonIcon } from "@/components/ui/icons";
import { plural } from "@/lib/format";
import { ANONYMOUS, newVisitorId, type Visitor } from "@/lib/identity";
import styles from "./visitor-switcher.module.css";

interface VisitorSwitcherProps {
  visitor: Visitor;
  examples: ExampleVisitor[];
  onSwitch: (id: string) => void;
}

/** What an example visitor is called: by tastes, where there are some. */
function tastesOf({ user_id, tastes }: ExampleVisitor): string {
  return tastes.length === 0 ? `Visitor ${user_id}` : tastes.join(" and ");
}

/** A visitor's name on the page. */
export function visitorName(visitor: Visitor, examples: readonly ExampleVisitor[]): string {
  if (visitor.kind === "anonymous") return "Anonymous";
  if (visitor.kind === "new") return "New visitor";
  const known = examples.find((one) => one.user_id === visitor.id);
  return known === undefined ? `Visitor ${visitor.id}` : tastesOf(known);
}

function Example({ example }: { example: ExampleVisitor }) {
  const titles = example.recent.map((item) => item.title).slice(0, 2);
  return (
    <Menu.RadioItem value={example.user_id} className={styles.item}>
      <span className={styles.mark}>
        <Menu.ItemIndicator>
          <CheckIcon />
        </Menu.ItemIndicator>
      </span>
      <span className={styles.words}>
        <span className={styles.name}>
          {tastesOf(example)}
          <span className={styles.count}>{plural(example.n_events, "event")}</span>
        </span>
        <span className={styles.recent}>
          {example.user_id}: {titles.join(" · ")}
        </span>
      </span>
    </Menu.RadioItem>
  );
}

interface StrangerProps {
  name: string;
  about: string;
  icon: ReactNode;
  onSelect: () => void;
}

function Stranger({ name, about, icon, onSelect }: StrangerProps) {
  return (
    <Menu.Item className={styles.item} onSelect={onSelect}>
      <span className={styles.mark}>{icon}</span>
      <span className={styles.words}>
        <span className={styles.name}>{name}</span>
        <span className={styles.recent}>{about}</span>
      </span>
    </Menu.Item>
  );
}

/** Chooses through whose eyes the shop is seen. */
export function VisitorSwitcher({ visitor, examples, onSwitch }: VisitorSwitcherProps) {
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className={styles.trigger}>
        <PersonIcon />
        <span className={styles.who}>
          <span className="visually-hidden">Shopping as </span>
          {visitorName(visitor, examples)}
        </span>
        <ChevronIcon />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className={styles.menu} align="end" sideOffset={8} collisionPadding={12}>
          <Menu.Label className={styles.label}>See the shop as</Menu.Label>
          <Stranger
            name="Someone new"
            about="Starts with no history"
            icon={<PersonIcon />}
            onSelect={() => onSwitch(newVisitorId())}
          />
          <Stranger
            name="Anonymous"
            about="Nothing is sent, nothing is kept"
            icon={visitor.kind === "anonymous" ? <CheckIcon /> : <HiddenIcon />}
            onSelect={() => onSwitch(ANONYMOUS)}
          />
          {examples.length > 0 && (
            <>
              <Menu.Separator className={styles.separator} />
              <Menu.Label className={styles.label}>Visitors of the log</Menu.Label>
              <Menu.RadioGroup value={visitor.id} onValueChange={onSwitch}>
                {examples.map((example) => (
                  <Example key={example.user_id} example={example} />
                ))}
              </Menu.RadioGroup>
            </>
          )}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
