// Filter, sort, copy and print for a report that is complete without them.
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // The narrow layout turns rows into cards, once each cell says its column.
  const narrow = matchMedia("(max-width: 44rem)");
  const label = () => {
    if (!narrow.matches || document.documentElement.classList.contains("cards-ready")) return;
    for (const table of all("table.stack")) {
      const names = all("thead th", table).map((head) => head.textContent);
      for (const row of table.tBodies[0].rows) {
        [...row.cells].forEach((cell, at) => cell.setAttribute("data-label", names[at]));
      }
    }
    document.documentElement.classList.add("cards-ready");
  };
  narrow.addEventListener("change", label);
  label();

  // Sort: a button in each head; a second press turns the order round.
  const sort = (table, column, direction) => {
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[column];
      return { row, key: cell.dataset.v ?? cell.textContent.trim() };
    });
    const empty = (key) => key === "" || key === "–" || key === "?";
    keyed.sort((a, b) => {
      if (empty(a.key) || empty(b.key)) return empty(a.key) - empty(b.key);
      return direction * collator.compare(a.key, b.key);
    });
    body.append(...keyed.map(({ row }) => row));
    table.dispatchEvent(new Event("sorted"));
  };
  for (const table of all("table[data-sort]")) {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort(table, column, ascending ? 1 : -1);
      });
    });
  }

  // Filter: by words (all of them must occur) and by the rows' kind. A long
  // table shows its first rows until all are asked for, so that it opens at once.
  const MOST = 500;
  for (const controls of all("[data-controls]")) {
    const tables = all(`table[data-filter="${controls.dataset.controls}"]`);
    if (tables.length === 0) continue;
    const input = controls.querySelector("input");
    const select = controls.querySelector("select");
    const output = controls.querySelector("output");
    const more = document.createElement("button");
    more.type = "button";
    more.className = "more-rows";
    more.textContent = "Show all";
    let limit = MOST;
    const texts = new Map();
    const text = (row) => {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    };
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const kind = select.value;
      let matching = 0;
      let total = 0;
      for (const table of tables) {
        let here = 0;
        for (const row of table.tBodies[0].rows) {
          const match = (kind === "" || row.dataset.k === kind) && words.every((word) => text(row).includes(word));
          matching += match ? 1 : 0;
          here += match ? 1 : 0;
          total += 1;
          row.hidden = !match || matching > limit;
        }
        const fold = table.closest("details.fold");
        if (fold && here > 0 && (words.length > 0 || kind !== "")) fold.open = true;
      }
      const found = matching === total ? `${total}` : `${matching} of ${total}`;
      more.hidden = matching <= limit;
      output.textContent = more.hidden ? `${found} shown` : `${found} found, the first ${limit} shown`;
    };
    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 80);
    });
    select.addEventListener("change", apply);
    more.addEventListener("click", () => {
      limit = Infinity;
      apply();
    });
    for (const table of tables) table.addEventListener("sorted", apply);
    controls.append(more);
    controls.hidden = false;
    apply();
  }

  // Copy: what is shown, which is never more than can be seen.
  for (const box of all(".commands")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(box.querySelector("pre").textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Can't copy";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    box.append(button);
  }

  // A link into something folded unfolds it.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
    }
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash.length > 1) reveal();

  // Paper can't be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => {
    folded.forEach((details) => { details.open = false; });
    folded = [];
  });
})();
