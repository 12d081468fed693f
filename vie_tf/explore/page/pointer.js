// Mouse, touch and keys on the map.
const hover = byId("hover"), pointers = new Map();
let moved = 0, pinch = 0;

const pointOf = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, pointOf(event));
  moved = 0; pinch = 0; hide();
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = pointOf(event), before = pointers.get(event.pointerId);
  if (!before) { if (event.pointerType === "mouse") over(x, y); return; }
  pointers.set(event.pointerId, [x, y]);
  moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
  if (pointers.size === 2) {
    const [[a, b], [c, d]] = [...pointers.values()], apart = Math.hypot(a - c, b - d);
    if (pinch) zoom(apart / pinch, (a + c) / 2, (b + d) / 2);
    pinch = apart;
  } else if (moved > 4) {
    canvas.classList.add("moving");
    view.x -= (x - before[0]) / unit() / stretch();
    view.y -= (y - before[1]) / unit();
    draw();
  }
});
function release(event) {
  if (!pointers.delete(event.pointerId)) return;
  canvas.classList.remove("moving");
  if (moved <= 4 && event.type === "pointerup" && !pinch) {
    const video = videoAt(...pointOf(event));
    if (video >= 0) choose(video); else if (state.chosen >= 0) leave();
  }
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", hide);
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 300), ...pointOf(event));
}, { passive: false });

function over(x, y) {
  const video = videoAt(x, y);
  canvas.classList.toggle("over", video >= 0);
  if (video !== state.hovered) {
    state.hovered = video;
    draw();
    if (video < 0) { hide(); return; }
    const player = hover.querySelector(".player"), caption = hover.querySelector(".caption");
    hover.style.display = "block";
    play(player, video, true);
    caption.replaceChildren(element("b", "", labelOf(video) || data.groups[groupOf[video]].name), element("span", "", shortName(video)));
  }
  if (video < 0) return;
  const box = hover.getBoundingClientRect();
  hover.style.left = `${Math.max(6, x + 18 + box.width > view.width ? x - box.width - 18 : x + 18)}px`;
  hover.style.top = `${Math.max(6, Math.min(y + 14, view.height - box.height - 6))}px`;
}
function hide() {
  hover.style.display = "none";
  stop(hover.querySelector(".player"));
  if (state.hovered >= 0) { state.hovered = -1; draw(); }
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function step([across, down]) {
  if (state.chosen < 0) { choose(priority[0]); return; }
  const [x, y] = toScreen(state.chosen);
  let best = -1, least = Infinity;
  for (let video = 0; video < count; video++) {
    if (video === state.chosen || (state.shown && !state.shown.has(video))) continue;
    const [a, b] = toScreen(video), along = (a - x) * across + (b - y) * down, aside = Math.abs((a - x) * down) + Math.abs((b - y) * across);
    if (along > 0.5 && along + 2 * aside < least) { least = along + 2 * aside; best = video; }
  }
  if (best >= 0) choose(best);
}
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (WAYS[event.key]) step(WAYS[event.key]);
  else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0") showAll();
  else if (event.key === "Enter" && state.chosen >= 0) byId("view").focus();
  else return;
  event.preventDefault();
});
byId("in").addEventListener("click", () => zoom(1.5));
byId("out").addEventListener("click", () => zoom(1 / 1.5));
byId("all").addEventListener("click", showAll);
