"""The storefront as a shopper meets it."""

import json
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
MARKUP = "<img src=x onerror=\"document.title='owned'\"> <b>Bold</b> kettle"


def visitor_of(page):
    return parse_qs(urlsplit(page.url).query)["visitor"][0]


def titles(page, name):
    return page.get_by_role("list", name=name).get_by_role("heading").all_inner_texts()


def search(page, words):
    box = page.get_by_role("combobox", name="Search products")
    box.fill(words)
    box.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


def open_home(page, address="/"):
    page.goto(address)
    expect(page.get_by_role("list", name="For you")).to_be_visible()


def go_home(page):
    page.get_by_role("link", name="twotower, home").click()
    expect(page.get_by_role("list", name="For you")).to_be_visible()


def open_first(page, name):
    """Opens the first product of a list and waits until the shop has stored the view."""
    card = page.get_by_role("list", name=name).get_by_role("link").first
    title = card.inner_text()
    with page.expect_response(lambda answer: answer.url.endswith("/v1/events")) as stored:
        card.click()
    assert stored.value.status == 202
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return title


@pytest.fixture(scope="module")
def known_item(shop):
    """Some product of the catalogue, as the shop describes it."""
    home = shop.post("/v1/recommendations", json={"placement": "home", "k": 50}).json()
    return next(hit["item"] for hit in home["hits"] if hit["item"]["in_stock"])


@pytest.fixture(scope="module")
def example(shop):
    return shop.get("/v1/visitors", params={"limit": 6}).json()["visitors"][1]


def test_a_search_finds_the_product_and_says_how_many(page, known_item):
    open_home(page)
    search(page, known_item["title"])
    expect(page.get_by_role("status").filter(has_text=re.compile(r"\d products?"))).to_be_visible()
    assert known_item["title"] in titles(page, "Products found")


def test_what_was_searched_is_in_the_address(page, known_item):
    page.goto("/")
    search(page, known_item["title"])
    page.get_by_role("radio", name="Meaning").check()
    expect(page).to_have_url(re.compile("mode=semantic"))
    expect(page.get_by_role("list", name="Products found")).to_be_visible()
    shown = titles(page, "Products found")
    page.reload()
    expect(page.get_by_role("radio", name="Meaning")).to_be_checked()
    expect(page.get_by_role("list", name="Products found")).to_be_visible()
    assert titles(page, "Products found") == shown


def test_show_more_adds_products_and_back_takes_them_away(page, known_item):
    page.goto(f"/search?q={quote(known_item['title'])}&mode=semantic")
    cards = page.get_by_role("list", name="Products found").get_by_role("article")
    expect(cards).to_have_count(24)
    page.get_by_role("link", name="Show more").click()
    expect(cards.nth(24)).to_be_visible()
    expect(page).to_have_url(re.compile("page=2"))
    assert cards.nth(24).get_by_role("link").evaluate("link => link === document.activeElement")
    page.go_back()
    expect(cards).to_have_count(24)


def test_filters_narrow_the_list_down_and_back_takes_them_away(page, known_item):
    page.goto(f"/search?q={quote(known_item['title'])}&mode=semantic")
    found = page.get_by_role("status").filter(has_text=re.compile(r"\d products?"))
    expect(found).to_be_visible()
    before = found.inner_text()
    brand = page.get_by_role("group", name="Brand").get_by_role("checkbox").first
    name, count = re.fullmatch(
        r"(.+?)\s*([\d,]+)", brand.locator("..").inner_text(), re.DOTALL
    ).groups()
    brand.check()
    expect(found).to_contain_text(re.compile(rf"^{count} products? "))
    expect(page).to_have_url(re.compile("brand="))
    page.reload()
    expect(brand).to_be_checked()
    expect(page.get_by_role("button", name=f"Remove filter {name}")).to_be_visible()
    page.go_back()
    expect(brand).not_to_be_checked()
    expect(found).to_contain_text(before.split(" in ")[0])


