// Choices that concern the whole page.
function choose(video) {
  state.chosen = video;
  const near = neighborsOf(video);
  fade = new Set([video, ...near.map((one) => one.video)]);
  showVideo(video);
  bringIntoView(video);
  history.replaceState(null, "", `#${video}`);
  if (matchMedia("(max-width: 760px)").matches && panel.getBoundingClientRect().top < 0) byId("panel").scrollIntoView();
  byId("live").textContent = [data.names[video], labelOf(video), near.length ? said(near[0]) : ""].filter(Boolean).join(". ");
}
function leave() { showTab(state.tab); }

function legend() {
  const box = byId("legend"), names = classNames(), sizes = new Map();
  for (let video = 0; video < count; video++) sizes.set(classOf(video), (sizes.get(classOf(video)) || 0) + 1);
  box.replaceChildren(...names.map((name, number) => {
    const button = element("button"), dot = element("span", "dot");
    button.type = "button";
    dot.style.background = colorOf(number);
    button.append(dot, document.createTextNode(`${name} `), element("span", "hidden", plural(sizes.get(number) || 0, "video")));
    button.title = plural(sizes.get(number) || 0, "video");
    button.setAttribute("aria-pressed", String(state.lit === number));
    button.addEventListener("click", () => {
      state.lit = state.lit === number ? null : number;
      [...box.children].forEach((one, other) => one.setAttribute("aria-pressed", String(state.lit === other)));
      draw();
    });
    return button;
  }));
}

const find = byId("find");
find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  state.shown = null;
  if (words.length) {
    const fits = (video) => { const text = `${data.names[video]} ${labelOf(video)}`.toLowerCase(); return words.every((word) => text.includes(word)); };
    state.shown = new Set([...Array(count).keys()].filter(fits));
    byId("live").textContent = plural(state.shown.size, "video");
  }
  showTab("videos");
});
byId("layout").addEventListener("change", (event) => moveTo(event.target.value));
byId("colors").addEventListener("change", (event) => {
  state.colors = event.target.value; state.lit = null;
  legend(); resize();
  if (state.chosen < 0) showTab(state.tab);
});
if (!data.labelNames.length) byId("colors").hidden = true;

TABS.forEach((tab, number) => {
  const button = byId(`tab-${tab}`);
  const size = { duplicates: data.duplicates.sets.length, outliers: data.outliers.flagged, videos: count, groups: data.groups.length }[tab];
  button.append(" ", element("span", "count", String(size)));
  button.addEventListener("click", () => showTab(tab));
  button.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (way) { event.preventDefault(); showTab(TABS[(number + way + TABS.length) % TABS.length], true); }
  });
});

function setTheme(theme) { document.documentElement.dataset.theme = theme; draw(); }
byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (find.value) { find.value = ""; find.dispatchEvent(new Event("input")); } else if (state.chosen >= 0) { leave(); canvas.focus(); }
  } else if (event.key === "/" && document.activeElement !== find) { event.preventDefault(); find.focus(); }
});

legend();
resize();
const asked = Number(location.hash.slice(1) || NaN);
showTab("groups");
if (Number.isInteger(asked) && asked >= 0 && asked < count) choose(asked);
document.documentElement.dataset.ready = "1";
