"""A picture for each product, drawn from its type and colour."""


def picture(kind: str, colour: str, *, variant: int = 0) -> str:
    """The product as a `data:image/svg+xml,` URI.

    Args:
        kind: key of the product type.
        colour: sRGB value, `#rrggbb`.
        variant: products with the same number look alike.
    """
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 100'><rect width='100' height='100' "
        f"fill='#f4f1ea'/><circle cx='50' cy='50' r='28' fill='{colour}'/></svg>"
    )
    return "data:image/svg+xml," + svg.replace("#", "%23").replace("<", "%3C").replace(">", "%3E")
