// The panel: groups, near-duplicates, outliers, all videos, or one video.
const panel = byId("view"), FIRST = 60;
const TABS = ["groups", "duplicates", "outliers", "videos"];

function neighborsOf(video) {
  const each = data.numNeighbors, found = [];
  for (let place = video * each; place < (video + 1) * each; place++) found.push({ video: data.neighbors[place], percentile: data.percentiles[place] });
  return found;
}

const said = ({ video, percentile }) => `Nearest: ${shortName(video)}, ${closer(percentile)} of all pairs`;

function card(video, lines) {
  const item = element("li"), button = element("button", "card"), thumb = element("span", "thumb");
  button.type = "button";
  button.title = data.names[video];
  button.dataset.video = video;
  button.append(thumb);
  showStill(thumb, video);
  lines.forEach((text, number) => button.append(element("span", number ? "line soft" : "line", text)));
  if (data.labels[video] >= 0) {
    const dot = element("span", "dot");
    dot.style.background = colorOf(data.labels[video]);
    button.lastChild.prepend(dot);
  }
  const begin = () => { play(thumb, video); state.hovered = video; draw(); };
  const end = () => { stop(thumb); showStill(thumb, video); state.hovered = -1; draw(); };
  button.addEventListener("pointerenter", begin);
  button.addEventListener("pointerleave", end);
  button.addEventListener("focus", begin);
  button.addEventListener("blur", end);
  button.addEventListener("click", () => choose(video));
  item.append(button);
  return item;
}

function cards(videos, linesOf, most = FIRST) {
  const box = element("div"), list = element("ul", "cards");
  box.append(list);
  let shown = 0;
  const more = element("button", "more", "Show more");
  more.type = "button";
  const add = (number) => {
    videos.slice(shown, shown + number).forEach((video) => list.append(card(video, linesOf(video))));
    shown += number;
    more.hidden = shown >= videos.length;
  };
  add(most);
  more.addEventListener("click", () => add(FIRST));
  if (!more.hidden) box.append(more);
  return box;
}
const named = (video) => [trimmed(shortName(video)), labelOf(video)].filter(Boolean);

function block(title, aside, color) {
  const box = element("section", "block"), head = element("div", "head"), name = element("h2", "");
  if (color) { const dot = element("span", "dot"); dot.style.background = color; name.append(dot); }
  name.append(document.createTextNode(title));
  head.append(name, element("span", "", aside));
  box.append(head);
  return box;
}

const VIEWS = {
  groups() {
    const made = [element("p", "note", "Videos that lie together, by k-means. First the most central ones of each group, then the most marginal.")];
    data.groups.forEach((group, number) => {
      const size = group.members.length, same = group.purity === null ? "" : `, ${Math.round(100 * group.purity)}% ${group.label}`;
      const box = block(group.name, plural(size, "video") + same, state.colors === "group" ? colorOf(number) : "");
      box.append(cards(group.members.slice(0, 6), named));
      if (size > 6) {
        box.append(element("h3", "", "Most marginal"), cards(group.members.slice(Math.max(6, size - 3)).reverse(), named));
        const all = element("button", "more", `Show all ${size}`);
        all.type = "button";
        all.addEventListener("click", () => { all.replaceWith(cards(group.members.slice(6), named)); });
        box.append(all);
      }
      made.push(box);
    });
    return made;
  },
  duplicates() {
    const { sets, note } = data.duplicates, made = [element("p", "note", note)];
    sets.forEach((set, number) => {
      const box = block(`Set ${number + 1}`, plural(set.videos.length, "video"));
      // Names of copies are alike, so they are shown whole.
      const list = cards(set.videos, (video) => [shortName(video), data.durations[video] ? seconds(data.durations[video]) : "", labelOf(video)].filter(Boolean));
      list.classList.add("whole");
      box.append(list, element("p", "note", set.reason));
      made.push(box);
    });
    return made;
  },
  outliers() {
    const { videos, scores, flagged, note } = data.outliers;
    const score = new Map(videos.map((video, number) => [video, scores[number]]));
    const list = (some) => cards(some, (video) => [trimmed(shortName(video)), `${score.get(video).toFixed(1)} deviations`]);
    const made = [element("p", "note", note)];
    if (flagged) made.push(list(videos.slice(0, flagged)));
    if (videos.length > flagged) made.push(element("h3", "", "Next in order"), list(videos.slice(flagged)));
    return made;
  },
  videos() {
    const videos = state.shown ? [...state.shown] : [...Array(count).keys()];
    const text = state.shown ? `${plural(videos.length, "video")} with this name or label.` : `All ${plural(count, "video")}.`;
    return [element("p", "note", text), cards(videos, named)];
  },
};

function showTab(tab, focus) {
  state.tab = tab; state.chosen = -1; fade = null;
  if (location.hash) history.replaceState(null, "", location.href.split("#")[0]);
  TABS.forEach((name) => {
    const button = byId(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
    if (name === tab && focus) button.focus();
  });
  panel.setAttribute("aria-labelledby", `tab-${tab}`);
  panel.replaceChildren(...VIEWS[tab]());
  panel.scrollTop = 0;
  draw();
}

function showVideo(video) {
  const back = element("button", "back", "Back"), box = element("div", "video"), player = element("div", "player"), film = element("div", "film");
  back.type = "button";
  back.addEventListener("click", leave);
  box.append(back, player);
  play(player, video, true);
  if (data.frames[video] > 1) {
    for (let frame = 0; frame < data.frames[video]; frame++) { const one = element("div", "thumb"); showFrame(one, video, frame, true); film.append(one); }
    box.append(film);
  }
  box.append(element("h2", "", shortName(video)));
  if (data.faults[video]) box.append(element("p", "fault", `No picture: ${data.faults[video]}.`));
  const facts = element("dl");
  const group = groupOf[video], place = data.groups[group].members.indexOf(video) + 1;
  [["Path", data.names[video] === shortName(video) ? "" : data.names[video]], ["Label", labelOf(video)], ["Split", data.splits[video]], ["Length", data.durations[video] ? seconds(data.durations[video]) : ""],
    ["Group", `${data.groups[group].name}, ${place} of ${data.groups[group].members.length} from its middle`]]
    .filter(([, text]) => text).forEach(([name, text]) => facts.append(element("dt", "", name), element("dd", "", text)));
  box.append(facts);
  const near = neighborsOf(video);
  box.append(element("h3", "", near.length ? "Nearest videos" : "There is no other video."));
  if (near.length) {
    const list = element("ul", "cards");
    near.forEach(({ video: other, percentile }) => list.append(card(other, [closer(percentile), labelOf(other) || trimmed(shortName(other))])));
    box.append(element("p", "note", FARTHER), list);
  }
  panel.replaceChildren(box);
  panel.scrollTop = 0;
}