def test_on_a_phone_filters_are_set_in_a_sheet(open_browser, known_item):
    page = open_browser(viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(f"/search?q={quote(known_item['title'])}&mode=semantic")
    opener = page.get_by_role("button", name="Filters")
    opener.tap()
    sheet = page.get_by_role("dialog", name="Filters")
    sheet.get_by_role("group", name="Brand").get_by_role("checkbox").first.check()
    expect(page).to_have_url(re.compile("brand="))
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(opener).to_be_focused()
    expect(opener).to_have_text("Filters1")


def test_back_goes_to_the_place_in_the_list(page, known_item):
    page.goto(f"/search?q={quote(known_item['title'])}&mode=semantic&page=2")
    cards = page.get_by_role("list", name="Products found").get_by_role("article")
    expect(cards).to_have_count(48)
    cards.nth(40).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Similar items")).to_be_visible()
    page.go_back()
    expect(cards).to_have_count(48)
    expect(cards.nth(40)).to_be_in_viewport()


def test_an_order_by_price_is_one(page, known_item):
    page.goto(f"/search?q={quote(known_item['title'])}&mode=semantic")
    page.get_by_role("combobox", name="Sort by").select_option("Price, low to high")
    expect(page).to_have_url(re.compile("sort=price_ascending"))
    expect(page.get_by_role("list", name="Products found")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    cards = page.get_by_role("list", name="Products found").get_by_role("article")
    prices = [
        float(re.search(r"[\d,]+\.\d\d", text).group().replace(",", ""))
        for text in cards.all_inner_texts()
    ]
    assert len(prices) > 3
    assert prices == sorted(prices)


def test_words_that_nobody_uses_lead_on(page):
    page.goto("/search?q=qxzvwk&mode=lexical")
    expect(page.get_by_text("Nothing matches “qxzvwk”")).to_be_visible()
    page.get_by_role("link", name="Match by words and meaning").click()
    expect(page.get_by_role("radio", name="Both")).to_be_checked()


def test_a_product_opens_with_its_facts_and_similar_items(page, known_item):
    page.goto(f"/product/{quote(known_item['item_id'], safe='')}")
    expect(page.get_by_role("heading", level=1)).to_have_text(known_item["title"])
    expect(page.get_by_text(f"{known_item['price']:,.2f}").first).to_be_visible()
    similar = page.get_by_role("list", name="Similar items").get_by_role("article")
    expect(similar.first).to_be_visible()
    assert similar.count() >= 4
    assert known_item["title"] not in titles(page, "Similar items")
    assert page.title().startswith(known_item["title"])


def test_opening_a_product_changes_for_you(page):
    open_home(page)
    expect(page.get_by_text("nothing is known of this visitor yet")).to_be_visible()
    before = titles(page, "For you")
    opened = open_first(page, "For you")
    go_home(page)
    expect(page.get_by_text("1 product in the history of this visitor")).to_be_visible()
    assert titles(page, "For you") != before
    expect(page.get_by_label("Recent events of this visitor")).to_contain_text(opened)


def test_what_a_visitor_does_elsewhere_changes_the_open_home_page(page, shop):
    open_home(page)
    before = titles(page, "For you")
    liked = shop.post("/v1/search", json={"query": before[0], "k": 5}).json()["hits"][-1]
    event = {"event_id": "elsewhere", "item_id": liked["item_id"], "event": "view"}
    event["visitor_id"] = visitor_of(page)
    shop.post("/v1/events", json={"events": [event]}).raise_for_status()
    expect(page.get_by_text("1 product in the history of this visitor")).to_be_visible()
    expect(page.get_by_label("Recent events")).to_contain_text(liked["item"]["title"])
    assert titles(page, "For you") != before


def test_why_a_product_is_in_its_list_is_told(page):
    open_home(page)
    open_first(page, "For you")
    go_home(page)
    expect(page.get_by_text("1 product in the history of this visitor")).to_be_visible()
    why = page.get_by_role("list", name="For you").get_by_role("button", name="Why this?").first
    why.press("Enter")
    sheet = page.get_by_role("dialog", name="Why this?")
    expect(sheet.get_by_text("Because of")).to_be_visible()
    sheet.get_by_text("Raw JSON").click()
    told = json.loads(sheet.locator("pre").inner_text())
    parts = sum(one["value"] for one in told["explanation"]["reasons"])
    assert parts == pytest.approx(told["score"], abs=1e-4)
    page.keyboard.press("Escape")
    expect(why).to_be_focused()


def test_nothing_is_sent_of_an_anonymous_visitor(page):
    sent = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    open_home(page)
    page.get_by_role("button", name="Shopping as").click()
    page.get_by_role("menuitem", name="Anonymous").click()
    expect(page.get_by_text("nothing is kept of an anonymous visitor")).to_be_visible()
    sent.clear()
    page.get_by_role("list", name="For you").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Similar items")).to_be_visible()
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("Not recorded")).to_be_visible()
    assert sent
    told = [url for url, body in sent if "/v1/events" in url or "visitor_id" in body]
    assert told == []


def is_of_home(answer):
    """Whether it is the list for the visitor, and none of the trending or the new."""
    body = answer.request.post_data or "{}"
    return (
        answer.url.endswith("/v1/recommendations") and json.loads(body).get("placement") == "home"
    )


def test_one_opening_is_one_view_that_names_its_list(page, shop):
    sent = []
    page.on(
        "request",
        lambda request: request.url.endswith("/v1/events") and sent.append(request.post_data),
    )
    with page.expect_response(is_of_home) as listed:
        page.goto("/")
    request_id = listed.value.json()["request_id"]
    open_first(page, "For you")
    go_home(page)
    events = [event for body in sent for event in json.loads(body)["events"]]
    assert [event["event"] for event in events] == ["view"]
    assert events[0]["request_id"] == request_id
    assert shop.get(f"/v1/visitors/{visitor_of(page)}").json()["n_events"] == 1


def test_carts_and_purchases_are_stored(page, shop, known_item):
    page.goto(f"/product/{quote(known_item['item_id'], safe='')}")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("Added to cart", exact=True)).to_be_visible()
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_text("Purchase recorded")).to_be_visible()
    known = shop.get(f"/v1/visitors/{visitor_of(page)}").json()
    assert sorted(event["event"] for event in known["recent"]) == ["cart", "purchase", "view"]


