import * as Menu from "@radix-ui/react-dropdown-menu";
import type { ExampleVisitor } from "@/api/types";
import { CheckIcon, ChevronIcon, PersonIcon } from "@/components/ui/icons";
import { plural } from "@/lib/format";
import { newVisitorId, type Visitor, visitorName } from "@/lib/identity";
import styles from "./visitor-switcher.module.css";

interface VisitorSwitcherProps {
  visitor: Visitor;
  examples: ExampleVisitor[];
  onSwitch: (id: string) => void;
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
          Visitor {example.user_id}
          <span className={styles.count}>{plural(example.n_events, "event")}</span>
        </span>
        <span className={styles.recent}>{titles.join(" · ")}</span>
      </span>
    </Menu.RadioItem>
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
          {visitorName(visitor)}
        </span>
        <ChevronIcon />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className={styles.menu} align="end" sideOffset={8} collisionPadding={12}>
          <Menu.Label className={styles.label}>See the shop as</Menu.Label>
          <Menu.Item className={styles.item} onSelect={() => onSwitch(newVisitorId())}>
            <span className={styles.mark}>
              <PersonIcon />
            </span>
            <span className={styles.words}>
              <span className={styles.name}>Someone new</span>
              <span className={styles.recent}>Starts with no history</span>
            </span>
          </Menu.Item>
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
