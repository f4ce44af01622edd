"""Words that shops use for our columns and kinds of event; docs/shop-toml.md is written from it."""

from typing import Final

from twotower import schema

IGNORE: Final = "ignore"
"""A kind of event mapped to this is left out."""
CANCEL: Final = "cancel"
"""A kind of event mapped to this takes back the purchase before it."""

_ITEM_ID: Final = (
    "product_id asin parent_asin sku stock_code upc article_id product item item_code product_code"
)
ALIASES: Final = {
    "items": {
        schema.ITEM_ID: f"{_ITEM_ID} id",
        schema.TITLE: "name product_name product_title item_name movie_title prod_name",
        schema.DESCRIPTION: "product_description desc long_description detail_desc details",
        schema.BRAND: "product_brand manufacturer vendor maker",
        schema.CATEGORY: "categories category_path category_code product_type main_category",
        schema.PRICE: "unit_price sale_price list_price",
        schema.RATING: "average_rating avg_rating stars",
        schema.ATTRIBUTES: "tags features attribute",
        schema.IN_STOCK: "available availability stock",
        schema.LAUNCHED: "launch_date release_date created_at date_added published_at",
        schema.IMAGE: "image_url picture img thumbnail photo",
    },
    "events": {
        schema.USER_ID: "user customer_id visitor_id shopper_id uid client_id reviewer_id",
        schema.ITEM_ID: _ITEM_ID,
        schema.EVENT: "event_type behavior behaviour action interaction kind type",
        schema.TIME: "timestamp ts event_time datetime date created_at invoice_date review_time",
        schema.ORDER: "position sequence seq",
        schema.SESSION_ID: "user_session session",
        schema.QUERY: "search_query search_term q keyword",
        schema.SPLIT: "",
    },
    "users": {schema.USER_ID: "user customer_id visitor_id shopper_id uid client_id id"},
    "judgments": {
        schema.QUERY: "search_term search_query q",
        schema.ITEM_ID: _ITEM_ID,
        schema.GRADE: "relevance relevancy label esci_label judgment judgement score rating",
        schema.SPLIT: "",
    },
}
"""Names that shops give to our columns, by table."""
REQUIRED: Final = {
    "items": (schema.ITEM_ID, schema.TITLE),
    "events": (schema.USER_ID, schema.ITEM_ID),
    "users": (schema.USER_ID,),
    "judgments": (schema.QUERY, schema.ITEM_ID, schema.GRADE),
}
KIND_ALIASES: Final = {
    schema.EventKind.VIEW: "view views viewed click clicks pv detail page_view view_item",
    schema.EventKind.CART: "cart add_to_cart addtocart atc basket add_to_basket",
    schema.EventKind.PURCHASE: "purchase purchased buy bought order ordered transaction sale",
    schema.EventKind.REVIEW: "review reviewed rating rated rate",
    schema.SEARCH: "search searched query",
    CANCEL: "cancel cancelled canceled cancellation return returned refund refunded",
}
KINDS: Final = {word: str(kind) for kind, words in KIND_ALIASES.items() for word in words.split()}
"""Our kind of event for every word."""


def likely_kind(word: str) -> str:
    """The kind whose longest word is in this one, a view where none is; to be looked over.

    Example:
        >>> likely_kind("siteSearch"), likely_kind("pdp_impression")
        ('search', 'view')
    """
    within = [known for known in KINDS if len(known) > 2 and known in word.lower()]
    return KINDS[max(within, key=len)] if within else str(schema.EventKind.VIEW)
