import { useLocation, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { ProductView } from "@/features/product/product-view";
import { useProduct } from "@/features/product/use-product";
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
    visitKey: state.__TSR_key ?? "first",
  });
  const product = useProduct({ itemId, visitor, ...opened });
  const trail = useTrail(visitor);
  return (
    <>
      <title>
        {product.state === "answered" ? `${product.item.title} · twotower` : "Product · twotower"}
      </title>
      <ProductView itemId={itemId} product={product}>
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
