"use strict";
// What the page knows, and what is chosen.  All text reaches the page as textContent.
const data = JSON.parse(document.getElementById("content").textContent);
const count = data.names.length;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const byId = (id) => document.getElementById(id);
const state = { layout: "tsne", colors: data.labelNames.length ? "label" : "group", chosen: -1, hovered: -1, shown: null, lit: null, tab: "groups" };

const groupOf = new Int32Array(count).fill(-1);
data.groups.forEach((group, number) => group.members.forEach((video) => { groupOf[video] = number; }));

function element(kind, className, text) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const shortName = (video) => data.names[video].split("/").pop();
// Names of one camera differ at their ends.
const trimmed = (text) => { const all = [...text]; return all.length > 18 ? `${all.slice(0, 7).join("")}…${all.slice(-10).join("")}` : text; };
const labelOf = (video) => (data.labels[video] < 0 ? "" : data.labelNames[data.labels[video]]);
const percent = (value) => (value >= 9999.5 ? "100" : (value / 100).toFixed(value >= 9900 ? 2 : value >= 9000 ? 1 : 0));
const closer = (value) => `closer than ${percent(value)}%`;
const FARTHER = "The percentage says how many of all pairs of videos here are farther apart.";
const seconds = (value) => (value >= 90 ? `${Math.floor(value / 60)} min ${Math.round(value % 60)} s` : `${value.toFixed(1)} s`);
const plural = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

const FIRST_COLORS = ["#3d7be0", "#e0782f", "#2f9e6e", "#c34a8b", "#8a63d2", "#b8952a", "#2fa3b8", "#d0504d", "#6d8a2f", "#7a6a5c"];
function colorOf(number) {
  if (number < 0) return "#8b9098";
  if (number < FIRST_COLORS.length) return FIRST_COLORS[number];
  return `hsl(${(number * 137.5) % 360} 52% ${number % 2 ? 48 : 60}%)`;
}
const classOf = (video) => (state.colors === "label" ? data.labels[video] : groupOf[video]);
const classNames = () => (state.colors === "label" ? data.labelNames : data.groups.map((group) => group.name));

// Sheets of pictures.
const images = new Map();
function image(file, ready) {
  let found = images.get(file);
  if (!found) {
    found = new Image();
    found.src = file;
    images.set(file, found);
  }
  if (ready && !found.complete) found.addEventListener("load", ready, { once: true });
  return found;
}
const sheetFile = (sheet, number) => `${sheet.folder}/${String(number).padStart(4, "0")}.jpg`;

function still(video) {
  const sheet = data.stills, first = Math.floor(video / sheet.each) * sheet.each, inSheet = Math.min(sheet.each, count - first);
  const columns = Math.min(sheet.columns, inSheet), place = video - first;
  const left = (place % columns) * sheet.width, top = Math.floor(place / columns) * sheet.height;
  return { file: sheetFile(sheet, first / sheet.each), left, top, sheet, wide: columns * sheet.width, high: Math.ceil(inSheet / columns) * sheet.height };
}

function showStill(box, video) {
  if (!hasPicture(box, video)) return;
  const { file, left, top, sheet, wide, high } = still(video);
  place(box, file, left, top, sheet.width, sheet.height, wide, high);
}

// Shows a frame of a strip.  A whole frame gives the box its proportions; otherwise the
// middle of the frame fills a box of 4 to 3.
function showFrame(box, video, frame, whole) {
  if (!hasPicture(box, video)) return;
  const sheet = data.strips, first = Math.floor(video / sheet.each) * sheet.each;
  let [wide, high] = data.sizes[video];
  if (whole) { box.style.aspectRatio = `${wide} / ${high}`; box.style.maxWidth = `calc(60vh * ${wide / high})`; }
  else { const ratio = wide / high; if (ratio > 4 / 3) wide = (high * 4) / 3; else high = (wide * 3) / 4; }
  const left = frame * sheet.width + (sheet.width - wide) / 2, top = (video - first) * sheet.height + (sheet.height - high) / 2;
  place(box, sheetFile(sheet, first / sheet.each), left, top, wide, high, sheet.columns * sheet.width, Math.min(sheet.each, count - first) * sheet.height);
}

function hasPicture(box, video) {
  box.classList.toggle("unread", !data.frames[video]);
  if (!data.frames[video]) box.style.backgroundImage = "none";
  return data.frames[video] > 0;
}

// Fills a box with a rectangle of a sheet, in pixels of the sheet.
function place(box, file, left, top, wide, high, sheetWide, sheetHigh) {
  const share = (start, part, all) => (all > part ? (100 * start) / (all - part) : 0);
  box.style.backgroundImage = `url("${file}")`;
  box.style.backgroundSize = `${(100 * sheetWide) / wide}% ${(100 * sheetHigh) / high}%`;
  box.style.backgroundPosition = `${share(left, wide, sheetWide)}% ${share(top, high, sheetHigh)}%`;
}

// One clock moves all strips that play.
const playing = new Map();
function play(box, video, whole) {
  showFrame(box, video, 0, whole);
  if (data.frames[video] > 1 && !calm) playing.set(box, { video, frame: 0, whole });
}
function stop(box) { playing.delete(box); }
setInterval(() => {
  for (const [box, strip] of playing) {
    if (!box.isConnected) { playing.delete(box); continue; }
    strip.frame = (strip.frame + 1) % data.frames[strip.video];
    showFrame(box, strip.video, strip.frame, strip.whole);
  }
}, 1000 / data.strips.perSecond);