def test_another_visitor_sees_another_shop(page, example):
    open_home(page)
    before = titles(page, "For you")
    page.get_by_role("button", name=re.compile("Shopping as")).click()
    page.get_by_role("menuitemradio", name=re.compile(re.escape(example["user_id"]))).click()
    expect(
        page.get_by_text(re.compile(r"\d products? in the history of this visitor"))
    ).to_be_visible()
    assert visitor_of(page) == example["user_id"]
    assert titles(page, "For you") != before
    expect(page.get_by_label("Recent events of this visitor")).to_be_visible()


def test_the_visitor_is_remembered_and_can_be_left(page, example):
    open_home(page, f"/?visitor={example['user_id']}")
    page.goto("/")
    expect(page).to_have_url(re.compile(f"visitor={example['user_id']}"))
    page.get_by_role("button", name=re.compile("Shopping as")).click()
    page.get_by_role("menuitem", name=re.compile("Someone new")).click()
    expect(page.get_by_text("nothing is known of this visitor yet")).to_be_visible()
    assert visitor_of(page).startswith("anon-")


def test_a_shopper_needs_only_the_keyboard(page, known_item):
    open_home(page)

    def tab_to(selector):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"the keyboard does not reach {selector}")

    tab_to("input[role=combobox]")
    page.keyboard.type(known_item["title"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Products found")).to_be_visible()
    tab_to("input[type=radio]")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Words")).to_be_focused()
    expect(page.get_by_role("list", name="Products found")).to_be_visible()
    tab_to("article a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Similar items")).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()
    tab_to("main button:not([disabled])")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Added to cart", exact=True)).to_be_visible()


def test_suggestions_are_walked_through_with_the_keyboard(page, known_item):
    open_home(page)
    box = page.get_by_role("combobox", name="Search products")
    box.press_sequentially(known_item["title"][:6])
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(options.first).to_be_visible()
    box.press("ArrowDown")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_have_attribute("id", box.get_attribute("aria-activedescendant"))
    box.press("Escape")
    expect(options).to_have_count(0)
    assert box.input_value() == known_item["title"][:6]


def test_a_suggested_product_opens(open_browser, known_item):
    page = open_browser(viewport=PHONE, has_touch=True, is_mobile=True)
    open_home(page)
    page.get_by_role("combobox", name="Search products").fill(known_item["title"])
    page.get_by_role("option", name=known_item["title"]).first.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(known_item["title"])


def test_a_box_in_use_has_one_ring(page):
    open_home(page)
    box = page.get_by_role("combobox", name="Search products")
    box.focus()
    assert box.evaluate("box => getComputedStyle(box).outlineStyle") == "none"
    assert box.evaluate("box => getComputedStyle(box.form).boxShadow") != "none"


def test_what_was_mistyped_is_said_with_what_was_read(page, shop):
    shop.put("/v1/products/samovar", json={"title": "Copper samovar"}).raise_for_status()
    open_home(page)
    search(page, "samovra")
    expect(page.get_by_text("Results for samovar")).to_be_visible()
    assert "Copper samovar" in titles(page, "Products found")
    page.get_by_role("link", name="samovar", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("“samovar”")
    expect(page.get_by_text("Results for")).to_have_count(0)


def test_the_studio_shows_the_report_and_changes_products(page, complaints, shop, known_item):
    complaints.expect("409")  # one bundle, no folder of releases
    page.goto("/")
    page.get_by_role("link", name="Studio").click()
    region = page.get_by_role("region", name="search")
    expect(region.get_by_role("rowheader").first).to_contain_text("served")
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_role("rowheader", name="/v1/recommendations").first).to_be_visible()
    expect(page.get_by_text("this server serves one bundle")).to_be_visible()
    page.get_by_role("link", name="Products").click()
    title, item_id = known_item["title"], known_item["item_id"]
    page.get_by_label("Find products").fill(title)
    page.keyboard.press("Enter")
    form = page.get_by_role("form", name=title).first
    form.get_by_label("Price").fill("12.5")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Saved")).to_be_visible()
    before = shop.get(f"/v1/products/{item_id}").json()["item"]
    assert before["price"] == 12.5
    form.get_by_role("button", name="Hide").click()
    again = page.get_by_role("button", name=f"Show {title} again")
    expect(again).to_be_visible()
    question = {"query": title, "filter": f'item_id = "{item_id}"'}
    assert shop.post("/v1/search", json=question).json()["total"] == 0
    page.reload()
    expect(again).to_be_visible()
    assert shop.get(f"/v1/products/{item_id}").json()["item"] == before
    again.click()
    expect(again).to_have_count(0)
    assert shop.post("/v1/search", json=question).json()["total"] == 1
    shop.patch(f"/v1/products/{item_id}", json={"price": known_item["price"]}).raise_for_status()


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_no_page_is_wider_than_its_window(open_browser, known_item, width):
    page = open_browser(viewport={"width": width, "height": 800})
    product = f"/product/{quote(known_item['item_id'], safe='')}"
    for address in ("/studio", "/", f"/search?q={quote(known_item['title'])}", product):
        page.goto(address)
        shown = page.get_by_role("article").or_(page.get_by_role("table"))
        expect(shown.first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_the_shop_works_on_a_phone(open_browser):
    page = open_browser(viewport=PHONE, has_touch=True, is_mobile=True)
    open_home(page)
    page.get_by_role("list", name="For you").get_by_role("link").first.tap()
    expect(page.get_by_role("heading", name="Similar items")).to_be_visible()
    page.get_by_role("button", name=re.compile("Shopping as")).tap()
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    box = menu.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_page_has_a_barrier(open_browser, barriers, complaints, known_item, shop, colours):
    complaints.expect("404|409")
    shop.put("/v1/products/bare", json={"title": "Bare thing", "category": "Things > Bare"})
    page = open_browser(color_scheme=colours)
    product = f"/product/{quote(known_item['item_id'], safe='')}"
    found = {}
    for address, sign in {
        "/": "For you",
        f"/search?q={quote(known_item['title'])}": "Match by",
        "/search?q=qxzvwk&mode=lexical": "Nothing matches",
        product: "Similar items",
        "/product/bare": "Similar items",
        "/product/nowhere": "This product is not in the catalogue",
        "/no/such/page": "There is no page here",
        "/studio": "95 % interval",
        "/studio?view=live": "Latency by stage",
        "/studio?view=products": "Find products",
    }.items():
        page.goto(address)
        expect(page.get_by_text(sign).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        found[address] = barriers(page)
    page.get_by_role("button", name=re.compile("Shopping as")).click()
    expect(page.get_by_role("menu")).to_be_visible()
    found["menu"] = barriers(page)
    page.goto("/")
    page.get_by_role("button", name="Why this?").first.click()
    expect(page.get_by_role("list", name="Attention over its features")).to_be_visible()
    found["why"] = barriers(page)
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Search products").press_sequentially("b")
    expect(page.get_by_role("option").first).to_be_visible()
    found["suggestions"] = barriers(page)
    assert {address: lines for address, lines in found.items() if lines} == {}


def test_a_title_with_markup_is_shown_as_text(page, shop):
    answer = shop.put("/v1/products/markup", json={"title": MARKUP, "description": MARKUP})
    assert answer.status_code == 200, answer.text
    page.goto("/product/markup")
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    search(page, "bold kettle")
    page.get_by_role("link", name=MARKUP).wait_for()
    assert page.locator("main b").count() == 0
    assert page.title() == "bold kettle · twotower"


def test_a_lost_connection_is_told_and_mended(page, complaints, known_item):
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    open_home(page)
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline")).to_be_visible()
    search(page, known_item["title"])
    expect(page.get_by_text("The shop cannot be reached")).to_be_visible()
    page.context.set_offline(False)
    again = page.get_by_role("button", name="Try again")
    if again.is_visible():
        again.click()
    expect(page.get_by_role("list", name="Products found")).to_be_visible()


def test_a_made_up_shop_says_so(page):
    page.goto("/")
    expect(page.get_by_text("Synthetic demo shop")).to_be_visible()
