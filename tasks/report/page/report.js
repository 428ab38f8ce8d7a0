(() => {
  const own = new Map();  // every place of a trial: marks, curves, rows, mentions
  for (const e of document.querySelectorAll("[data-t]")) {
    if (!own.has(e.dataset.t)) own.set(e.dataset.t, []);
    own.get(e.dataset.t).push(e);
  }
  const tip = document.body.appendChild(document.createElement("div"));
  tip.id = "tip";
  tip.hidden = true;
  let lit = [], pinned = false;

  const said = mark => {  // the browser's own tooltip would come on top of ours
    const title = mark.querySelector(":scope > title");
    if (title) {
      mark.setAttribute("aria-label", title.textContent);
      title.remove();
    }
    return mark.getAttribute("aria-label") || "";
  };
  const point = (mark, x, y) => {
    for (const e of lit) e.classList.remove("hit");
    lit = mark ? own.get(mark.dataset.t) : [];
    for (const e of lit) e.classList.add("hit");
    tip.textContent = mark ? said(mark) : "";
    tip.hidden = !tip.textContent;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 8)) + "px";
    tip.style.top = (y + 16 + height > innerHeight ? Math.max(4, y - height - 12) : y + 16) + "px";
  };
  const middle = mark => {
    const box = mark.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const nearest = (plot, x, y) => {
    let found = null, least = 12;
    for (const mark of plot.querySelectorAll("use[data-t]")) {
      const [a, b] = middle(mark), far = Math.hypot(a - x, b - y);
      if (far < least) [found, least] = [mark, far];
    }
    return found;
  };
  const under = event => {
    const plot = event.target.closest("svg.plot");
    return (plot && nearest(plot, event.clientX, event.clientY)) || event.target.closest("[data-t]");
  };
  addEventListener("pointermove", e => pinned || !e.target.closest || point(under(e), e.clientX, e.clientY));
  addEventListener("click", e => {  // a click holds the trial, so that it can be looked for elsewhere
    const mark = under(e);
    pinned = Boolean(mark) && !(pinned && lit.includes(mark));
    point(mark, e.clientX, e.clientY);
  });
  addEventListener("focusin", e => e.target.matches("[data-t]") && point(e.target, ...middle(e.target)));
  addEventListener("keydown", e => e.key === "Escape" && (pinned = false, point(null, 0, 0)));
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  for (const block of document.querySelectorAll(".command")) {
    const button = block.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("pre").textContent);
      button.textContent = "Copied";
    });
  }
})();
