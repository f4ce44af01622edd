import { Link } from "@tanstack/react-router";
import { Empty } from "@/components/ui/state";

export function NotFoundPage() {
  return (
    <>
      <title>Not found · twotower</title>
      <Empty title="There is no page here">
        <p>
          The address may be mistyped. <Link to="/">Go to the shop</Link>.
        </p>
      </Empty>
    </>
  );
}
