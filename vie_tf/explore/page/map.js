// The map: a canvas of thumbnails and dots.  Where thumbnails would overlap, the more
// central video of its group is drawn and the others are dots, until one zooms in.
const canvas = byId("map"), context = canvas.getContext("2d");
// `free` is the height above the legend, in whose middle the map lies.
const view = { scale: 1, x: 0.5, y: 0.5, width: 1, height: 1, free: 1, ratio: 1 };
const WIDE = 60, HIGH = 45, MARGIN = 46, LARGEST = 80;
let isDue = false, fade = null;

const priority = new Int32Array(count);
{
  const rank = [];
  data.groups.forEach((group) => group.members.forEach((video, number) => rank.push([number / group.members.length, video])));
  rank.sort((a, b) => a[0] - b[0] || a[1] - b[1]).forEach(([, video], number) => { priority[number] = video; });
}
let places = Float64Array.from(data.maps.tsne, (value) => value / 10000);

function unit() { return Math.max(1, Math.min(view.width, view.free) - 2 * MARGIN) * view.scale; }
function stretch() { return Math.max(1, Math.min(1.7, (view.width - 2 * MARGIN) / Math.max(1, view.free - 2 * MARGIN))); }
function toScreen(video) {
  const size = unit();
  return [view.width / 2 + (places[2 * video] - view.x) * size * stretch(), view.free / 2 + (places[2 * video + 1] - view.y) * size];
}
function thumbSize() {
  const grown = Math.min(2.4, Math.max(0.75, Math.pow(view.scale, 0.45)) * (count < 60 ? 1.35 : count < 200 ? 1.1 : 1));
  return [WIDE * grown, HIGH * grown];
}

function draw() { if (!isDue) { isDue = true; requestAnimationFrame(paint); } }

function isDim(video) {
  if (state.shown && !state.shown.has(video)) return true;
  return state.lit !== null && classOf(video) !== state.lit;
}
const isFaded = (video) => fade !== null && !fade.has(video);

function paint() {
  isDue = false;
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink"), accent = style.getPropertyValue("--accent"), empty = style.getPropertyValue("--empty");
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  const [wide, high] = thumbSize(), taken = new Map(), pictures = [];
  const inside = (x, y) => x > -wide && y > -high && x < view.width + wide && y < view.height + high;
  const first = fade ? [...fade] : [];
  const isFree = (x, y) => {
    const column = Math.floor(x / wide), row = Math.floor(y / high);
    for (let i = column - 1; i <= column + 1; i++) for (let j = row - 1; j <= row + 1; j++) {
      for (const [a, b] of taken.get(`${i},${j}`) || []) if (Math.abs(a - x) < wide + 3 && Math.abs(b - y) < high + 3) return false;
    }
    const key = `${column},${row}`;
    if (!taken.has(key)) taken.set(key, []);
    taken.get(key).push([x, y]);
    return true;
  };
  const seen = new Set();
  const consider = (video) => {
    if (seen.has(video)) return;
    seen.add(video);
    const [x, y] = toScreen(video);
    if (!inside(x, y)) return;
    if (!isDim(video) && isFree(x, y)) { pictures.push([video, x, y]); return; }
    context.globalAlpha = isDim(video) ? 0.16 : isFaded(video) ? 0.3 : 0.85;
    context.fillStyle = colorOf(classOf(video));
    context.beginPath();
    context.arc(x, y, isDim(video) ? 2.5 : 4, 0, 7);
    context.fill();
  };
  first.forEach(consider);
  priority.forEach(consider);
  context.globalAlpha = 1;
  pictures.reverse();
  const paintAll = (chosen) => pictures.filter(([video]) => isFaded(video) !== chosen).forEach(([video, x, y]) => drawThumb(video, x, y, wide, high, empty, ink, accent));
  context.globalAlpha = 0.22;
  paintAll(false);
  context.globalAlpha = 1;
  if (state.chosen >= 0) drawLinks(accent);
  paintAll(true);
}

function drawLinks(accent) {
  const [x, y] = toScreen(state.chosen);
  context.strokeStyle = accent;
  neighborsOf(state.chosen).forEach(({ video }, number) => {
    const [a, b] = toScreen(video);
    context.globalAlpha = 0.6 - 0.04 * number;
    context.lineWidth = 1.5;
    context.beginPath(); context.moveTo(x, y); context.lineTo(a, b); context.stroke();
    context.beginPath(); context.arc(a, b, 5.5, 0, 7); context.stroke();
  });
  context.globalAlpha = 1;
}

function drawThumb(video, x, y, wide, high, empty, ink, accent) {
  const left = x - wide / 2, top = y - high / 2, isChosen = video === state.chosen, isOver = video === state.hovered;
  context.save();
  context.beginPath(); context.roundRect(left, top, wide, high, 5); context.clip();
  context.fillStyle = empty; context.fillRect(left, top, wide, high);
  if (data.frames[video]) {
    const { file, left: x0, top: y0, sheet } = still(video), picture = image(file, draw);
    if (picture.complete && picture.naturalWidth) context.drawImage(picture, x0, y0, sheet.width, sheet.height, left, top, wide, high);
  }
  context.fillStyle = colorOf(classOf(video));
  context.fillRect(left, top + high - 4, wide, 4);
  context.restore();
  context.lineWidth = isChosen ? 3 : isOver ? 2 : 1;
  context.strokeStyle = isChosen ? accent : isOver ? ink : "rgb(0 0 0 / 18%)";
  context.beginPath(); context.roundRect(left, top, wide, high, 5); context.stroke();
}

function resize() {
  const box = canvas.getBoundingClientRect();
  view.width = box.width; view.height = box.height; view.ratio = Math.min(3, devicePixelRatio || 1);
  view.free = box.height - byId("legend").offsetHeight;
  canvas.width = Math.round(box.width * view.ratio); canvas.height = Math.round(box.height * view.ratio);
  draw();
}
new ResizeObserver(resize).observe(byId("stage"));

function zoom(factor, x = view.width / 2, y = view.free / 2) {
  const before = unit();
  view.scale = Math.min(LARGEST, Math.max(0.5, view.scale * factor));
  const after = unit(), wide = stretch();
  view.x += ((x - view.width / 2) / wide) * (1 / before - 1 / after);
  view.y += (y - view.free / 2) * (1 / before - 1 / after);
  draw();
}
function showAll() { Object.assign(view, { scale: 1, x: 0.5, y: 0.5 }); draw(); }
function bringIntoView(video) {
  const [x, y] = toScreen(video), edge = 60;
  if (x < edge || y < edge || x > view.width - edge || y > view.height - edge) { view.x = places[2 * video]; view.y = places[2 * video + 1]; }
  draw();
}

function videoAt(x, y) {
  const [wide, high] = thumbSize();
  let best = -1, least = 1e9;
  for (let video = 0; video < count; video++) {
    if (state.shown && !state.shown.has(video)) continue;
    const [a, b] = toScreen(video), across = Math.abs(a - x), down = Math.abs(b - y);
    if (across > wide / 2 || down > high / 2) continue;
    const distance = across * across + down * down;
    if (distance < least) { least = distance; best = video; }
  }
  return best;
}

function moveTo(layout) {
  const goal = Float64Array.from(data.maps[layout], (value) => value / 10000), start = places, began = performance.now();
  state.layout = layout;
  if (calm) { places = goal; draw(); return; }
  const step = (now) => {
    const part = Math.min(1, (now - began) / 500), eased = part * part * (3 - 2 * part);
    places = start.map((value, number) => value + (goal[number] - value) * eased);
    draw();
    if (part < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
