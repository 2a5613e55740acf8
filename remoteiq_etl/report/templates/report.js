"use strict";
// Search over the embedded index; tables that stack on a phone; details that open when a link leads into them, or to be printed.
(() => {
  const { names, rows } = JSON.parse(document.getElementById("index").textContent);
  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const results = document.getElementById("results");
  const most = 50;
  const heads = ["legacy row", "what became of it", "target row", "rule"];
  const folded = rows.map((row) => `${row[1]}\n${row[3] || ""}`.toLowerCase());

  const cell = (tag, text, scope) => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (scope) element.scope = scope;
    if (tag === "td") element.className = "long";
    return element;
  };

  const line = ([table, key, entity, created, fate, rule]) => {
    const row = document.createElement("tr");
    row.append(cell("th", `${names[table]} ${key}`, "row"), cell("td", names[fate]));
    row.append(cell("td", created === null ? `none in ${names[entity]}` : `${names[entity]} ${created === 0 ? key : created}`));
    row.append(cell("td", names[rule]));
    return row;
  };

  // What is wider than its place can be reached and moved by the keyboard; what is not is no stop for it.
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) {
        target.tabIndex = 0;
        target.setAttribute("role", "group");
        target.setAttribute("aria-label", target.querySelector("caption").textContent);
      } else {
        ["tabindex", "role", "aria-label"].forEach((name) => target.removeAttribute(name));
      }
    }
  });

  // Heads for the layout of narrow screens, where each row is a block of its own.
  const stack = (table) => {
    const heads = [...table.tHead.rows[0].cells].map((one) => one.textContent);
    if (heads.length < 3) return;
    table.classList.add("stacked");
    for (const row of table.tBodies[0].rows) {
      for (const one of row.cells) {
        one.dataset.head = heads[one.cellIndex];
        if (one.tagName === "TD" && ["", "0", "–", "·"].includes(one.textContent.trim())) one.classList.add("none");
      }
    }
  };

  const shown = (hits) => {
    const region = document.createElement("div");
    region.className = "scroll";
    const table = document.createElement("table");
    const caption = document.createElement("caption");
    caption.textContent = "Rows found";
    const head = table.createTHead().insertRow();
    head.append(...heads.map((text) => cell("th", text, "col")));
    const body = table.createTBody();
    body.append(...hits.map((number) => line(rows[number])));
    table.prepend(caption);
    stack(table);
    region.append(table);
    widths.observe(region);
    return region;
  };

  const rank = (text, wanted) => (text.split("\n").includes(wanted) ? 0 : text.startsWith(wanted) || text.includes(`\n${wanted}`) ? 1 : 2);

  const search = () => {
    const wanted = query.value.trim().toLowerCase();
    results.replaceChildren();
    if (!wanted) {
      found.textContent = "";
      return;
    }
    const hits = [];
    folded.forEach((text, number) => {
      if (text.includes(wanted)) hits.push(number);
    });
    hits.sort((one, other) => rank(folded[one], wanted) - rank(folded[other], wanted));
    const more = hits.length > most ? `, the first ${most} are shown` : "";
    found.textContent = hits.length ? `${hits.length} found${more}.` : "No key like this is in this page.";
    if (hits.length) results.append(shown(hits.slice(0, most)));
  };

  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let element = target; element; element = element.parentElement) {
      if (element.tagName === "DETAILS") element.open = true;
    }
    target.scrollIntoView();
    const focused = target.tagName === "DETAILS" ? target.querySelector("summary") : null;
    if (focused) focused.focus({ preventScroll: true });
  };

  document.querySelectorAll("table:not(.signature)").forEach(stack);
  document.querySelectorAll(".scroll").forEach((one) => widths.observe(one));
  query.addEventListener("input", search);
  addEventListener("hashchange", open);
  addEventListener("beforeprint", () => document.querySelectorAll("details.table").forEach((one) => (one.open = true)));
  open();
})();
