import { useLocation, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { ProductView } from "@/features/product/product-view";
import { useProduct } from "@/features/product/use-product";
import { ShelfView } from "@/features/shelf/shelf-view";
import { useShelf } from "@/features/shelf/use-shelf";
import { TrailStrip } from "@/features/visitor/trail-strip";
import { useTrail } from "@/features/visitor/use-visitors";
import { useVisitor } from "../use-visitor";
import styles from "./product.module.css";

function OpenedProduct({ itemId }: { itemId: string }) {
  const visitor = useVisitor();
  const { state } = useLocation();
  // How the page was opened: the location moves on before the page is gone.
  const [opened] = useState({
    requestId: state.requestId ?? null,
    question: state.question,
    visitKey: state.__TSR_key ?? "first",
  });
  const { question, ...opening } = opened;
  const product = useProduct({ itemId, visitor, ...opening });
  const alsoBought = useShelf("also_bought", visitor, itemId);
  const similar = useShelf("similar", visitor, itemId);
  const trail = useTrail(visitor);
  return (
    <>
      <title>
        {product.state === "answered" ? `${product.item.title} · twotower` : "Product · twotower"}
      </title>
      <ProductView itemId={itemId} product={product} question={question}>
        <ShelfView title="Bought together" shelf={alsoBought} />
        <ShelfView
          title="Similar items"
          shelf={similar}
          empty="Nothing in the catalogue is close to it."
        />
        <div className={styles.trail}>
          <TrailStrip trail={trail} now={Date.now()} />
        </div>
      </ProductView>
    </>
  );
}

export function ProductPage() {
  const { itemId } = useParams({ from: "/product/$itemId" });
  return <OpenedProduct key={itemId} itemId={itemId} />;
}
