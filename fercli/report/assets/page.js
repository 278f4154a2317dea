"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const numeric = head.classList.contains("n");
    const was = head.getAttribute("aria-sort");
    const down = was ? was === "ascending" : numeric;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => {
      const cell = row.cells[column];
      if (!numeric) return cell.textContent;
      return cell.dataset.v === "" ? null : Number(cell.dataset.v);
    };
    const order = (a, b) => {
      const x = value(a), y = value(b);
      // what is undefined stays at the end, whichever way the column is sorted
      if (x === null || y === null) return (x === null) - (y === null);
      const sign = numeric ? x - y : x.localeCompare(y);
      return down ? -sign : sign;
    };
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort(order));
  }));
}
// what is folded away on a screen must stand on paper
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
// a link to a run opens it
const unfold = () => {
  const part = document.getElementById(location.hash.slice(1))?.querySelector("details");
  if (part && location.hash.startsWith("#run-")) part.open = true;
};
addEventListener("hashchange", unfold);
unfold();
